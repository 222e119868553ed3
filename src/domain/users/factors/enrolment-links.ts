import { digest, generateCredential } from '../../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../../platform/database/index.ts';
import { type Actor, conflict, forbidden, notFound } from '../../../platform/http/index.ts';
import { mustHoldAllOf, stillHoldsAllOf, storedAuthorityOf } from '../../access/index.ts';
import { appendEvent } from '../../audit/index.ts';
import type { SendEmail } from '../../notifications/index.ts';
import { isAddressTheirs, mailRefusal } from '../email-verification.ts';
import { mailLanguageOf } from '../language.ts';
import { lockUserById, type User } from '../store.ts';
import {
  deleteEnrolmentLinks,
  findLinkedUser,
  insertEnrolmentLink,
  takeEnrolmentLink,
} from './enrolment-link-store.ts';
import { hasSecondFactor } from './store.ts';

export type EnrolmentLinkDeps = {
  db: Db;
  now: () => Date;
  issuer: string;
  /** Set if there is a mail server. */
  sendEmail?: SendEmail | undefined;
};

const prefix = 'lk_en_';
const linkMs = 30 * 60 * 1000;

/** The permission to create links with which users without a usable e-mail address add a second factor. */
export const enrolmentPermission = 'latchkey:user:enrol_factor';

/** Whether a link can be mailed to a user, whose address must be known to be theirs. */
export async function canGetEnrolmentLink({ db, now, sendEmail }: EnrolmentLinkDeps, user: User): Promise<boolean> {
  return sendEmail !== undefined && (await inTransaction(db, (trx) => addressOf(trx, user, now()))) !== undefined;
}

/** The address of a user, if it is known to be theirs. */
async function addressOf(trx: Trx, user: User, now: Date): Promise<string | undefined> {
  return (await mailRefusal(trx, user, now)) === undefined ? (user.email ?? undefined) : undefined;
}

/**
 * After a user has entered their password, mails them a link to add a second factor: the password alone is not enough to add one.
 *
 * @returns the address; undefined: no link can be mailed
 */
export async function mailEnrolmentLink(
  { db, now, issuer, sendEmail }: EnrolmentLinkDeps,
  actor: Actor,
  user_id: string,
): Promise<string | undefined> {
  return inTransaction(db, async (trx) => {
    const user = await lockUserById(trx, user_id);
    const at = now();
    const to = sendEmail && user ? await addressOf(trx, user, at) : undefined;
    if (!sendEmail || !user || to === undefined) return undefined;
    const { secret, expires_at } = await insertLink(trx, { user_id, made_by: null, mailed_to: to, at });
    const url = urlOf(issuer, secret);
    const language = mailLanguageOf(user);
    await sendEmail(trx, { kind: 'link', about: 'add_second_factor', to, language, url, expires_at });
    await record(trx, actor, { user_id, by_mail: true, at });
    return to;
  });
}

/**
 * A link to add a second factor, which an administrator hands over to the user. An actor who is a user must have a second factor
 * themselves: otherwise an administrator's stolen password would be enough to take over every account.
 *
 * @returns the link, which is stored nowhere
 * @throws Problem `not_found`; `forbidden`: the user holds what the actor does not, or the actor has no second factor
 */
export async function createEnrolmentLink(
  { db, now, issuer }: EnrolmentLinkDeps,
  actor: Actor,
  user_id: string,
): Promise<{ url: string; expires_at: Date }> {
  return inTransaction(db, async (trx) => {
    const user = await lockUserById(trx, user_id);
    if (!user) throw notFound('user', user_id);
    const at = now();
    await mustHoldAllOf(trx, actor, user_id, at);
    const { kind, subject_id } = actor;
    if (kind !== 'system' && (subject_id === undefined || !(await hasSecondFactor(trx, subject_id))))
      throw forbidden(enrolmentPermission, 'This needs a user who has a second factor themselves.');
    const made_by = storedAuthorityOf(actor);
    const { secret, expires_at } = await insertLink(trx, { user_id, made_by, mailed_to: null, at });
    await record(trx, actor, { user_id, by_mail: false, at });
    return { url: urlOf(issuer, secret), expires_at };
  });
}

const urlOf = (issuer: string, secret: string) => `${issuer}/second-factor/${secret}`;

type NewLink = { user_id: string; made_by: string | null; mailed_to: string | null; at: Date };

async function insertLink(trx: Trx, { at: created_at, ...link }: NewLink) {
  const secret = generateCredential(prefix);
  const expires_at = new Date(created_at.getTime() + linkMs);
  await insertEnrolmentLink(trx, { digest: digest(secret), ...link, created_at, expires_at });
  return { secret, expires_at };
}

async function record(
  trx: Trx,
  actor: Actor,
  { user_id, by_mail, at }: { user_id: string; by_mail: boolean; at: Date },
) {
  const target = { kind: 'user', id: user_id };
  const action = 'user.enrolment_link_created';
  await appendEvent(trx, { actor, action, target, details: { by_mail }, occurred_at: at });
}

/** The user who can add a second factor with this secret now; undefined: the link was used or has expired. */
export function findEnrollingUser({ db, now }: EnrolmentLinkDeps, secret: string): Promise<User | undefined> {
  return findLinkedUser(db, digest(secret), now());
}

/**
 * Uses a link, and deletes every other one of the user, in the transaction that adds the factor: of concurrent uses one wins. A mailed
 * link is valid while the address is the user's; another one while its creator still holds all that the user holds.
 *
 * @throws Problem `not_found`; `conflict`: the user has a second factor
 */
export async function useEnrolmentLink(
  trx: Trx,
  user: User,
  { secret, now }: { secret: string; now: Date },
): Promise<void> {
  const link = await takeEnrolmentLink(trx, { digest: digest(secret), user_id: user.id, now });
  if (!link || !user.enabled) throw notFound('link', '…');
  // The link adds the first factor: it must not replace an existing one.
  if (await hasSecondFactor(trx, user.id)) throw conflict('You already have a second factor. Sign in with it.');
  const { mailed_to, made_by } = link;
  const isElsewhere = mailed_to !== null && (mailed_to !== user.email || !(await isAddressTheirs(trx, user, now)));
  if (isElsewhere || (made_by && !(await stillHoldsAllOf(trx, made_by, { user_id: user.id, now }))))
    throw notFound('link', '…');
  await deleteEnrolmentLinks(trx, user.id);
}
