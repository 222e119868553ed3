import { type RawBuilder, sql } from 'kysely';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

/** A revoked token and its client: `id` is that of the family, or the first bytes of the digest; neither grants access. */
type Ended = { id: string; client_id: string };

const shortId = (digest: Digest) => digest.toString('hex').slice(0, 16);

export async function revokeOpaqueToken(trx: Trx, digest: Digest, revoked_at: Date): Promise<Ended | undefined> {
  const ended = await trx
    .updateTable('access_tokens as t')
    .set({ revoked_at })
    .from('clients as c')
    .whereRef('c.id', '=', 't.client_id')
    .where('t.digest', '=', digest)
    .where('t.revoked_at', 'is', null)
    .returning('c.client_id')
    .executeTakeFirst();
  return ended && { id: shortId(digest), ...ended };
}

export async function revokeJwtAccessToken(trx: Trx, jti: string, revoked_at: Date): Promise<Ended | undefined> {
  return trx
    .updateTable('jwt_access_tokens as t')
    .set({ revoked_at })
    .from('clients as c')
    .whereRef('c.id', '=', 't.client_id')
    .where('t.jti', '=', jti)
    .where('t.revoked_at', 'is', null)
    .returning(['t.jti as id', 'c.client_id'])
    .executeTakeFirst();
}

export async function revokeFamily(trx: Trx, handle: Digest, revoked_at: Date): Promise<Ended | undefined> {
  return trx
    .updateTable('refresh_families as t')
    .set({ revoked_at, revoked_for: 'revoked' })
    .from('clients as c')
    .whereRef('c.id', '=', 't.client_id')
    .where('t.handle_digest', '=', handle)
    .where('t.revoked_at', 'is', null)
    .returning(['t.id', 'c.client_id'])
    .executeTakeFirst();
}

/** The id of the family with a handle. */
export async function findFamilyOf(db: Db, handle: Digest): Promise<string | undefined> {
  const found = await db
    .selectFrom('refresh_families')
    .select('id')
    .where('handle_digest', '=', handle)
    .executeTakeFirst();
  return found?.id;
}

/** The name of the API key that an access token was exchanged for; undefined: it was not. */
export async function findKeyOfToken(
  db: Db,
  handle: { access_token: Digest } | { jti: string },
): Promise<string | undefined> {
  const { rows } = await ('jti' in handle
    ? sql<{ name: string }>`select k.name from jwt_access_tokens t join api_keys k on k.id = t.api_key_id
        where t.jti = ${handle.jti}`
    : sql<{ name: string }>`select k.name from access_tokens t join api_keys k on k.id = t.api_key_id
        where t.digest = ${handle.access_token}`
  ).execute(db);
  return rows[0]?.name;
}

/** The handle of a family by its id; undefined also for an invalid id. */
export async function findFamilyHandle(db: Db, id: string): Promise<Digest | undefined> {
  const { rows } = await sql<{ handle: Digest | null }>`
    select handle_digest as handle from refresh_families where id = identifier_as_id(${id})`.execute(db);
  return rows[0]?.handle ?? undefined;
}

/** Revokes families of refresh tokens, with their access tokens. @returns how many were active */
export async function revokeFamilies(
  trx: Trx,
  ids: readonly string[],
  { revoked_at, revoked_for }: { revoked_at: Date; revoked_for: string },
): Promise<number> {
  const { numAffectedRows = 0n } =
    await sql`update refresh_families set revoked_at = ${revoked_at}, revoked_for = ${revoked_for}
    where id = any(${ids}::uuid[]) and revoked_at is null`.execute(trx);
  return Number(numAffectedRows);
}

/** Revokes an access token by the id in its event: the `jti` of a JWT, or the first bytes of the digest. @returns how many */
export async function revokeTokenByShortId(trx: Trx, id: string, revoked_at: Date): Promise<number> {
  const jwts = await sql`update jwt_access_tokens set revoked_at = ${revoked_at}
    where jti = ${id} and revoked_at is null`.execute(trx);
  if (!/^[0-9a-f]{16}$/.test(id)) return Number(jwts.numAffectedRows ?? 0n);
  const [first, last] = [id.padEnd(64, '0'), id.padEnd(64, 'f')];
  const opaque = await sql`update access_tokens set revoked_at = ${revoked_at}
    where digest between decode(${first}, 'hex') and decode(${last}, 'hex') and revoked_at is null`.execute(trx);
  return Number(jwts.numAffectedRows ?? 0n) + Number(opaque.numAffectedRows ?? 0n);
}

/** Revokes every known JWT access token. @returns how many were active */
export async function revokeJwtAccessTokens(trx: Trx, revoked_at: Date): Promise<number> {
  const { numAffectedRows = 0n } =
    await sql`update jwt_access_tokens set revoked_at = ${revoked_at} where revoked_at is null`.execute(trx);
  return Number(numAffectedRows);
}

export type LiveTokens = { refresh_families: number; access_tokens: number };

/** The credentials in question: conditions on a refresh family `f` and an access token `t`. */
export type Meant = { family: RawBuilder<boolean>; token: RawBuilder<boolean> };

const tokenColumns = sql.raw(
  'grant_id, family_id, client_id, user_id, api_key_id, audience, consent_id, session_uid, offline, issued_at, expires_at, ends_at',
);

/** The number of active refresh families and access tokens (opaque and JWT). */
export async function countLive(db: Db, { family, token }: Meant, now: Date): Promise<LiveTokens> {
  const { rows } = await sql<LiveTokens>`select
    (select count(*)::int from standing_refresh_families f
      where ${family} and f.ends_at > ${now} and f.expires_at > ${now} and f.absolute_expires_at > ${now}) as refresh_families,
    (select count(*)::int from (
      select digest, null as jti, ${tokenColumns} from standing_access_tokens
      union all
      select null, jti, ${tokenColumns} from standing_jwt_access_tokens) t
      where ${token} and t.ends_at > ${now} and t.expires_at > ${now}) as access_tokens`.execute(db);
  return rows[0] ?? { refresh_families: 0, access_tokens: 0 };
}

/** A client or user that tokens are issued to, or the identifier of a resource server. */
export type TokenOwner = { client_id: string } | { user_id: string } | { audience: string };

/** The credentials of an owner. */
export function ownedBy(owner: TokenOwner): Meant {
  if ('audience' in owner) return { family: sql`false`, token: sql`t.audience = ${owner.audience}` };
  const [column, id] = 'client_id' in owner ? ['client_id', owner.client_id] : ['user_id', owner.user_id];
  return { family: sql`${sql.ref(`f.${column}`)} = ${id}`, token: sql`${sql.ref(`t.${column}`)} = ${id}` };
}

/** The number of active credentials of a client, user or resource server. */
export async function countLiveTokens(db: Db, owner: TokenOwner, now: Date): Promise<LiveTokens> {
  return countLive(db, ownedBy(owner), now);
}
