import { type Kysely, sql } from 'kysely';

const statements = [
  // Versions before this one signed with ES256 for a client that names no algorithm. This version stores RS256 with each client
  // it registers (OpenID Connect Registration §2), so a row without the member is from such a version: also one that an older
  // node writes during a rolling upgrade.
  `create function client_signing_algorithms() returns trigger language plpgsql as $$
    declare
      missing json := json_build_object('id_token_signed_response_alg', 'ES256', 'authorization_signed_response_alg', 'ES256');
    begin
      select json_object_agg(key, value) into new.metadata from (
        select key, value from json_each(new.metadata)
        union all
        select key, value from json_each(missing) where new.metadata -> key is null
      ) members;
      return new;
    end $$`,
  `create trigger clients_signing_algorithms before insert or update of metadata on clients
    for each row
    when (new.metadata -> 'id_token_signed_response_alg' is null
      or new.metadata -> 'authorization_signed_response_alg' is null)
    execute function client_signing_algorithms()`,
  `update clients set metadata = metadata`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
