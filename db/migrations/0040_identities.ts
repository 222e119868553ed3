import { type Kysely, sql } from 'kysely';

const tokenTables = ['access_tokens', 'jwt_access_tokens'];

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',

  // Accounts of users at foreign issuers. Each belongs to one user here.
  `create table identities (
    id uuid primary key,
    user_id uuid not null references users,
    issuer text not null,
    subject text not null,
    created_at timestamptz not null,
    constraint identities_account unique (issuer, subject)
  )`,
  'create index identities_user on identities (user_id)',

  // Null: not issued for an assertion about a user. An older version does not write these columns.
  ...tokenTables.map(
    (table) =>
      `alter table ${table} add column identity_id uuid, add column trust_id uuid, add column trust_epoch integer,
        add column user_epoch integer`,
  ),

  // Active identities: the user is enabled, and linked.
  `create view standing_identities as
    select i.id, i.user_id, i.issuer, i.subject, i.created_at, u.username, u.epoch as user_epoch, u.revoked_before
    from identities i join users u on u.id = i.user_id and u.enabled`,
  'create view standing_trusts as select id, name, kind, issuer, permissions, epoch from trusts where enabled',
];

// For an assertion about a user: active while the link, the epoch of the trust and the epoch of the user are unchanged.
const byAssertion = `case when t.identity_id is null then 'infinity' else coalesce((
          select 'infinity'::timestamptz from standing_identities i join standing_trusts tr on tr.issuer = i.issuer
          where i.id = t.identity_id and i.user_id = t.user_id and i.user_epoch = t.user_epoch
            and (i.revoked_before is null or t.issued_at > i.revoked_before)
            and tr.id = t.trust_id and tr.epoch = t.trust_epoch), '-infinity') end`;

const isAfter = (issued_at: string, mark: string) => `(${mark} is null or ${issued_at} > ${mark})`;

/** Whether the `epoch` of a token is still that of its owner; a row of an older version is judged by its time (migration 0025). */
const isOf = (owner: string, epoch: string, mark = 'tokens_valid_after') =>
  `case when ${epoch} is null then ${isAfter('t.issued_at', `${owner}.${mark}`)}
    else ${epoch} = ${owner}.epoch and ${isAfter('t.issued_at', `${owner}.revoked_before`)} end`;

/** Active access tokens, as before, and by the assertion that they were issued for. Columns are added at the end, so that readers work. */
const standing = (table: string, columns: readonly string[]) => `create or replace view standing_${table} as
    select ${columns.map((column) => `t.${column}`).join(', ')}, c.client_id as client, g.consent_id, g.session_uid, g.offline,
      g.payload as grant_payload,
      least(g.ends_at, ${byAssertion}, case when t.api_key_id is null then 'infinity' else coalesce((
          select k.ends_at from standing_api_keys k where k.id = t.api_key_id and k.number = t.api_key_version
            and ${isOf('k', 't.api_key_epoch')}), '-infinity') end) as ends_at,
      t.identity_id, t.trust_id, t.trust_epoch, t.user_epoch
    from ${table} t
      join clients c on c.id = t.client_id and c.enabled
      left join standing_grants g on g.id = t.grant_id and ${isAfter('t.issued_at', 'g.tokens_valid_after')}
      left join refresh_families f on f.id = t.family_id
      left join resource_servers r on r.identifier = t.audience
    where t.revoked_at is null and f.revoked_at is null
      and case when t.grant_id is not null then g.id is not null else ${isOf('c', 't.client_epoch')} end
      and (r.id is null or (r.enabled and case when t.resource_server_epoch is null
        then ${isAfter('t.issued_at', 'r.tokens_valid_after')} else t.resource_server_epoch = r.epoch end))`;

/** The columns that a view has of its table. */
async function columnsOf(db: Kysely<unknown>, table: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select attname as name from pg_attribute
    where attrelid = ${`standing_${table}`}::regclass and attnum > 0 order by attnum`.execute(db);
  const names = rows.map(({ name }) => name);
  return names.slice(0, names.indexOf('client'));
}

/**
 * Accounts of users at foreign issuers, and the tokens that are issued for assertions about them. Safe under a running older version: it
 * links no users, and its tokens have no identity.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
  for (const table of tokenTables) await sql.raw(standing(table, await columnsOf(db, table))).execute(db);
  await sql.raw('set constraints all deferred').execute(db);
}
