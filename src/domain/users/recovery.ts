import { z } from 'zod';
import { digest, generateCredential } from '../../platform/crypto/index.ts';
import { inTransaction, type Trx } from '../../platform/database/index.ts';
import { anonymous, type Origin } from '../../platform/http/index.ts';
import type { JobHandler } from '../../platform/jobs/index.ts';
import { openJob, sealJob } from '../../platform/keys/index.ts';
import { appendEvent } from '../audit/index.ts';
import { isAddressTheirs } from './email-verification.ts';
import { mailLanguageOf } from './language.ts';
import { MailRequest, type MailRequestDeps, type MailRequestJobDeps } from './mail-requests.ts';
import { passwordLinkPrefix } from './password-links.ts';
import { addPasswordLink } from './password-store.ts';
import { findUserByLogin, lockUserById, type User } from './store.ts';

const linkMs = 30 * 60 * 1000;

const Requested = MailRequest.extend({ login: z.string() });

/**
 * Asks for a link to choose a password. What is typed is not looked up here: the request does the same work and gets the same
 * answer whether there is such an account or not (OWASP Forgot Password Cheat Sheet). A job does the rest.
 */
export async function requestRecovery(
  { db, now, jobs, keys }: MailRequestDeps,
  { login, origin }: { login: string; origin: Origin },
): Promise<void> {
  const until = new Date(now().getTime() + linkMs);
  await inTransaction(db, (trx) => jobs.send(trx, 'recovery', sealJob(keys, 'recovery', { login, origin, until })));
}

/**
 * The job handler: mails a link for half an hour to the verified address of the account, whatever address was typed. An
 * unverified address may be a stranger's, so it receives none. Links from before keep working, so that nobody can cancel another
 * person's link; one that is used ends them all.
 */
export function mailRecoveryLink(deps: MailRequestJobDeps): JobHandler {
  return async (data) => {
    const { login, origin, until } = Requested.parse(await openJob(deps.keys, 'recovery', data));
    if (until <= deps.now()) return;
    const found = await findUserByLogin(deps.db, login);
    const refusal = refusalOf(found) ?? (found && (await objectionTo(deps, found)));
    if (refusal || !found) {
      await refuse(deps, { origin, reason: refusal ?? 'unknown account', user: found });
      return;
    }
    await inTransaction(deps.db, (trx) => mailLink(deps, trx, { id: found.id, origin }));
  };
}

async function objectionTo({ db, now, throttles }: MailRequestJobDeps, user: User): Promise<string | undefined> {
  if (!(await inTransaction(db, (trx) => isAddressTheirs(trx, user, now())))) return 'e-mail address set by another';
  return (await throttles.countRecovery(user.id)) === undefined ? undefined : 'throttled';
}

/** Why no link is mailed; undefined: one is. */
function refusalOf(user: User | undefined): string | undefined {
  if (!user) return 'unknown account';
  if (!user.enabled) return 'disabled account';
  if (user.email === null) return 'no e-mail address';
  return user.email_verified ? undefined : 'unverified e-mail address';
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
  if (refusalOf(user) || !user?.email || !(await isAddressTheirs(trx, user, created_at))) return;
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
