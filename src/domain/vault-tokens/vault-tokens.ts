import { randomBytes } from 'node:crypto';
import { type Digest, digest } from '../../platform/crypto/index.ts';
import { type Db, inTransaction } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { extendAccessToken, findVaultToken, insertVaultToken, type VaultToken } from './store.ts';

export type { VaultToken } from './store.ts';

export type VaultTokenDeps = { db: Db; now: () => Date };

const accessorBytes = 18;
// No access token lasts longer (docs/operations.md).
const mostSeconds = 24 * 3600;

/** What is noted of a login. */
export type Login = Pick<VaultToken, 'display_name' | 'path' | 'ttl_seconds'> & { metadata: Record<string, string> };

/** Notes what Vault's clients will ask of a token that was issued. */
export async function noteVaultToken({ db, now }: VaultTokenDeps, token: string, login: Login): Promise<VaultToken> {
  const created_at = now();
  const row = {
    ...{ digest: digest(token), accessor: randomBytes(accessorBytes).toString('base64url'), created_at },
    ...{ ...login, ends_at: new Date(created_at.getTime() + mostSeconds * 1000) },
  };
  await insertVaultToken(db, { ...row, metadata: JSON.stringify(login.metadata) });
  return row;
}

/** What was noted of a token; undefined: it was issued at the token endpoint. */
export function describeVaultToken({ db }: Pick<VaultTokenDeps, 'db'>, token: string): Promise<VaultToken | undefined> {
  return findVaultToken(db, digest(token));
}

/**
 * Lets a token last longer: as long as is asked from now on, but no longer than a day in all.
 *
 * @returns how many seconds it lasts from now on; undefined: it cannot be renewed, or has ended
 */
export async function renewVaultToken(
  { db, now }: VaultTokenDeps,
  actor: Actor,
  { token, seconds }: { token: string; seconds: number | undefined },
): Promise<{ noted: VaultToken; seconds: number } | undefined> {
  return inTransaction(db, async (trx) => {
    const noted = await findVaultToken(trx, digest(token));
    if (!noted) return undefined;
    const at = now();
    const wanted = at.getTime() + (seconds || noted.ttl_seconds) * 1000;
    const expires_at = new Date(Math.min(wanted, noted.ends_at.getTime()));
    if (!(await extendAccessToken(trx, noted.digest, expires_at, at))) return undefined;
    const target = { kind: 'access_token', id: shortId(noted.digest) };
    await appendEvent(trx, { actor, action: 'access_token.renewed', target, details: { expires_at }, occurred_at: at });
    return { noted, seconds: Math.floor((expires_at.getTime() - at.getTime()) / 1000) };
  });
}

const shortId = (of: Digest) => of.toString('hex').slice(0, 16);
