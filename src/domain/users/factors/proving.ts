import { type Db, inTransaction, type Trx } from '../../../platform/database/index.ts';
import { anonymous, type Origin, person } from '../../../platform/http/index.ts';
import { appendEvent, type Refusals } from '../../audit/index.ts';
import type { SendEmail } from '../../notifications/index.ts';
import { notify } from '../notices.ts';
import { findUserById, type User } from '../store.ts';
import type { Throttles } from '../throttles.ts';
import { methodsOf } from './assurance.ts';
import { asCode, takeCode } from './one-time-codes.ts';
import { type Challenged, judgePasskey, type PasskeyDeps, type RelyingParty } from './passkeys.ts';
import { asRecoveryCode, takeRecoveryCode } from './recovery-codes.ts';

export type ProvingDeps = PasskeyDeps & {
  db: Db;
  throttles: Throttles;
  refusals: Refusals;
  sendEmail?: SendEmail | undefined;
};

/** With what somebody proves who they are, beside a password: a code that they type, or a passkey of theirs. */
export type FactorProof =
  | { kind: 'code'; code: string }
  | { kind: 'passkey'; answer: string; rp: RelyingParty; challenged: Challenged };

export type ProvingOutcome =
  | { kind: 'ok'; user: User; user_epoch: number; authenticated_at: Date; amr: string[] }
  | { kind: 'wrong' }
  | { kind: 'throttled'; retryAfterSeconds: number };

/**
 * Judges a proof of a factor. A code counts once; a failure is recorded, success with the session that it starts or confirms.
 *
 * @param user_id whose factor it must be; undefined: a passkey says whose it is
 */
export async function proveFactor(
  deps: ProvingDeps,
  { user_id, proof, origin }: { user_id?: string | undefined; proof: FactorProof; origin: Origin },
): Promise<ProvingOutcome> {
  const authenticated_at = deps.now();
  const retryAfterSeconds = await deps.throttles.countFactor({ address: origin.address ?? '', account: user_id });
  if (retryAfterSeconds !== undefined) {
    await refuse(deps, { origin, user_id, reason: 'throttled' });
    return { kind: 'throttled', retryAfterSeconds };
  }
  const judged = await inTransaction(deps.db, (trx) => judge(deps, trx, { user_id, proof, origin, authenticated_at }));
  if ('wrong' in judged) {
    await refuse(deps, { origin, user_id: judged.user_id, reason: judged.wrong });
    return { kind: 'wrong' };
  }
  await deps.throttles.forgetFactor({ address: origin.address ?? '', account: user_id });
  return { kind: 'ok', authenticated_at, ...judged };
}

type Judged = { user: User; user_epoch: number; amr: string[] } | { wrong: string; user_id: string | undefined };
type Judging = { user_id: string | undefined; proof: FactorProof; origin: Origin; authenticated_at: Date };

async function judge(deps: ProvingDeps, trx: Trx, judging: Judging): Promise<Judged> {
  const { user_id, proof } = judging;
  const proven = proof.kind === 'code' ? await judgeCode(deps, trx, judging) : await provenPasskey(deps, trx, judging);
  if ('wrong' in proven) return { wrong: `wrong ${proven.wrong}`, user_id };
  // Its epoch is read after the factor: whoever was stopped or reset meanwhile is not signed in.
  const user = await findUserById(trx, proven.user_id);
  if (!user?.enabled) return { wrong: 'the account is disabled', user_id: proven.user_id };
  return { user, user_epoch: user.epoch, amr: proven.amr };
}

type Proven = { user_id: string; amr: string[] } | { wrong: string };

async function provenPasskey(deps: ProvingDeps, trx: Trx, { user_id, proof }: Judging): Promise<Proven> {
  return proof.kind === 'passkey' ? judgePasskey(deps, trx, { ...proof, user_id }) : { wrong: 'passkey' };
}

/** The same field takes the code of an app and a recovery code: they look different. */
async function judgeCode(
  { keys, sendEmail }: ProvingDeps,
  trx: Trx,
  { user_id, proof, origin, authenticated_at: now }: Judging,
): Promise<Proven> {
  if (user_id === undefined || proof.kind !== 'code') return { wrong: 'code' };
  const amr = [...methodsOf.code];
  const code = asCode(proof.code);
  if (code) return (await takeCode(trx, { keys, now }, { user_id, code })) ? { user_id, amr } : { wrong: 'code' };
  if (!asRecoveryCode(proof.code) || !(await takeRecoveryCode(trx, { user_id, code: proof.code })))
    return { wrong: 'code' };
  const actor = person(user_id, origin);
  const target = { kind: 'user', id: user_id };
  await appendEvent(trx, { actor, action: 'user.recovery_code_used', target, occurred_at: now });
  const user = await findUserById(trx, user_id);
  if (user) await notify({ sendEmail }, trx, user, { about: 'recovery_code_used', at: now });
  return { user_id, amr };
}

async function refuse(
  { refusals }: ProvingDeps,
  { origin, user_id, reason }: { origin: Origin; user_id: string | undefined; reason: string },
): Promise<void> {
  const target = user_id ? { target: { kind: 'user', id: user_id } } : {};
  await refusals.record({ actor: anonymous(origin), action: 'session.refused', ...target, reason });
}
