import { z } from 'zod';
import { digest, generateCredential } from '../../platform/crypto/index.ts';
import { inTransaction, type Trx } from '../../platform/database/index.ts';
import { anonymous, type Origin } from '../../platform/http/index.ts';
import type { JobHandler } from '../../platform/jobs/index.ts';
import { openJob, sealJob } from '../../platform/keys/index.ts';
import { appendEvent } from '../audit/index.ts';
import { mailRefusal } from './email-verification.ts';
import { mailLanguageOf } from './language.ts';
import { judgeMailRequest, MailRequest, type MailRequestDeps, type MailRequestJobDeps } from './mail-requests.ts';
import { passwordLinkPrefix } from './password-links.ts';
import { addPasswordLink } from './password-store.ts';
import { findUserByLogin, lockUserById, type User } from './store.ts';

const linkMs = 30 * 60 * 1000;

const Requested = MailRequest.extend({ login: z.string() });

/**
 * Requests a link to choose a password. The login is not looked up here: the work and the response are the same, whether there is such
 * an account or not (OWASP Forgot Password Cheat Sheet). A job does the rest.
 */
export async function requestRecovery(
  { db, now, jobs, keys }: MailRequestDeps,
  { login, origin }: { login: string; origin: Origin },
): Promise<void> {
  const until = new Date(now().getTime() + linkMs);
  await inTransaction(db, (trx) => jobs.send(trx, 'recovery', sealJob(keys, 'recovery', { login, origin, until })));
}

/**
 * The job handler: mails a link, valid for half an hour, to the verified address of the account, whatever address was typed. An
 * unverified address may be a stranger's, so it receives none. Earlier links stay valid, so that no one can cancel another person's
 * link; using one deletes them all.
 */
export function mailRecoveryLink(deps: MailRequestJobDeps): JobHandler {
  return async (data) => {
    const { login, origin, until } = Requested.parse(await openJob(deps.keys, 'recovery', data));
    if (until <= deps.now()) return;
    const found = await findUserByLogin(deps.db, login);
    const judged = await judgeMailRequest(deps, found);
    if ('reason' in judged) return refuse(deps, { origin, reason: judged.reason, user: found });
    await inTransaction(deps.db, (trx) => mailLink(deps, trx, { id: judged.user.id, origin }));
  };
}

async function refuse(
  { refusals }: MailRequestJobDeps,
  { origin, reason, user }: { origin: Origin; reason: string; user: User | undefined },
): Promise<void> {
  const target = user && { target: { kind: 'user', id: user.id } };
  await refusals.record({ actor: anonymous(origin), action: 'recovery.refused', ...target, reason });
}

async function mailLink(
  { now, issuer, sendEmail }: MailRequestJobDeps,
  trx: Trx,
  { id, origin }: { id: string; origin: Origin },
): Promise<void> {
  const user = await lockUserById(trx, id);
  // The account may have changed since it was looked up.
  const created_at = now();
  if (!user?.email || (await mailRefusal(trx, user, created_at)) !== undefined) return;
  const expires_at = new Date(created_at.getTime() + linkMs);
  const secret = generateCredential(passwordLinkPrefix);
  await addPasswordLink(trx, { digest: digest(secret), user_id: id, created_at, expires_at, mailed_to: user.email });
  const url = `${issuer}/password/${secret}`;
  const language = mailLanguageOf(user);
  await sendEmail(trx, { kind: 'link', about: 'recover_password', to: user.email, language, url, expires_at });
  const target = { kind: 'user', id };
  const details = { by_mail: true, requested: true };
  const actor = anonymous(origin);
  await appendEvent(trx, { actor, action: 'user.password_link_created', target, details, occurred_at: created_at });
}
