import { type Insertable, type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

export type VaultToken = Selectable<Database['vault_tokens']>;

export async function findVaultToken(db: Db, digest: Digest): Promise<VaultToken | undefined> {
  return db.selectFrom('vault_tokens').selectAll().where('digest', '=', digest).executeTakeFirst();
}

export async function insertVaultToken(db: Db, row: Insertable<Database['vault_tokens']>): Promise<VaultToken> {
  return db.insertInto('vault_tokens').values(row).returningAll().executeTakeFirstOrThrow();
}

/** Of renewals and a revocation the first to lock the token wins. @returns false: it is not active any more */
export async function extendAccessToken(trx: Trx, digest: Digest, expires_at: Date, now: Date): Promise<boolean> {
  const extended = await trx
    .updateTable('access_tokens')
    .set({ expires_at })
    .where('digest', '=', digest)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('digest')
    .executeTakeFirst();
  return extended !== undefined;
}

export type StandingToken = { expires_at: Date; trust_id: string | null; trust_epoch: number | null };

/** An active token; it cannot be revoked or shortened until the transaction ends. */
export async function holdStandingToken(trx: Trx, digest: Digest, now: Date): Promise<StandingToken | undefined> {
  const held = await trx.selectFrom('access_tokens').select('digest').where('digest', '=', digest).forShare().execute();
  return held.length === 0 ? undefined : findStandingToken(trx, digest, now);
}

export async function findStandingToken(db: Db, digest: Digest, now: Date): Promise<StandingToken | undefined> {
  const { rows } = await sql<StandingToken>`select expires_at, trust_id, trust_epoch from standing_access_tokens
    where digest = ${digest} and ends_at > ${now} and expires_at > ${now}`.execute(db);
  return rows[0];
}

/** A row is copied as it was judged: its owners at their epochs, so that whatever revokes it revokes the copy, too. */
const columns: Readonly<Record<keyof Database['access_tokens'], 'copied' | 'own'>> = {
  ...{ digest: 'own', scope: 'own', payload: 'own', expires_at: 'own', revoked_at: 'own', identity_scope: 'own' },
  ...{ grant_id: 'copied', family_id: 'copied', client_id: 'copied', user_id: 'copied', audience: 'copied' },
  ...{ api_key_id: 'copied', api_key_version: 'copied', api_key_epoch: 'copied', client_epoch: 'copied' },
  ...{ resource_server_epoch: 'copied', user_epoch: 'copied', identity_id: 'copied' },
  ...{ trust_id: 'copied', trust_epoch: 'copied' },
  // Tokens issued up to a time can be revoked: then those that were created from them, too.
  issued_at: 'copied',
};
const copied = sql.raw(
  Object.keys(columns)
    .filter((name) => columns[name as keyof typeof columns] === 'copied')
    .join(', '),
);

export type ParentToken = {
  audience: string | null;
  client: string;
  user_id: string | null;
  grant_id: string | null;
  payload: Record<string, unknown>;
  /** Its expiry, or that of its API key if this is earlier. */
  until: Date;
};

/** An active token that creates another one; it cannot be revoked or shortened until the transaction ends. */
export async function holdParent(trx: Trx, digest: Digest, now: Date): Promise<ParentToken | undefined> {
  const held = await trx.selectFrom('access_tokens').select('digest').where('digest', '=', digest).forShare().execute();
  if (held.length === 0) return undefined;
  const { rows } = await sql<ParentToken>`select audience, client, user_id, grant_id, payload,
      least(expires_at, ends_at) as until from standing_access_tokens
    where digest = ${digest} and ends_at > ${now} and expires_at > ${now}`.execute(trx);
  return rows[0];
}

export type ChildRow = { digest: Digest; scope: string; payload: object; expires_at: Date };

/** Stores a token with the owners of its parent, which the transaction holds. */
export async function insertChild(trx: Trx, parent: Digest, child: ChildRow): Promise<void> {
  const { digest, scope, payload, expires_at } = child;
  await sql`insert into access_tokens (${copied}, digest, scope, payload, expires_at)
    select ${copied}, ${digest}, ${scope}, ${JSON.stringify(payload)}::json, ${expires_at}
    from access_tokens where digest = ${parent}`.execute(trx);
}

export async function lockAccessToken(trx: Trx, digest: Digest): Promise<void> {
  await trx.selectFrom('access_tokens').select('digest').where('digest', '=', digest).forUpdate().execute();
}

export async function orphanChildren(trx: Trx, parent: Digest): Promise<void> {
  await trx.updateTable('vault_tokens').set({ parent: null }).where('parent', '=', parent).execute();
}

/** Uses one of the remaining uses. If several use the last one, one succeeds. @returns how many are left; undefined: none was */
export async function takeUse(db: Db, digest: Digest): Promise<number | undefined> {
  const { rows } = await sql<{ uses_left: number }>`update vault_tokens set uses_left = uses_left - 1
    where digest = ${digest} and uses_left > 0 returning uses_left`.execute(db);
  return rows[0]?.uses_left;
}

/** An active token, by its accessor, with its permissions. */
export type FoundByAccessor = {
  digest: Digest;
  /** The token that created it. */
  parent: Digest | null;
  /** Undefined: it was issued at the token endpoint. */
  noted: VaultToken | undefined;
  client: string;
  expires_at: Date;
  scope: string | null;
};

/** The accessor of a token that was issued at the token endpoint: its id in the inventory. */
export const accessorOf = (digest: Digest): string => digest.toString('hex');

/** @param audience only tokens for this API */
export async function findByAccessor(
  db: Db,
  accessor: string,
  { audience, now }: { audience: string; now: Date },
): Promise<FoundByAccessor | undefined> {
  const row = await db.selectFrom('vault_tokens').selectAll().where('accessor', '=', accessor).executeTakeFirst();
  const digest =
    row?.digest ?? (/^[0-9a-f]{64}$/.test(accessor) ? (Buffer.from(accessor, 'hex') as Digest) : undefined);
  if (!digest) return undefined;
  const noted = row ?? (await findVaultToken(db, digest));
  const { rows } = await sql<Pick<FoundByAccessor, 'client' | 'expires_at' | 'scope'>>`select client, expires_at, scope
    from standing_access_tokens where digest = ${digest} and audience = ${audience}
      and ends_at > ${now} and expires_at > ${now}`.execute(db);
  return rows[0] && { ...rows[0], digest, noted, parent: noted?.parent ?? null };
}

const mostAccessors = 10_000;

export async function listAccessors(db: Db, now: Date): Promise<string[]> {
  const { rows } = await sql<{ accessor: string }>`select v.accessor from vault_tokens v
    join access_tokens t on t.digest = v.digest where t.revoked_at is null and t.expires_at > ${now}
    order by v.created_at limit ${mostAccessors}`.execute(db);
  return rows.map(({ accessor }) => accessor);
}
