import { type RawBuilder, sql } from 'kysely';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

/** What was ended, and whose: `id` is the family's, or the first bytes of the digest; neither opens anything. */
type Ended = { id: string; client_id: string };

const shortId = (digest: Digest) => digest.toString('hex').slice(0, 16);

export async function endAccessToken(trx: Trx, digest: Digest, revoked_at: Date): Promise<Ended | undefined> {
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

export async function endJwtAccessToken(trx: Trx, jti: string, revoked_at: Date): Promise<Ended | undefined> {
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

export async function endFamily(trx: Trx, handle: Digest, revoked_at: Date): Promise<Ended | undefined> {
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

/**
 * The one definition of which access tokens stand, for introspection, for Latchkey's own API and for status lists: text to put
 * into statements, over `t` (a row of `access_tokens` or `jwt_access_tokens`) with `$2` as the time. These are its joins: the
 * client `c`, the grant `g` while it lives, the family `f`, the resource server `r`.
 */
export const accessTokenOwners = `left join clients c on c.id = t.client_id
    left join standing_grants g on ${grantLives('t.issued_at')}
    left join refresh_families f on f.id = t.family_id
    left join resource_servers r on r.identifier = t.audience`;

/**
 * Whether a text of an API key carries what is got for it: it still works, and whatever ended what was got for it, or for its
 * owner, was before.
 */
export function keyCarries({ id, number, issued_at }: { id: string; number: string; issued_at: string }): string {
  return `exists (select from standing_api_keys k where k.id = ${id} and k.number = ${number} and k.ends_at > $2
    and ${isAfterMark(issued_at, 'k')})`;
}

const ofToken = { id: 't.api_key_id', number: 't.api_key_version', issued_at: 't.issued_at' };
const carried = `(t.api_key_id is null or ${keyCarries(ofToken)})`;

/** Whether nothing but its expiry ends access token `t`; null where an owner is gone, which also means no. */
export const accessTokenStands = `t.revoked_at is null and c.enabled and ${isAfterMark('t.issued_at', 'c')}
    and (t.grant_id is null or g.id is not null) and f.revoked_at is null
    and ${carried}
    and (r.id is null or (r.enabled and ${isAfterMark('t.issued_at', 'r')}))`;

/** When grant `g` carries a credential `t`: it stands, and whatever ended its owner's earlier credentials was before this one. */
export function grantLives(issued_at: string): string {
  return `g.id = t.grant_id and g.ends_at > $2 and ${isAfterMark(issued_at, 'g')}`;
}

/** Whether access token `t` was got for no API key, or for one that carries it. */
export function isCarriedByKey(now: Date): RawBuilder<boolean> {
  const parts = carried.split('$2').map((part) => sql.raw(part));
  return sql`${sql.join(parts, sql`${now}::timestamptz`)}`;
}

function isAfterMark(issued_at: string, owner: 'c' | 'g' | 'k' | 'r'): string {
  return `(${owner}.tokens_valid_after is null or ${issued_at} > ${owner}.tokens_valid_after)`;
}

export type LiveTokens = { refresh_families: number; access_tokens: number };

/** How many credentials are alive of one client, person or resource server (its identifier): what would die with it. */
export async function countLiveTokens(
  db: Db,
  of: { client_id: string } | { user_id: string } | { audience: string },
  now: Date,
): Promise<LiveTokens> {
  const [[column, value] = ['client_id', '']] = Object.entries(of);
  const same = sql`${sql.ref(`t.${column}`)} = ${value}`;
  const live = (table: 'access_tokens' | 'jwt_access_tokens') =>
    sql`(select count(*)::int from ${sql.table(table)} t left join standing_grants g on g.id = t.grant_id
      where ${same} and t.revoked_at is null and t.expires_at > ${now} and (t.grant_id is null or g.ends_at > ${now})
        and ${isCarriedByKey(now)})`;
  const families =
    column === 'audience'
      ? sql`0`
      : sql`(select count(*)::int from refresh_families t join standing_grants g on g.id = t.grant_id and g.ends_at > ${now}
        where ${same} and t.revoked_at is null and t.digest is not null and t.expires_at > ${now})`;
  const { rows } = await sql<LiveTokens>`
    select ${families} as refresh_families, ${live('access_tokens')} + ${live('jwt_access_tokens')} as access_tokens`.execute(
    db,
  );
  return rows[0] ?? { refresh_families: 0, access_tokens: 0 };
}
