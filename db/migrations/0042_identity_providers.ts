import { type Kysely, sql } from 'kysely';

const verifiers = ['link', 'administrator', 'import', 'provider'].map((by) => `'${by}'`).join(', ');

/** The condition for a sign-in with an identity provider: the account there is still linked, and the epoch of the trust is unchanged. */
const standsByProvider = (row: string) => `(${row}.identity_id is null or exists (
      select from standing_identities i join standing_trusts tr on tr.id = ${row}.trust_id and tr.epoch = ${row}.trust_epoch
      where i.id = ${row}.identity_id and i.user_id = ${row}.user_id))`;

const isAfter = (issued_at: string, mark: string) => `(${mark} is null or ${issued_at} > ${mark})`;
const columns = 'add column trust_id uuid, add column trust_epoch integer, add column identity_id uuid';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // How users sign in by a trust of the kind "login", and the secret of this installation at the provider.
  `alter table trusts add column login json, add column secret_key_id integer references server_keys,
    add column sealed_secret bytea`,
  `create index trusts_login on trusts (id) where kind = 'login'`,
  'alter table users drop constraint if exists users_email_verified_by_check',
  `alter table users add constraint users_email_verified_by_check check (email_verified_by in (${verifiers}))`,

  // Null: signed in without a provider. An older version does not write these columns. \`upstream_sid\`: the session there.
  `alter table sessions ${columns}, add column upstream_sid text`,
  `alter table grants ${columns}`,
  'create index sessions_identity on sessions (identity_id) where identity_id is not null',

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
    where g.revoked_at is null and ${standsByProvider('g')}`,
];

/** The present view with the columns above at its end. */
const sessionsView = (names: readonly string[]) => `create or replace view standing_sessions as
    select ${names.map((name) => (name === 'username' ? 'u.username' : `s.${name}`)).join(', ')},
      s.trust_id, s.trust_epoch, s.identity_id, s.upstream_sid
    from sessions s left join users u on u.id = s.user_id
    where s.revoked_at is null and (s.user_id is null or (u.enabled
      and case when s.user_epoch is null then ${isAfter('coalesce(s.signed_in_at, s.login_at)', 'u.tokens_valid_after')}
        else s.user_epoch = u.epoch and ${isAfter('coalesce(s.signed_in_at, s.login_at)', 'u.revoked_before')} end))
      and ${standsByProvider('s')}`;

/** Users sign in with identity providers. Safe under a running older version: its sessions have no trust. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
  const { rows } = await sql<{ name: string }>`select attname as name from pg_attribute
    where attrelid = 'standing_sessions'::regclass and attnum > 0 order by attnum`.execute(db);
  await sql.raw(sessionsView(rows.map(({ name }) => name))).execute(db);
}
