import type { FactorKind } from '../../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../../platform/database/index.ts';
import { type Origin, person } from '../../../platform/http/index.ts';
import { isAllowed, methodsOf } from '../../assurance/index.ts';
import { appendEvent, type Refusals } from '../../audit/index.ts';
import type { SendEmail } from '../../notifications/index.ts';
import { recordFailure, type SignInOutcome } from '../authenticate.ts';
import { notify } from '../notices.ts';
import { findUserById, type User } from '../store.ts';
import type { Throttles } from '../throttles.ts';
import type { KnownPolicy } from './known-policy.ts';
import { asCode, takeCode } from './one-time-codes.ts';
import { type Challenged, judgePasskey, type PasskeyDeps, type RelyingParty } from './passkeys.ts';
import { asRecoveryCode, takeRecoveryCode } from './recovery-codes.ts';

export type ProvingDeps = PasskeyDeps & {
  db: Db;
  throttles: Throttles;
  refusals: Refusals;
  policy: KnownPolicy;
  sendEmail?: SendEmail | undefined;
};

/** A proof of a factor other than the password: a typed code, or a passkey. */
export type FactorProof =
  | { kind: 'code'; code: string }
  | { kind: 'passkey'; answer: string; rp: RelyingParty; challenged: Challenged };

/**
 * Verifies a proof of a factor. A code is accepted once; a failure is recorded here, a success with the session that it starts or confirms.
 *
 * @param user_id the user whose factor it must be; undefined: the passkey identifies the user
 */
export async function proveFactor(
  deps: ProvingDeps,
  { user_id, proof, origin }: { user_id?: string | undefined; proof: FactorProof; origin: Origin },
): Promise<SignInOutcome> {
  const authenticated_at = deps.now();
  const retryAfterSeconds = await deps.throttles.countFactor({ address: origin.address ?? '', account: user_id });
  if (retryAfterSeconds !== undefined) {
    await recordFailure(deps, origin, 'throttled', user_id);
    return { kind: 'throttled', retryAfterSeconds };
  }
  const kind = kindOf(proof);
  if (!isAllowed(await deps.policy.current(), kind)) {
    await recordFailure(deps, origin, `the method ${kind} is not allowed`, user_id);
    return { kind: 'wrong' };
  }
  const judged = await inTransaction(deps.db, (trx) =>
    judge(deps, trx, { user_id, proof, origin, now: authenticated_at }),
  );
  if ('wrong' in judged) {
    await recordFailure(deps, origin, judged.wrong, judged.user_id);
    return { kind: 'wrong' };
  }
  await deps.throttles.forgetFactor({ address: origin.address ?? '', account: user_id });
  return { kind: 'ok', authenticated_at, ...judged };
}

/** Text in the form of an app's code counts as one; any other counts as a recovery code. */
function kindOf(proof: FactorProof): FactorKind {
  if (proof.kind === 'passkey') return 'passkey';
  return asCode(proof.code) ? 'totp' : 'recovery_code';
}

type Judging = { user_id: string | undefined; proof: FactorProof; origin: Origin; now: Date };
type Proven = { user_id: string; amr: string[] } | { wrong: string };
type Judged = { user: User; user_epoch: number; amr: string[] } | { wrong: string; user_id: string | undefined };

async function judge(deps: ProvingDeps, trx: Trx, { user_id, proof, ...rest }: Judging): Promise<Judged> {
  const proven =
    proof.kind === 'code'
      ? await judgeCode(deps, trx, { user_id, code: proof.code, ...rest })
      : await judgePasskey(deps, trx, { ...proof, user_id });
  if ('wrong' in proven) return { wrong: `wrong ${proven.wrong}`, user_id };
  // The epoch is read after the factor: a user who was disabled or reset meanwhile is not signed in.
  const user = await findUserById(trx, proven.user_id);
  if (!user?.enabled) return { wrong: 'the account is disabled', user_id: proven.user_id };
  return { user, user_epoch: user.epoch, amr: proven.amr };
}

type JudgingCode = Omit<Judging, 'proof'> & { code: string };

/** One field takes both the code of an app and a recovery code, because their forms differ. */
async function judgeCode(
  deps: ProvingDeps,
  trx: Trx,
  { user_id, code: typed, origin, now }: JudgingCode,
): Promise<Proven> {
  if (user_id === undefined) return { wrong: 'code' };
  const code = asCode(typed);
  const isRight = code
    ? await takeCode(trx, { keys: deps.keys, now }, { user_id, code })
    : await useRecoveryCode(deps, trx, { user_id, code: typed, origin, now });
  return isRight ? { user_id, amr: [...(code ? methodsOf.code : methodsOf.recoveryCode)] } : { wrong: 'code' };
}

/** Accepts a recovery code, and notifies its user. */
async function useRecoveryCode(
  { sendEmail }: ProvingDeps,
  trx: Trx,
  { user_id, code, origin, now }: JudgingCode & { user_id: string },
): Promise<boolean> {
  if (!asRecoveryCode(code) || !(await takeRecoveryCode(trx, { user_id, code }))) return false;
  const target = { kind: 'user', id: user_id };
  const actor = person(user_id, origin);
  await appendEvent(trx, { actor, action: 'user.recovery_code_used', target, occurred_at: now });
  const user = await findUserById(trx, user_id);
  if (user) await notify({ sendEmail }, trx, user, { about: 'recovery_code_used', at: now });
  return true;
}
