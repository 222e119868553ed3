import { type Kysely, sql } from 'kysely';

// The columns of a client that a token request needs (`ClientRecord`), and no others: marks such as `tokens_valid_after` are
// judged in the database.
const known = 'client_id, type, metadata, resources, service_permissions, introspects, lifetimes, first_party, enabled';

const statements = [
  // Nodes cache clients with their secrets: every write to these is announced to all nodes.
  `create function client_has_changed() returns trigger language plpgsql as $$
    begin perform announce_change('client', old.client_id); return null; end $$`,
  `create constraint trigger clients_known_announced after update of ${known} or delete on clients
    deferrable initially deferred for each row execute function client_has_changed()`,
  `create function client_secret_has_changed() returns trigger language plpgsql as $$
    begin
      perform announce_change('client', c.client_id) from clients c
        where c.id = case when tg_op = 'DELETE' then old.client_id else new.client_id end;
      return null;
    end $$`,
  `create constraint trigger client_secrets_announced after insert or update or delete on client_secrets
    deferrable initially deferred for each row execute function client_secret_has_changed()`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
