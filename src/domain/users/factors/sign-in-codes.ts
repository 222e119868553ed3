import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { digest } from '../../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../../platform/database/index.ts';
import { anonymous, type Origin } from '../../../platform/http/index.ts';
import type { JobHandler } from '../../../platform/jobs/index.ts';
import { openJob, sealJob } from '../../../platform/keys/index.ts';
import { methodsOf } from '../../assurance/index.ts';
import { appendEvent, type Refusals } from '../../audit/index.ts';
import { recordFailure, type SignInOutcome } from '../authenticate.ts';
import { mailRefusal } from '../email-verification.ts';
import { mailLanguageOf } from '../language.ts';
import { judgeMailRequest, MailRequest, type MailRequestDeps, type MailRequestJobDeps } from '../mail-requests.ts';
import { readableLetters, readableSecret } from '../readable-secret.ts';
import { findUserById, findUserByLogin, lockUserById } from '../store.ts';
import type { Throttles } from '../throttles.ts';
import { countCodeAttempt, insertCodeRequest, setCode, takeSignInCode } from './sign-in-code-store.ts';

const codeMs = 10 * 60 * 1000;
const mostAttempts = 5;
const form = { groups: 2, perGroup: 5 };
const shape = new RegExp(`^[${readableLetters}]{${form.groups * form.perGroup}}$`);

const Requested = MailRequest.extend({ id: z.uuid(), login: z.string() });

/**
 * Requests a sign-in code by e-mail. The login is not looked up here: the work and the response are the same, whether there is such an
 * account or not. A job does the rest.
 *
 * @returns the id of the request, which the browser must keep
 */
export async function requestSignInCode(
  { db, now, jobs, keys }: MailRequestDeps,
  { login, origin }: { login: string; origin: Origin },
): Promise<string> {
  const id = uuidv7();
  const created_at = now();
  const until = new Date(created_at.getTime() + codeMs);
  await inTransaction(db, async (trx) => {
    await insertCodeRequest(trx, { id, created_at, expires_at: until });
    await jobs.send(trx, 'sign-in-code', sealJob(keys, 'sign-in-code', { id, login, origin, until }));
  });
  return id;
}

/** The job handler: mails a code to the verified address of the account, whatever address was typed. */
export function mailSignInCode(deps: MailRequestJobDeps): JobHandler {
  return async (data) => {
    const { id, login, origin, until } = Requested.parse(await openJob(deps.keys, 'sign-in-code', data));
    if (until <= deps.now()) return;
    const found = await findUserByLogin(deps.db, login);
    const judged = await judgeMailRequest(deps, found);
    if ('reason' in judged) return recordFailure(deps, origin, `no code mailed: ${judged.reason}`, found?.id);
    await inTransaction(deps.db, (trx) => mailCode(deps, trx, { id, user_id: judged.user.id, origin, until }));
  };
}

async function mailCode(
  { now, sendEmail }: MailRequestJobDeps,
  trx: Trx,
  { id, user_id, origin, until }: { id: string; user_id: string; origin: Origin; until: Date },
): Promise<void> {
  const user = await lockUserById(trx, user_id);
  const at = now();
  // The account may have changed since it was looked up.
  if (!user?.email || (await mailRefusal(trx, user, at)) !== undefined) return;
  const code = readableSecret(form);
  const issued = { user_id, user_epoch: user.epoch, digest: digestOf({ id, code, email: user.email }) };
  const isWaiting = await setCode(trx, { id, ...issued, now: at });
  if (!isWaiting) return;
  await sendEmail(trx, { kind: 'code', to: user.email, language: mailLanguageOf(user), code, expires_at: until });
  const target = { kind: 'user', id: user_id };
  await appendEvent(trx, { actor: anonymous(origin), action: 'user.sign_in_code_mailed', target, occurred_at: at });
}

/** A code as users type it. */
function asTyped(typed: string): string | undefined {
  const code = typed.toLowerCase().replaceAll(/[\s-]/g, '');
  return shape.test(code) ? code : undefined;
}

/** A code is valid while the address that it was mailed to is the user's. */
const digestOf = ({ id, code, email }: Record<'id' | 'code' | 'email', string>) =>
  digest(`sign-in code ${id} ${asTyped(code) ?? ''} ${email}`);

type ProvingCodeDeps = { db: Db; now: () => Date; throttles: Throttles; refusals: Refusals };

/** Verifies a mailed code, once; five wrong attempts void it. A failure is recorded here, a success with the session that it starts. */
export async function proveSignInCode(
  deps: ProvingCodeDeps,
  { id, code, origin }: { id: string; code: string; origin: Origin },
): Promise<SignInOutcome> {
  const authenticated_at = deps.now();
  const retryAfterSeconds = await deps.throttles.countFactor({ address: origin.address ?? '', account: undefined });
  if (retryAfterSeconds !== undefined) {
    await recordFailure(deps, origin, 'throttled');
    return { kind: 'throttled', retryAfterSeconds };
  }
  const judged = await inTransaction(deps.db, (trx) => judge(trx, { id, code, now: authenticated_at }));
  if (!judged) {
    await recordFailure(deps, origin, 'wrong mailed code');
    return { kind: 'wrong' };
  }
  return { kind: 'ok', authenticated_at, ...judged, amr: [...methodsOf.mailedCode] };
}

async function judge(trx: Trx, { id, code, now }: { id: string; code: string; now: Date }) {
  const user_id = await countCodeAttempt(trx, { id, most: mostAttempts, now });
  const user = user_id === undefined ? undefined : await findUserById(trx, user_id);
  if (!user?.email || (await mailRefusal(trx, user, now)) !== undefined) return undefined;
  const { epoch: user_epoch, email } = user;
  const isTaken = await takeSignInCode(trx, { id, digest: digestOf({ id, code, email }), user_epoch });
  return isTaken ? { user, user_epoch } : undefined;
}
