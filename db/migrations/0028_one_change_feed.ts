import { type Kysely, sql } from 'kysely';

// Beyond this number of announcements in a transaction the position moves once more without a row: nodes see the gap, and drop all.
const mostAnnounced = 100;

/** Deferred to the commit, because the one-row counter stays locked from the announcement until then. */
const announce = (name: string, change: string, { text, when = '' }: { text: string; when?: string }) => [
  `create function ${name}() returns trigger language plpgsql as $$
    begin
      ${text}
      return null;
    end $$`,
  `create constraint trigger ${name} ${change} deferrable initially deferred for each row ${when} execute function ${name}()`,
];

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // Changes of many rows with the same key in one transaction are announced once.
  `create or replace function announce_change(changed_kind text, changed_key text) returns void language plpgsql as $$
    declare
      before jsonb := coalesce(nullif(current_setting('latchkey.announced', true), ''), '[0]')::jsonb;
      announced int := (before ->> 0)::int;
      moved bigint;
    begin
      if announced > ${mostAnnounced} or before = jsonb_build_array(announced, changed_kind, changed_key) then return; end if;
      perform set_config('latchkey.announced', jsonb_build_array(announced + 1, changed_kind, changed_key)::text, true);
      update change_counter set position = position + 1 returning position into moved;
      if announced < ${mostAnnounced} then
        delete from changes where occurred_at < latchkey_now() - interval '1 hour';
        insert into changes (position, kind, key, occurred_at) values (moved, changed_kind, changed_key, latchkey_now());
      end if;
      perform pg_notify('latchkey_changes', '');
    end $$`,

  // Any column: a list would have to include each new cached one. It lacked claims_in_id_token.
  'drop trigger clients_known_announced on clients',
  'drop trigger clients_epoch_announced on clients',
  `create constraint trigger clients_known_announced after update or delete on clients
    deferrable initially deferred for each row execute function client_has_changed()`,

  ...announce('signing_keys_announced', 'after insert or update or delete on signing_keys', {
    text: `perform announce_change('signing_key', case when tg_op = 'DELETE' then old.kid else new.kid end);`,
  }),
  // The time of the last use is not cached; it is written separately, once a second for every key in use.
  ...announce('api_keys_announced', 'after update on api_keys', {
    when: 'when (old.last_used_at is not distinct from new.last_used_at)',
    text: `perform announce_change('api_key', new.id::text);`,
  }),
  ...announce('api_key_versions_announced', 'after insert or update on api_key_versions', {
    text: `perform announce_change('api_key', new.key_id::text);`,
  }),
  ...announce('api_key_roles_announced', 'after insert or update or delete on api_key_roles', {
    text: `perform announce_change('api_key', (case when tg_op = 'DELETE' then old.key_id else new.key_id end)::text);`,
  }),
  // A new spelling of an identifier is cached with the others. A rename affects both names.
  ...announce('resource_servers_announced', 'after insert or update or delete on resource_servers', {
    text: `if tg_op <> 'INSERT' then perform announce_change('resource_server', old.identifier); end if;
      if tg_op <> 'DELETE' then perform announce_change('resource_server', new.identifier); end if;`,
  }),
  ...announce('permissions_announced', 'after insert or update or delete on permissions', {
    text: `perform announce_change('resource_server', r.identifier) from resource_servers r
        where r.id = case when tg_op = 'DELETE' then old.resource_server_id else new.resource_server_id end;`,
  }),
];

/** Changes of cached records are announced by triggers only, so that no writer can forget to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
