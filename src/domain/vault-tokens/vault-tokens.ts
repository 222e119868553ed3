import { randomBytes } from 'node:crypto';
import { type Digest, digest } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { revokeTokenByHandle } from '../tokens/index.ts';
import {
  extendAccessToken,
  type FoundByAccessor,
  findByAccessor,
  findStandingToken,
  findVaultToken,
  holdStandingToken,
  insertVaultToken,
  listAccessors,
  lockAccessToken,
  orphanChildren,
  type StandingToken,
  takeUse,
  type VaultToken,
} from './store.ts';

export type VaultTokenDeps = { db: Db; now: () => Date };

const accessorBytes = 18;
// No access token is valid for longer (docs/operations.md).
const mostSeconds = 24 * 3600;

/** The limits of a token, beside its expiry and its permissions. */
export type TokenLimits = {
  /** How often it can be used; undefined: no limit. */
  uses?: number | undefined;
  bound_cidrs?: readonly string[] | undefined;
  /** It cannot be renewed beyond this time after its creation. */
  most_seconds?: number | undefined;
  renewable?: boolean | undefined;
};

/** The stored data of a login, or of a token that another one created. */
export type Login = Pick<VaultToken, 'display_name' | 'path' | 'ttl_seconds'> & {
  metadata: Record<string, string>;
  limits?: TokenLimits;
  policies?: readonly string[];
};

/** Stores the data of an issued token that Vault's clients will request. */
export async function noteVaultToken({ db, now }: VaultTokenDeps, token: string, login: Login): Promise<VaultToken> {
  return inTransaction(db, (trx) => note(trx, digest(token), { ...login, created_at: now() }));
}

/** @param latest the time that a renewal cannot exceed; `parent`: the token that created it */
export async function note(
  trx: Trx,
  token: Digest,
  { latest, parent, created_at, ...login }: Login & { created_at: Date; parent?: Digest; latest?: Date },
): Promise<VaultToken> {
  const { display_name, path, ttl_seconds, metadata, policies, limits = {} } = login;
  const { uses, bound_cidrs, renewable = true, most_seconds } = limits;
  const own = new Date(created_at.getTime() + Math.min(mostSeconds, most_seconds || mostSeconds) * 1000);
  const ends_at = latest && latest < own ? latest : own;
  return insertVaultToken(trx, {
    ...{ digest: token, accessor: randomBytes(accessorBytes).toString('base64url'), created_at, ends_at },
    ...{ display_name, path, ttl_seconds, metadata: JSON.stringify(metadata), renewable },
    ...(parent && { parent }),
    ...(policies && { policies: JSON.stringify(policies) }),
    ...(bound_cidrs && { bound_cidrs: JSON.stringify(bound_cidrs) }),
    ...(uses && { uses, uses_left: uses }),
  });
}

/** The stored data of a token; undefined: it was issued at the token endpoint. */
export function describeVaultToken({ db }: Pick<VaultTokenDeps, 'db'>, token: string): Promise<VaultToken | undefined> {
  return findVaultToken(db, digest(token));
}

/** The expiry of an active token that creates another one, and its trust; undefined: it is not active. */
export function findParent({ db, now }: VaultTokenDeps, token: string): Promise<StandingToken | undefined> {
  return findStandingToken(db, digest(token), now());
}

/** Uses one of the uses of a token. @returns how many are left; undefined: none was */
export function takeTokenUse({ db }: Pick<VaultTokenDeps, 'db'>, token: string): Promise<number | undefined> {
  return takeUse(db, digest(token));
}

/**
 * Extends a token: by the requested time from now on, but to no more than a day in total, and no longer than its parent.
 *
 * @returns how many seconds it is valid from now on; undefined: it cannot be renewed, or has expired
 */
export async function renewVaultToken(
  { db, now }: VaultTokenDeps,
  actor: Actor,
  { token, seconds }: { token: Digest; seconds: number | undefined },
): Promise<{ noted: VaultToken; seconds: number } | undefined> {
  return inTransaction(db, async (trx) => {
    const noted = await findVaultToken(trx, token);
    if (!noted?.renewable) return undefined;
    const at = now();
    const parent = noted.parent && (await holdStandingToken(trx, noted.parent, at));
    if (noted.parent && !parent) return undefined;
    const wanted = at.getTime() + (seconds || noted.ttl_seconds) * 1000;
    const latest = Math.min(noted.ends_at.getTime(), parent ? parent.expires_at.getTime() : Number.POSITIVE_INFINITY);
    const expires_at = new Date(Math.min(wanted, latest));
    if (!(await extendAccessToken(trx, noted.digest, expires_at, at))) return undefined;
    const target = { kind: 'access_token', id: shortId(noted.digest) };
    await appendEvent(trx, { actor, action: 'access_token.renewed', target, details: { expires_at }, occurred_at: at });
    return { noted, seconds: Math.floor((expires_at.getTime() - at.getTime()) / 1000) };
  });
}

/** An active token for an API, by its accessor. */
export function findTokenByAccessor(
  { db, now }: VaultTokenDeps,
  { accessor, audience }: { accessor: string; audience: string },
): Promise<FoundByAccessor | undefined> {
  return findByAccessor(db, accessor, { audience, now: now() });
}

/** The accessors of the active tokens of logins, and of those that others created. */
export function listTokenAccessors({ db, now }: VaultTokenDeps): Promise<string[]> {
  return listAccessors(db, now());
}

/** Revokes a token, and those that it created. Repeating it changes nothing. */
export async function revokeVaultToken({ db, now }: VaultTokenDeps, actor: Actor, token: Digest): Promise<void> {
  await inTransaction(db, (trx) => revokeTokenByHandle(trx, actor, { access_token: token }, now()));
}

/** Revokes a token alone: those that it created have no parent from then on. */
export async function revokeAndOrphan({ db, now }: VaultTokenDeps, actor: Actor, token: Digest): Promise<void> {
  await inTransaction(db, async (trx) => {
    // A concurrent creation of a child locks the token, and sees that it was revoked.
    await lockAccessToken(trx, token);
    await orphanChildren(trx, token);
    await revokeTokenByHandle(trx, actor, { access_token: token }, now());
  });
}

const shortId = (of: Digest) => of.toString('hex').slice(0, 16);
