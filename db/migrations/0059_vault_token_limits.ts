import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // A token is revoked with its parent, however the parent ends.
  `alter table vault_tokens
    add column parent bytea,
    add column policies json,
    add column uses integer,
    add column uses_left integer,
    add column bound_cidrs json,
    add column renewable boolean not null default true`,
  'create index vault_tokens_parent on vault_tokens (parent) where parent is not null',
  `create function end_children_of_token() returns trigger language plpgsql as $$
    begin
      update access_tokens c set revoked_at = coalesce(c.revoked_at, new.revoked_at), expires_at = least(c.expires_at, new.expires_at)
        from vault_tokens v
        where v.parent = new.digest and c.digest = v.digest
          and (c.expires_at > new.expires_at or (new.revoked_at is not null and c.revoked_at is null));
      return null;
    end $$`,
  `create trigger access_tokens_end_children after update of revoked_at, expires_at on access_tokens for each row
    when (new.revoked_at is distinct from old.revoked_at or new.expires_at < old.expires_at)
    execute function end_children_of_token()`,
];

/** Child tokens of Vault's clients, and their limits. Safe under a running older version, which creates none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
