import { type Kysely, sql } from 'kysely';

const owners = ['users', 'clients', 'resource_servers', 'api_keys'];
const accessTokenTables = ['access_tokens', 'jwt_access_tokens'];

const columns = [
  // Migrations share one transaction: announcements of earlier ones are sent now, because they would prevent altering these tables.
  'set constraints all immediate',
  // How often everything of an owner was revoked. A credential stores the epochs of the records that it was derived from, and is
  // active while these have the same epochs. No clock is involved: two nodes need not agree on the time.
  ...owners.map((owner) => `alter table ${owner} add column epoch integer not null default 0`),
  // `revoke --before`: everything that was issued up to then, by the database's time, is revoked.
  ...['users', 'clients'].map((owner) => `alter table ${owner} add column revoked_before timestamptz`),
  // Null if an older version wrote the row: then `tokens_valid_after` is compared with the time of issue.
  `alter table sessions add column user_epoch integer, add column signed_in_at timestamptz`,
  `alter table grants add column user_epoch integer, add column client_epoch integer`,
  // Tokens under a grant depend on it: only tokens without one store the epoch of their client.
  ...accessTokenTables.map(
    (table) => `alter table ${table} add column client_epoch integer, add column resource_server_epoch integer,
      add column api_key_epoch integer`,
  ),
];

// Every revocation of everything of an owner writes `enabled` or `tokens_valid_after`, also in older versions: a trigger counts, so
// that no writer can forget to. A writer that sets the epoch itself is not overridden.
const isEnded = `(old.enabled and not new.enabled) or old.tokens_valid_after is distinct from new.tokens_valid_after`;
const counters = [
  `create function next_epoch() returns trigger language plpgsql as $$
    begin
      if new.epoch = old.epoch then new.epoch := old.epoch + 1; end if;
      return new;
    end $$`,
  ...['resource_servers', 'api_keys'].map(
    (owner) => `create trigger ${owner}_epoch before update of enabled, tokens_valid_after on ${owner}
      for each row when (${isEnded}) execute function next_epoch()`,
  ),
  // For "issued up to a time" this version sets `revoked_before`. An older one sets only `tokens_valid_after`, to a time that may be
  // in the past: credentials that were issued since must stay active.
  `create function next_owner_epoch() returns trigger language plpgsql as $$
    begin
      if new.revoked_before is distinct from old.revoked_before or new.epoch <> old.epoch then return new; end if;
      if new.enabled = old.enabled and new.tokens_valid_after < latchkey_now() - interval '10 seconds' then
        new.revoked_before := greatest(old.revoked_before, new.tokens_valid_after);
      else
        new.epoch := old.epoch + 1;
      end if;
      return new;
    end $$`,
  ...['users', 'clients'].map(
    (owner) => `create trigger ${owner}_epoch before update of enabled, tokens_valid_after on ${owner}
      for each row when (${isEnded}) execute function next_owner_epoch()`,
  ),
  // Nodes cache clients with their epoch.
  `create constraint trigger clients_epoch_announced after update of enabled, tokens_valid_after, epoch on clients
    deferrable initially deferred for each row when (old.epoch is distinct from new.epoch) execute function client_has_changed()`,
];

const isAfter = (issued_at: string, mark: string) => `(${mark} is null or ${issued_at} > ${mark})`;

/** Whether the `epoch` of a credential is still that of its owner; a row of an older version is judged by its time. */
function isOf(owner: string, { epoch, issued_at }: { epoch: string; issued_at: string }): string {
  return `case when ${epoch} is null then ${isAfter(issued_at, `${owner}.tokens_valid_after`)}
    else ${epoch} = ${owner}.epoch and ${isAfter(issued_at, `${owner}.revoked_before`)} end`;
}

// The grant of a credential `t`, and the columns of it that token requests need.
const underGrant = `standing_grants g on g.id = t.grant_id and ${isAfter('t.issued_at', 'g.tokens_valid_after')}`;
const ofGrant = 'g.consent_id, g.session_uid, g.offline, g.payload as grant_payload';

// A row of a view is active while `ends_at` is in the future: until then the records that it depends on last. Its own expiry is separate.
const views = [
  `create or replace view standing_grants as
    select g.id, g.user_id, g.client_id, g.consent_id, g.session_uid, g.offline, g.payload, g.created_at, g.revoked_at,
      g.revoked_for,
      case when g.user_epoch is null then greatest(u.tokens_valid_after, c.tokens_valid_after)
        else greatest(u.revoked_before, c.revoked_before) end as tokens_valid_after,
      case when g.offline or g.session_uid is null then 'infinity'::timestamptz
        when s.revoked_at is null then coalesce(s.expires_at, '-infinity') else '-infinity' end as ends_at,
      c.client_id as client, u.username
    from grants g
      join users u on u.id = g.user_id and u.enabled and (g.user_epoch is null or g.user_epoch = u.epoch)
      join clients c on c.id = g.client_id and c.enabled and (g.client_epoch is null or g.client_epoch = c.epoch)
      left join sessions s on s.uid = g.session_uid
    where g.revoked_at is null`,

  `create or replace view standing_api_keys as
    select k.id, v.number, greatest(k.tokens_valid_after, u.tokens_valid_after, c.tokens_valid_after) as tokens_valid_after,
      least(coalesce(k.expires_at, 'infinity'), coalesce(v.ends_at, 'infinity')) as ends_at,
      -- Neither ever sinks: the sum is another one as soon as one of them is.
      k.epoch + coalesce(u.epoch, c.epoch) as epoch,
      greatest(u.revoked_before, c.revoked_before) as revoked_before, k.owner_id
    from api_keys k
      join api_key_versions v on v.key_id = k.id
      left join users u on u.id = k.owner_id
      left join clients c on c.id = k.owner_id
    where k.enabled and k.revoked_at is null and coalesce(u.enabled, c.enabled, false)`,

  // Some sessions have no signed-in user.
  `create view standing_sessions as
    select s.*, u.username
    from sessions s left join users u on u.id = s.user_id
    where s.revoked_at is null and (s.user_id is null or (u.enabled
      and ${isOf('u', { epoch: 's.user_epoch', issued_at: 'coalesce(s.signed_in_at, s.login_at)' })}))`,

  // Includes secrets of a disabled client, which are accepted again when it is enabled.
  `create view standing_client_secrets as
    select s.id, s.client_id, s.digest, s.pepper_id, s.label, s.created_at, s.expires_at, s.revoked_at, c.client_id as client,
      coalesce(s.expires_at, 'infinity'::timestamptz) as ends_at
    from client_secrets s join clients c on c.id = s.client_id
    where s.revoked_at is null`,

  // Includes redeemed codes, so that reuse is detected.
  `create view standing_authorization_codes as
    select t.*, g.client, ${ofGrant}, g.ends_at from authorization_codes t join ${underGrant}`,
  // Codes that wait for a user have no grant.
  `create view standing_device_codes as
    select t.*, c.client_id as client, ${ofGrant}, coalesce(g.ends_at, 'infinity') as ends_at
    from device_codes t join clients c on c.id = t.client_id and c.enabled left join ${underGrant}
    where t.grant_id is null or g.id is not null`,

  `create view standing_refresh_families as
    select t.*, g.client, ${ofGrant}, g.ends_at from refresh_families t join ${underGrant}
    where t.revoked_at is null and t.digest is not null`,

  ...accessTokenTables.map(
    (table) => `create view standing_${table} as
      select t.*, c.client_id as client, ${ofGrant},
        least(g.ends_at, case when t.api_key_id is null then 'infinity' else coalesce((
          select k.ends_at from standing_api_keys k where k.id = t.api_key_id and k.number = t.api_key_version
            and ${isOf('k', { epoch: 't.api_key_epoch', issued_at: 't.issued_at' })}), '-infinity') end) as ends_at
      from ${table} t
        join clients c on c.id = t.client_id and c.enabled
        left join ${underGrant}
        left join refresh_families f on f.id = t.family_id
        left join resource_servers r on r.identifier = t.audience
      where t.revoked_at is null and f.revoked_at is null
        and case when t.grant_id is not null then g.id is not null
          else ${isOf('c', { epoch: 't.client_epoch', issued_at: 't.issued_at' })} end
        and (r.id is null or (r.enabled and case when t.resource_server_epoch is null
          then ${isAfter('t.issued_at', 'r.tokens_valid_after')} else t.resource_server_epoch = r.epoch end))`,
  ),
];

/**
 * Active credentials: one view per kind, `standing_*`, and epochs instead of times. Safe under a running older version: it reads and
 * writes the marks as before, its rows have no epoch and are judged by their time, and its revocations are counted here.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...columns, ...counters, ...views, 'set constraints all deferred'])
    await sql.raw(statement).execute(db);
}
