import { randomInt } from 'node:crypto';
import type { Trx } from '../../platform/database/index.ts';
import { anonymous, isSeen } from '../../platform/http/index.ts';
import { asId } from '../access/index.ts';
import { addIdentity } from '../identities/index.ts';
import { addUser, findUserByUsername } from '../users/index.ts';
import { isAuthoritative } from './addresses.ts';
import type { AccountDeps, Arrival } from './arrival.ts';

const longestName = 100;
const longestUsername = 40;

/** Creates an account for a user from a provider. Their address counts as verified if the provider is authoritative for it. */
export async function createAccount(
  deps: Pick<AccountDeps, 'now'>,
  trx: Trx,
  { trust, account, origin, email }: Arrival & { email: string | undefined },
): Promise<{ id: string; user_id: string }> {
  const { issuer, subject, claims } = account;
  const actor = anonymous(origin);
  const { user } = await addUser(deps, trx, actor, {
    username: await freeUsername(trx, [claims.preferred_username, email, claims.name]),
    email,
    email_verified: email !== undefined && isAuthoritative(trust, account, email),
    verified_by: 'provider',
    name: nameIn(claims.name),
    enabled: true,
  });
  return addIdentity(trx, actor, { user_id: user.id, issuer, subject, how: 'created', created_at: user.created_at });
}

function nameIn(claim: unknown): string | undefined {
  if (typeof claim !== 'string') return undefined;
  const name = claim.trim().slice(0, longestName);
  return isSeen(name) ? name : undefined;
}

/** A free username like one of these, with a number if needed. It is never an e-mail address, which belongs to the person who proves it. */
async function freeUsername(trx: Trx, wanted: readonly unknown[]): Promise<string> {
  const base = wanted.map(usernameIn).find((name) => name.length > 1) ?? 'user';
  const isFree = asId(base) === undefined && !(await findUserByUsername(trx, base));
  return isFree ? base : `${base}-${randomInt(10_000, 1_000_000_000)}`;
}

function usernameIn(claim: unknown): string {
  if (typeof claim !== 'string') return '';
  const [local = ''] = claim.normalize('NFKD').split('@');
  return local
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
    .slice(0, longestUsername);
}
