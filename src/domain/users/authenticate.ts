import { type Db, inTransaction } from '../../platform/database/index.ts';
import { anonymous, type Origin, Problem } from '../../platform/http/index.ts';
import type { Refusals } from '../audit/index.ts';
import { type PasswordHash, renewedHash, verifyPassword } from './password.ts';
import { findPasswordHash, replacePasswordForm } from './password-store.ts';
import { findUserById, findUserByLogin, type User } from './store.ts';
import type { Throttles } from './throttles.ts';

export type AuthenticateDeps = { db: Db; now: () => Date; throttles: Throttles; refusals: Refusals };
export type AuthenticateInput = {
  /** The typed login, or the user who must confirm their identity. */
  who: { login: string } | { user_id: string };
  password: string;
  /** The browser's id, if this account has signed in with it before. */
  device: (account: string) => string | undefined;
  origin: Origin;
};

/**
 * It does not reveal whether the login or the password was wrong, but how long to wait. `user_epoch` was read with the password: no one
 * can sign in with a password that is replaced meanwhile.
 */
export type SignInOutcome =
  | { kind: 'ok'; user: User; user_epoch: number; authenticated_at: Date; amr: string[] }
  | { kind: 'wrong' }
  | { kind: 'throttled'; retryAfterSeconds: number };

/** Verifies a password. A failure is recorded here; a success with the session that it starts or confirms. */
export async function authenticate(deps: AuthenticateDeps, input: AuthenticateInput): Promise<SignInOutcome> {
  const { who, password, device, origin } = input;
  const authenticated_at = deps.now();
  const user = 'login' in who ? await findUserByLogin(deps.db, who.login) : await findUserById(deps.db, who.user_id);
  // Attempts by username and by e-mail address count for the same account.
  const account = user?.id ?? ('login' in who ? who.login.toLowerCase() : who.user_id);
  const attempt = { address: origin.address ?? '', account, device: device(account) };
  const retryAfterSeconds = await deps.throttles.countAttempt(attempt);
  if (retryAfterSeconds !== undefined) {
    await recordFailure(deps, origin, 'throttled', user?.id);
    return { kind: 'throttled', retryAfterSeconds };
  }
  const stored = user && (await findPasswordHash(deps.db, user.id));
  const fits = await verifyPassword(stored, password);
  if (!user || !stored?.enabled || !fits) {
    await recordFailure(deps, origin, 'wrong login or password', user?.id);
    return { kind: 'wrong' };
  }
  await deps.throttles.forget(attempt);
  await normalize(deps.db, user.id, { stored, password });
  return { kind: 'ok', user, user_epoch: stored.user_epoch, authenticated_at, amr: ['pwd'] };
}

/** Stores the normalized form for later comparisons. If the server is busy hashing, the next sign-in does it. */
async function normalize(
  db: Db,
  user_id: string,
  { stored, password }: { stored: PasswordHash; password: string },
): Promise<void> {
  const to = await renewedHash(stored, password).catch(unlessBusy);
  if (to) await inTransaction(db, (trx) => replacePasswordForm(trx, { user_id, from: stored, to }));
}

function unlessBusy(error: unknown): undefined {
  if (error instanceof Problem && error.status === 429) return undefined;
  throw error;
}

/** Records a refused sign-in, with the user if known. */
export async function recordFailure(
  { refusals }: Pick<AuthenticateDeps, 'refusals'>,
  origin: Origin,
  reason: string,
  user_id?: string,
): Promise<void> {
  const target = user_id ? { target: { kind: 'user', id: user_id } } : {};
  await refusals.record({ actor: anonymous(origin), action: 'session.refused', ...target, reason });
}
