import { type Kysely, sql } from 'kysely';

const statements = [
  // Reads an id from a text: upper or lower case, with or without separators, braces or the prefix "urn:uuid:". Null means that the
  // text is no id.
  `create function identifier_as_id(identifier text) returns uuid language sql immutable parallel safe as $$
    select case when bare ~ '^(urnuuid|guid|uuid|id)?[0-9a-f]{32}$' then right(bare, 32)::uuid end
    from (select regexp_replace(lower(identifier), '[^0-9a-z]', '', 'g') as bare) t $$`,

  // Every identifier that looks like an id, of users, clients and API keys. The primary key decides between two concurrent inserts.
  // Rows are never deleted: a subject identifier must not be reassigned (OpenID Connect Core §2).
  `create table taken_identifiers (
    id uuid primary key,
    kind text not null check (kind in ('user', 'client', 'api_key', 'client_id'))
  )`,
  `create function subject_takes_its_id() returns trigger language plpgsql as $$
    begin insert into taken_identifiers (id, kind) values (new.id, new.kind); return null; end $$`,
  `create function api_key_takes_its_id() returns trigger language plpgsql as $$
    begin insert into taken_identifiers (id, kind) values (new.id, 'api_key'); return null; end $$`,
  `create function client_takes_its_client_id() returns trigger language plpgsql as $$
    begin
      insert into taken_identifiers (id, kind)
        select named, 'client_id' from identifier_as_id(new.client_id) named where named is not null;
      return null;
    end $$`,
  // The triggers are created before the existing rows are read, so that rows which an older version inserts meanwhile are not missed.
  `create trigger subjects_taken after insert on subjects for each row execute function subject_takes_its_id()`,
  `create trigger api_keys_taken after insert on api_keys for each row execute function api_key_takes_its_id()`,
  `create trigger clients_taken after insert on clients for each row execute function client_takes_its_client_id()`,
  `insert into taken_identifiers (id, kind) select id, kind from subjects`,
  `insert into taken_identifiers (id, kind) select id, 'api_key' from api_keys on conflict do nothing`,
  `insert into taken_identifiers (id, kind)
    select identifier_as_id(client_id), 'client_id' from clients where identifier_as_id(client_id) is not null
    on conflict do nothing`,
  `alter table clients drop constraint if exists clients_client_id_check`,

  // A username that looks like an id could be mistaken for another user's id. The trigger also refuses inserts by older versions.
  // Existing usernames stay and are found only by "username:".
  `create function username_is_no_id() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and new.username = old.username then return new; end if;
      if identifier_as_id(new.username) is not null then
        raise exception 'a username must not look like an id'
          using errcode = 'check_violation', constraint = 'users_username_is_no_id';
      end if;
      return new;
    end $$`,
  `create trigger users_username_is_no_id before insert or update of username on users
    for each row execute function username_is_no_id()`,

  // Time of the last step-up in this session. It is separate from login_at, which decides whether the session survives a
  // password reset.
  `alter table sessions add column confirmed_at timestamptz`,
  // Time at which the session got another id. Requests with a retired id do not extend the session.
  `alter table session_ids add column retired_at timestamptz`,

  // An older version sets only hash and updated_at: its hash is that of the password as it was typed.
  `alter table credentials add column normalized_at timestamptz`,
  `alter table credentials add column form text not null
    generated always as (case when normalized_at = updated_at then 'nfc' else 'as_typed' end) stored`,
];

/**
 * Adds the owner of each identifier, the form of each hashed password, and the retirement of session ids.
 * Safe under a running older version: it inserts as before, and triggers record the identifiers.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
