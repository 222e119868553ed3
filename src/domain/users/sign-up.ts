import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { digest, generateCredential } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { anonymous, invalid, notFound, type Origin, person, tooMany } from '../../platform/http/index.ts';
import type { JobHandler } from '../../platform/jobs/index.ts';
import { openJob, sealJob } from '../../platform/keys/index.ts';
import { type DomainRules, isAllowedDomain } from '../../platform/outbound/index.ts';
import { appendEvent } from '../audit/index.ts';
import { recordVerification, verifiedBy } from './email-verification.ts';
import { MailRequest, type MailRequestDeps, type MailRequestJobDeps } from './mail-requests.ts';
import { hashNewPassword } from './password.ts';
import { savePasswordHash } from './password-store.ts';
import { refuseIdShaped, refuseTaken } from './profiles.ts';
import { domainOf, EmailAddress, UserInput } from './schemas.ts';
import { deleteSignUpsOf, findSignUp, insertSignUp, takeSignUp } from './sign-up-store.ts';
import { findUserByLogin, insertUser, type User } from './store.ts';
import type { Throttles } from './throttles.ts';

/** `rules`: the domains whose addresses may have an account; undefined: users cannot create accounts themselves. */
type SignUpRules = { rules: DomainRules | undefined };
export type SignUpRequestDeps = SignUpRules & MailRequestDeps;
export type SignUpMailDeps = SignUpRules & MailRequestJobDeps;
export type SignUpDeps = SignUpRules & { db: Db; now: () => Date; throttles: Throttles };

/** The input for a new account. */
export const SignUpInput = UserInput.pick({ username: true, name: true }).extend({ password: z.string() });

const prefix = 'lk_su_';
const linkMs = 60 * 60 * 1000;

const Requested = MailRequest.extend({
  email: z.string(),
  /** The path of the app's request that the user came from; the link leads below it. */
  below: z.string(),
  language: z.string().optional(),
});

/** Why the typed text cannot be used to create an account; undefined: it can. */
export function signUpProblem({ rules }: SignUpRules, typed: string): 'no address' | 'other domain' | undefined {
  const email = EmailAddress.safeParse(typed).data;
  if (email === undefined) return 'no address';
  return isPermitted(rules, email) ? undefined : 'other domain';
}

function isPermitted(rules: DomainRules | undefined, email: string): boolean {
  return rules !== undefined && isAllowedDomain(rules, domainOf(email));
}

/**
 * Requests an account. An existing one is not looked up here: the work and the response are the same (OWASP Authentication Cheat
 * Sheet). A job mails a link; the account is created only when it is opened, so that no one can prepare an account with another
 * person's address.
 *
 * @param below path of the app's request that waits for the user; empty: there is none
 * @throws Problem `invalid` at `/email`: it has a `signUpProblem`
 */
export async function requestSignUp(
  deps: SignUpRequestDeps,
  request: { email: string; below: string; language: string; origin: Origin },
): Promise<void> {
  const problem = signUpProblem(deps, request.email);
  if (problem) throw invalid('/email', `No account can be created with this value: ${problem}.`);
  const until = new Date(deps.now().getTime() + linkMs);
  const sealed = sealJob(deps.keys, 'sign-up', { ...request, until });
  await inTransaction(deps.db, (trx) => deps.jobs.send(trx, 'sign-up', sealed));
}

/** The job handler: mails a link, valid for an hour, or tells the owner of an existing account. */
export function mailSignUpLink(deps: SignUpMailDeps): JobHandler {
  return async (data) => {
    const request = Requested.parse(await openJob(deps.keys, 'sign-up', data));
    const { email, origin, until } = request;
    if (until <= deps.now() || !isPermitted(deps.rules, email)) return;
    const user = await findUserByLogin(deps.db, email);
    const isThrottled = (await deps.throttles.countSignUp(email)) !== undefined;
    if (isThrottled || user) {
      const target = user && { target: { kind: 'user', id: user.id } };
      const reason = isThrottled ? 'throttled' : 'the address has an account';
      await deps.refusals.record({ actor: anonymous(origin), action: 'sign_up.refused', ...target, reason });
    }
    if (isThrottled) return;
    await inTransaction(deps.db, (trx) => (user ? mailAccount(deps, trx, request) : mailLink(deps, trx, request)));
  };
}

type Request = z.infer<typeof Requested>;

async function mailAccount({ now, sendEmail }: SignUpMailDeps, trx: Trx, { email, language }: Request): Promise<void> {
  await sendEmail(trx, { kind: 'notice', about: 'account_exists', to: email, language, account: email, at: now() });
}

async function mailLink(deps: SignUpMailDeps, trx: Trx, { email, below, language, origin }: Request): Promise<void> {
  const created_at = deps.now();
  const expires_at = new Date(created_at.getTime() + linkMs);
  const secret = generateCredential(prefix);
  await insertSignUp(trx, { digest: digest(secret), email, created_at, expires_at });
  const url = `${deps.issuer}${below}/sign-up/${secret}`;
  await deps.sendEmail(trx, { kind: 'link', about: 'sign_up', to: email, language, url, expires_at });
  await appendEvent(trx, { actor: anonymous(origin), action: 'sign_up.link_created', occurred_at: created_at });
}

/** The address that a link was mailed to, while it can create an account. */
export async function invitedEmail({ db, now, rules }: SignUpDeps, secret: string): Promise<string | undefined> {
  const email = (await findSignUp(db, digest(secret), now()))?.email;
  return email !== undefined && isPermitted(rules, email) ? email : undefined;
}

/**
 * Creates the account of a user who opened the mailed link, which verifies their address. The link can be used once, and every other
 * link to the address is deleted.
 *
 * @throws Problem `not_found`: the link was used or has expired, or the address got an account meanwhile; `invalid`: weak password, or
 *   a username that looks like an id; `conflict`: the username is taken; `too_many_requests`: too many names were tried
 */
export async function signUp(
  deps: SignUpDeps,
  origin: Origin,
  { secret, username, name, password }: z.infer<typeof SignUpInput> & { secret: string },
): Promise<User> {
  const email = await invitedEmail(deps, secret);
  if (email === undefined) throw notFound('link', '…');
  refuseIdShaped(username);
  const wait = await deps.throttles.countSignUpAttempt(secret);
  if (wait !== undefined) throw tooMany('Too many attempts. Wait a few minutes and try again.', wait);
  const hash = await hashNewPassword(password, { username, email });
  return inTransaction(deps.db, async (trx) => {
    const occurred_at = deps.now();
    const taken = await takeSignUp(trx, digest(secret), occurred_at);
    if (taken === undefined || (await findUserByLogin(trx, taken))) throw notFound('link', '…');
    await deleteSignUpsOf(trx, taken);
    const user = await insertUser(trx, {
      ...{ id: uuidv7(), username, name: name ?? null, email: taken, ...verifiedBy('link', occurred_at) },
      ...{ created_at: occurred_at, updated_at: occurred_at },
    }).catch(refuseTaken);
    await savePasswordHash(trx, { id: uuidv7(), user_id: user.id, password: hash, now: occurred_at });
    const actor = person(user.id, origin);
    const target = { kind: 'user', id: user.id };
    await appendEvent(trx, { actor, action: 'user.created', target, details: { by: 'sign_up' }, occurred_at });
    await recordVerification(trx, actor, { before: undefined, after: user, occurred_at });
    return user;
  });
}
