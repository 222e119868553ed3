import { type Kysely, sql } from 'kysely';

const statements = [
  // The id that a text names: in any case, with or without separators, braces or a "urn:uuid:" in front. Null: it names none.
  `create function identifier_as_id(identifier text) returns uuid language sql immutable parallel safe as $$
    select case when bare ~ '^(urnuuid|guid|uuid|id)?[0-9a-f]{32}$' then right(bare, 32)::uuid end
    from (select regexp_replace(lower(identifier), '[^0-9a-z]', '', 'g') as bare) t $$`,

  // Every identifier that looks like an id, whoever has it: the primary key decides between two that are given at once.
  // Rows stay: a subject identifier is never given to another subject (OpenID Connect Core §2).
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
  // The triggers come before what is there is read, so that nothing an older version inserts meanwhile is missed.
  `create trigger subjects_taken after insert on subjects for each row execute function subject_takes_its_id()`,
  `create trigger api_keys_taken after insert on api_keys for each row execute function api_key_takes_its_id()`,
  `create trigger clients_taken after insert on clients for each row execute function client_takes_its_client_id()`,
  `insert into taken_identifiers (id, kind) select id, kind from subjects`,
  `insert into taken_identifiers (id, kind) select id, 'api_key' from api_keys on conflict do nothing`,
  `insert into taken_identifiers (id, kind)
    select identifier_as_id(client_id), 'client_id' from clients where identifier_as_id(client_id) is not null
    on conflict do nothing`,
  `alter table clients drop constraint if exists clients_client_id_check`,

  // A username that looks like an id could be taken for another person's. Older versions are refused here; a username from
  // before stays, and is found by "username:" alone.
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

  // When the person last confirmed in this session that it is them. Apart from login_at, which decides whether the session
  // survives a password reset.
  `alter table sessions add column confirmed_at timestamptz`,
  // Since when a session answers to another id; nothing that is done with this one makes it last longer.
  `alter table session_ids add column retired_at timestamptz`,

  // An older version sets hash and updated_at alone: what it stores is of the password as it was typed.
  `alter table credentials add column normalized_at timestamptz`,
  `alter table credentials add column form text not null
    generated always as (case when normalized_at = updated_at then 'nfc' else 'as_typed' end) stored`,
];

/**
 * Whose an identifier is, which form of a password was hashed, and what ends copies of a session's cookie.
 * Safe under a running older version: it inserts as before, and triggers note what it takes.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
