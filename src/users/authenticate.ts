import type { Refusals } from '../audit/index.ts';
import type { Db } from '../platform/database/index.ts';
import { anonymous, type Origin } from '../platform/http/index.ts';
import { verifyPassword } from './password.ts';
import { findPasswordHash, findUser, type User } from './store.ts';
import type { Throttles } from './throttles.ts';

export type AuthenticateDeps = { db: Db; throttles: Throttles; refusals: Refusals };
export type AuthenticateInput = {
  login: string;
  password: string;
  /** The browser's id, if this account has signed in with it before. */
  device: (account: string) => string | undefined;
  origin: Origin;
};

/** Which of two was wrong is nobody's business; how long to wait is. */
export type SignInOutcome =
  | { kind: 'ok'; user: User }
  | { kind: 'wrong' }
  | { kind: 'throttled'; retryAfterSeconds: number };

/** Judges a password sign-in. A failure is recorded here; success with the session it starts. */
export async function authenticate(deps: AuthenticateDeps, input: AuthenticateInput): Promise<SignInOutcome> {
  const { login, password, device, origin } = input;
  const user = await findUser(deps.db, login);
  // Username and e-mail address are one account, with one count.
  const account = user?.id ?? login.toLowerCase();
  const attempt = { address: origin.address ?? '', account, device: device(account) };
  const retryAfterSeconds = await deps.throttles.countAttempt(attempt);
  if (retryAfterSeconds !== undefined) {
    await recordFailure(deps, origin, 'throttled', user?.id);
    return { kind: 'throttled', retryAfterSeconds };
  }
  const stored = user && (await findPasswordHash(deps.db, user.id));
  const fits = await verifyPassword(stored, password);
  if (!user?.enabled || !fits) {
    await recordFailure(deps, origin, 'wrong login or password', user?.id);
    return { kind: 'wrong' };
  }
  await deps.throttles.forget(attempt);
  return { kind: 'ok', user };
}

async function recordFailure(
  { refusals }: AuthenticateDeps,
  origin: Origin,
  reason: string,
  user_id?: string,
): Promise<void> {
  const target = user_id ? { target: { kind: 'user', id: user_id } } : {};
  await refusals.record({ actor: anonymous(origin), action: 'session.refused', ...target, reason });
}
