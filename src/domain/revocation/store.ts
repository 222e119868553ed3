import { type RawBuilder, sql } from 'kysely';
import type { Db, Trx } from '../../platform/database/index.ts';
import { type KeyScope, liveKeysIn } from '../api-keys/index.ts';
import { isCarriedByKey, type TokenHandle } from '../tokens/index.ts';

/** Live credentials by kind, keys aside. */
export type LiveTokens = { sessions: number; refresh_families: number; access_tokens: number };

/** Somebody or something that tokens belong to; `id` as people name it, `row` as the table does. */
export type Owner = { kind: 'user' | 'client' | 'resource_server'; id: string; row: string };

/** What a handle was found to mean. */
export type Scope =
  | { token: TokenHandle }
  | { grant: string }
  | { session: string }
  | { owner: Owner }
  | { before: Date }
  /** What was got for these keys. */
  | { keys: KeyScope };

type Condition = RawBuilder<boolean>;
const none: Condition = sql`false`;

/** Which sessions, families and access tokens are meant, as conditions on `s`, `f` and `t`. */
function conditions(scope: Scope, now: Date): { session: Condition; family: Condition; token: Condition } {
  if ('grant' in scope)
    return { session: none, family: sql`f.grant_id = ${scope.grant}`, token: sql`t.grant_id = ${scope.grant}` };
  if ('session' in scope) return ofSession(scope.session);
  if ('keys' in scope)
    return { session: none, family: none, token: sql`t.api_key_id in ${liveKeysIn(scope.keys, now)}` };
  if ('before' in scope) {
    const { before } = scope;
    return {
      session: sql`s.login_at <= ${before}`,
      family: sql`f.issued_at <= ${before}`,
      token: sql`t.issued_at <= ${before}`,
    };
  }
  return 'owner' in scope ? ofOwner(scope.owner) : ofToken(scope.token);
}

/** Lasting grants outlive their session. */
function ofSession(uid: string) {
  const grants = sql`(select id from grants where session_uid = ${uid} and not offline)`;
  return {
    session: sql<boolean>`s.uid = ${uid}`,
    family: sql<boolean>`f.grant_id in ${grants}`,
    token: sql<boolean>`t.grant_id in ${grants}`,
  };
}

function ofOwner({ kind, row }: Owner) {
  if (kind === 'resource_server') return { session: none, family: none, token: sql<boolean>`t.audience = ${row}` };
  const column = sql.ref(kind === 'user' ? 'user_id' : 'client_id');
  const session: Condition = kind === 'user' ? sql`s.user_id = ${row}` : none;
  return { session, family: sql<boolean>`f.${column} = ${row}`, token: sql<boolean>`t.${column} = ${row}` };
}

function ofToken(handle: TokenHandle) {
  if ('jti' in handle) return { session: none, family: none, token: sql<boolean>`t.jti = ${handle.jti}` };
  if ('access_token' in handle)
    return { session: none, family: none, token: sql<boolean>`t.digest = ${handle.access_token}` };
  const { family } = handle;
  const ofFamily = sql<boolean>`t.family_id = (select id from refresh_families where handle_digest = ${family})`;
  return { session: none, family: sql<boolean>`f.handle_digest = ${family}`, token: ofFamily };
}

const columns =
  sql.raw(`grant_id, family_id, client_id, user_id, api_key_id, api_key_version, audience, issued_at, expires_at,
  revoked_at`);

/** How much of it is alive. */
export async function countLive(db: Db, scope: Scope, now: Date): Promise<LiveTokens> {
  const { session, family, token } = conditions(scope, now);
  const { rows } = await sql<LiveTokens>`select
    (select count(*)::int from sessions s where ${session} and s.user_id is not null and s.revoked_at is null and s.expires_at > ${now})
      as sessions,
    (select count(*)::int from refresh_families f join standing_grants g on g.id = f.grant_id and g.ends_at > ${now}
      where ${family} and f.revoked_at is null and f.digest is not null and f.expires_at > ${now}) as refresh_families,
    (select count(*)::int from (
      select digest, null as jti, ${columns} from access_tokens
      union all
      select null, jti, ${columns} from jwt_access_tokens) t
      left join standing_grants g on g.id = t.grant_id
      where ${token} and t.revoked_at is null and t.expires_at > ${now} and (t.grant_id is null or g.ends_at > ${now})
        and ${isCarriedByKey(now)})
      as access_tokens`.execute(db);
  return rows[0] ?? { sessions: 0, refresh_families: 0, access_tokens: 0 };
}

/** What an owner got until then is dead, whoever looks. */
export async function markOwner(trx: Trx, { kind, row }: Owner, at: Date): Promise<void> {
  const marked = { tokens_valid_after: sql<Date>`greatest(tokens_valid_after, ${at})` };
  if (kind === 'user') await trx.updateTable('users').set(marked).where('id', '=', row).execute();
  else if (kind === 'client') await trx.updateTable('clients').set(marked).where('id', '=', row).execute();
  else await trx.updateTable('resource_servers').set(marked).where('identifier', '=', row).execute();
}

/** Clients before people, as token commits lock them. */
export async function markAllOwners(trx: Trx, before: Date): Promise<void> {
  for (const table of ['clients', 'users'] as const) {
    const marked = sql<Date>`greatest(tokens_valid_after, ${before})`;
    await trx.updateTable(table).set({ tokens_valid_after: marked }).execute();
  }
}
