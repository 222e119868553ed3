import type { Db, Trx } from '../../platform/database/index.ts';
import { inTransaction } from '../../platform/database/index.ts';
import { anonymous, type Origin, Problem } from '../../platform/http/index.ts';
import { holdsInAreas } from '../access/index.ts';
import { methodsOf } from '../assurance/index.ts';
import { addIdentity, findIdentity } from '../identities/index.ts';
import { findUser, findUserById, lockUserById, notify, type User } from '../users/index.ts';
import { isAuthoritative, mayHaveAccount, verifiedEmail } from './addresses.ts';
import type { AccountDeps, Arrival } from './arrival.ts';
import type { LoginTrust } from './connections.ts';
import { createAccount } from './new-accounts.ts';
import { followRoleMappings } from './role-mappings.ts';

/** What a session stores about the provider that its user signed in with. */
export type ProviderSession = {
  trust_id: string;
  trust_epoch: number;
  identity_id: string;
  upstream_sid: string | null;
  /** When the user authenticated at the provider; null: it does not say. */
  proven_at: Date | null;
};

type Entered = {
  kind: 'ok';
  user: User;
  user_epoch: number;
  authenticated_at: Date;
  amr: string[];
  provider: ProviderSession;
};

/** Why a user from a provider is not signed in, as the audit log records it. */
const reasons = {
  no_account: 'no account is connected',
  disabled: 'the account is disabled',
  administrator: 'the trust is not for administrators',
  connect: 'there is an account with this address',
} as const;

/** `connect`: there is an account with this address; its user must sign in to it first. */
export type ProviderOutcome =
  | Entered
  | { kind: 'connect'; user_id: string; email: string }
  | { kind: Exclude<keyof typeof reasons, 'connect'> };

/**
 * Signs in the user who is linked to the account at a provider, never one who merely has the same address. Without a linked user, the
 * policy of the trust decides whether one is connected or created. A refusal is recorded here, a success with the session.
 */
export async function enterByProvider(deps: AccountDeps, arrival: Arrival): Promise<ProviderOutcome> {
  const entering = () => inTransaction(deps.db, (trx) => enter(deps, trx, arrival));
  // Of two concurrent responses about one new account, the second finds the account that the first created.
  const outcome = await entering().catch((error: unknown) => {
    if (error instanceof Problem && error.type === 'conflict') return entering();
    throw error;
  });
  if (outcome.kind !== 'ok') await recordRefusal(deps, arrival, reasons[outcome.kind]);
  return outcome;
}

async function enter(deps: AccountDeps, trx: Trx, arrival: Arrival): Promise<ProviderOutcome> {
  const { trust, account } = arrival;
  const identity = await findIdentity(trx, account);
  if (identity) return admit(deps, trx, arrival, identity);
  const email = verifiedEmail(trust, account);
  const known = email === undefined ? undefined : await findUser(trx, `email:${email}`);
  const user = known && (await lockUserById(trx, known.id));
  if (user?.email && user.email === known?.email)
    return connectAlone(deps, trx, arrival, { ...user, email: user.email });
  if (!mayHaveAccount(trust, email)) return { kind: 'no_account' };
  return admit(deps, trx, arrival, await createAccount(deps, trx, { ...arrival, email }));
}

/**
 * Connects an account without asking: only if our own link proved the address, the provider is authoritative for it, and the user is no
 * administrator.
 */
async function connectAlone(
  deps: AccountDeps,
  trx: Trx,
  arrival: Arrival,
  user: User & { email: string },
): Promise<ProviderOutcome> {
  const { trust, account, origin } = arrival;
  const isProven =
    user.email_verified && user.email_verified_by === 'link' && isAuthoritative(trust, account, user.email);
  const now = deps.now();
  if (!user.enabled || !isProven || (await administers(trx, user.id, now)))
    return { kind: 'connect', user_id: user.id, email: user.email };
  const { issuer, subject } = account;
  const linked = { user_id: user.id, issuer, subject, how: 'automatic', created_at: now } as const;
  const identity = await addIdentity(trx, anonymous(origin), linked);
  await notify(deps, trx, user, { about: 'identity_linked', at: now });
  return admit(deps, trx, arrival, identity);
}

async function admit(
  deps: AccountDeps,
  trx: Trx,
  arrival: Arrival,
  { id, user_id }: { id: string; user_id: string },
): Promise<ProviderOutcome> {
  const { trust, account } = arrival;
  const user = await findUserById(trx, user_id);
  const now = deps.now();
  if (!user?.enabled) return { kind: 'disabled' };
  await followRoleMappings(trx, arrival, { identity_id: id, user_id, occurred_at: now });
  if (!trust.login.for_administrators && (await administers(trx, user_id, now))) return { kind: 'administrator' };
  // A time in the future, from a provider whose clock is ahead, proves nothing.
  const proven_at = account.authenticated_at && account.authenticated_at < now ? account.authenticated_at : null;
  const provider = {
    trust_id: trust.id,
    trust_epoch: trust.epoch,
    identity_id: id,
    upstream_sid: account.sid ?? null,
    proven_at,
  };
  return {
    kind: 'ok',
    user,
    user_epoch: user.epoch,
    authenticated_at: proven_at ?? now,
    amr: [...methodsOf.provider],
    provider,
  };
}

/** Whether a user holds permissions of Latchkey itself or of secrets. */
export function administers(db: Db, user_id: string, now: Date): Promise<boolean> {
  return holdsInAreas(db, user_id, { areas: ['latchkey', 'secrets'], now });
}

/** Records why a sign-in with a provider was refused. */
export async function recordRefusal(
  { refusals }: Pick<AccountDeps, 'refusals'>,
  { trust, origin }: { trust: Pick<LoginTrust, 'id' | 'name'>; origin: Origin },
  reason: string,
): Promise<void> {
  const target = { kind: 'trust', id: trust.id };
  const details = { trust: trust.name };
  await refusals.record({ actor: anonymous(origin), action: 'session.refused', target, reason, details });
}
