import { type Kysely, sql } from 'kysely';

const statements = [
  // The source of a verified e-mail address: a used mailed link, an administrator, or an import.
  `alter table users
    add column email_verified_at timestamptz,
    add column email_verified_by text check (email_verified_by in ('link', 'administrator', 'import'))`,
  `update users set email_verified_at = updated_at, email_verified_by = 'administrator' where email_verified`,
  `alter table users add constraint users_email_verified_has_source check (
    email_verified = (email_verified_by is not null) and email_verified = (email_verified_at is not null)
    and (email is not null or not email_verified))`,
  // A changed address becomes unverified. A trigger does it, because nodes of an older version do not know the columns above.
  `create function email_address_has_changed() returns trigger language plpgsql as $$
    begin
      if new.email is null or new.email_verified_at is not distinct from old.email_verified_at then
        new.email_verified := false;
        new.email_verified_at := null;
        new.email_verified_by := null;
      end if;
      return new;
    end $$`,
  `create trigger users_changed_address before update of email on users
    for each row when (old.email is distinct from new.email) execute function email_address_has_changed()`,

  // The address that the link was mailed to. Using the link verifies only this address.
  `alter table password_links add column mailed_to text`,

  // The name of the role in the claim "groups".
  `alter table roles add column exported_as text check (length(exported_as) between 1 and 64)`,
  `create unique index roles_exported_as on roles (exported_as) where exported_as is not null`,

  `alter table clients add column claims_in_id_token boolean not null default true`,
  `create constraint trigger clients_id_token_claims_announced after update of claims_in_id_token on clients
    deferrable initially deferred for each row execute function client_has_changed()`,

  // Reported leaks of credentials that still work, by credential and place. A repeated report has no effect.
  `create table leak_reports (
    credential text not null,
    place bytea not null,
    is_told boolean not null,
    reported_at timestamptz not null default latchkey_now(),
    primary key (credential, place)
  )`,
  `create index leak_reports_time on leak_reports (reported_at)`,
];

/**
 * Adds verified addresses with their source, exported roles, the claims of ID tokens, and reported leaks.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
