import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // A list is sorted by one column with an index; the usage of a client is a row a day.
  'alter table clients add column last_used_at timestamptz',
  // No cached value changes, so nothing must be announced.
  'alter table clients disable trigger user',
  'update clients c set last_used_at = u.at from (select client_id, max(last_used_at) as at from client_usage group by 1) u where u.client_id = c.id',
  'alter table clients enable trigger user',
  `create index clients_by_last_use on clients ((coalesce(last_used_at, '-infinity'::timestamptz)), id)`,

  // The time of the last use is not cached; it is written separately for every client in use.
  'drop trigger clients_known_announced on clients',
  `create constraint trigger clients_known_announced after update on clients deferrable initially deferred
    for each row when (old.last_used_at is not distinct from new.last_used_at) execute function client_has_changed()`,
  `create constraint trigger clients_gone_announced after delete on clients
    deferrable initially deferred for each row execute function client_has_changed()`,
];

/** When each client was last used, for sorting the list of clients. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
