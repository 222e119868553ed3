import { v7 as uuidv7 } from 'uuid';
import { digest, generateCredential } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, notFound, person } from '../../platform/http/index.ts';
import { authorityOf, mustHoldAllOf, stillHoldsAllOf } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { listIdentities } from '../identities/index.ts';
import type { SendEmail } from '../notifications/index.ts';
import { isAddressTheirs, recordVerification, verifiedBy } from './email-verification.ts';
import { hasSecondFactor } from './factors/store.ts';
import { mailLanguageOf } from './language.ts';
import { type NoticeDeps, notify } from './notices.ts';
import { hashNewPassword } from './password.ts';
import {
  findLinkedUser,
  hasPassword,
  replacePasswordLinks,
  savePasswordHash,
  usePasswordLink,
} from './password-store.ts';
import { notePasswordByLink } from './preparation.ts';
import { lockUserById, type User, updateUser } from './store.ts';

export type PasswordLinkDeps = { db: Db; now: () => Date };
export type LinkMakingDeps = PasswordLinkDeps & {
  issuer: string;
  /** Set if there is a mail server. */
  sendEmail?: SendEmail | undefined;
};

/** The address that the link was mailed to, or the link itself, which is stored nowhere. */
export type PasswordLink = { expires_at: Date } & ({ url: string } | { mailed_to: string });

/** The prefix of the secret of a link. */
export const passwordLinkPrefix = 'lk_pw_';
const linkMs = 3 * 24 * 60 * 60 * 1000;

/**
 * Creates a one-time link, valid for three days, with which a user chooses a password: an invitation, or a recovery. Earlier links are
 * deleted. If there is a mail server and the address is known to be the user's, the link is mailed and shown to no one. Otherwise it is
 * shown: an unverified address of an account with another sign-in method may belong to another person, who would then share the account.
 *
 * @throws Problem `not_found`; `forbidden`: the person holds what the actor does not
 */
export async function createPasswordLink(
  { db, now, issuer, sendEmail }: LinkMakingDeps,
  actor: Actor,
  user_id: string,
): Promise<PasswordLink> {
  const secret = generateCredential(passwordLinkPrefix);
  const url = `${issuer}/password/${secret}`;
  return inTransaction(db, async (trx) => {
    const user = await lockUserById(trx, user_id);
    if (!user) throw notFound('user', user_id);
    const created_at = now();
    await mustHoldAllOf(trx, actor, user_id, created_at);
    const expires_at = new Date(created_at.getTime() + linkMs);
    const isTheirs = (await isAddressTheirs(trx, user, created_at)) && !(await isTakenByAnother(trx, user));
    const to = (sendEmail && isTheirs && user.email) || null;
    const maker = authorityOf(actor);
    const shown_to = maker?.subject_id ?? null;
    const shown_within = JSON.stringify(maker?.limits ?? []);
    const link = { digest: digest(secret), user_id, created_at, expires_at };
    await replacePasswordLinks(trx, { ...link, mailed_to: to, shown_to, shown_within });
    if (sendEmail && to) await sendEmail(trx, { kind: 'link', to, language: mailLanguageOf(user), url, expires_at });
    await appendEvent(trx, {
      actor,
      action: 'user.password_link_created',
      target: { kind: 'user', id: user_id },
      details: { by_mail: Boolean(to) },
      occurred_at: created_at,
    });
    return to ? { mailed_to: to, expires_at } : { url, expires_at };
  });
}

/** Whether an account has an owner who has not verified its address. */
async function isTakenByAnother(trx: Trx, { id, email_verified }: User): Promise<boolean> {
  if (email_verified) return false;
  return (await listIdentities(trx, id)).length > 0 || (await hasSecondFactor(trx, id));
}

/** The user who can choose a password with this secret now. */
export async function linkedUser({ db, now }: PasswordLinkDeps, secret: string): Promise<User | undefined> {
  return findLinkedUser(db, digest(secret), now());
}

/**
 * Sets the password that a user chose with a link, uses the link, and revokes all their sessions and tokens. A mailed link proves only
 * the address that it was mailed to. A link is valid only while its creator, and the actor who set the address that it was mailed to,
 * hold all that the user holds: they must not gain rights that the user got meanwhile.
 *
 * @throws Problem `not_found`: the link was used or has expired; `invalid`: too weak
 */
export async function choosePassword(
  deps: PasswordLinkDeps & NoticeDeps,
  origin: Actor['origin'],
  { secret, password }: { secret: string; password: string },
): Promise<User> {
  const { db, now } = deps;
  const linked = await linkedUser(deps, secret);
  if (!linked) throw notFound('link', '…');
  const hash = await hashNewPassword(password, linked);
  return inTransaction(db, async (trx) => {
    const user = await lockUserById(trx, linked.id);
    const occurred_at = now();
    const link = user?.enabled ? await usePasswordLink(trx, digest(secret), occurred_at) : undefined;
    // The address may have changed since the page was opened; the row is locked now.
    if (!user || !link || (link.mailed_to !== null && link.mailed_to !== user.email)) throw notFound('link', '…');
    // The response reveals nothing about permissions.
    if (!(await isStillTheirs(trx, link, user, occurred_at))) throw notFound('link', '…');
    const isChange = await hasPassword(trx, user.id);
    await notePasswordByLink(trx, link, { user, now: occurred_at });
    await savePasswordHash(trx, { id: uuidv7(), user_id: user.id, password: hash, now: occurred_at });
    const target = { kind: 'user', id: user.id };
    await appendEvent(trx, { actor: person(user.id, origin), action: 'user.password_chosen', target, occurred_at });
    const isProof = link.mailed_to !== null && user.email_verified_by !== 'link';
    const verified = isProof ? verifiedBy('link', occurred_at) : {};
    const changed = await updateUser(trx, user.id, {
      ...verified,
      tokens_valid_after: occurred_at,
      epoch: user.epoch + 1,
      updated_at: occurred_at,
    });
    if (isProof) await recordVerification(trx, person(user.id, origin), { before: user, after: changed, occurred_at });
    if (isChange) await notify(deps, trx, changed, { about: 'password_changed', at: occurred_at });
    return changed;
  });
}

type Link = { mailed_to: string | null; shown_to: string | null; shown_within: readonly unknown[] | null };

async function isStillTheirs(trx: Trx, link: Link, user: User, now: Date): Promise<boolean> {
  const { mailed_to, shown_to: subject_id, shown_within: limits } = link;
  if (mailed_to !== null && !(await isAddressTheirs(trx, user, now))) return false;
  return subject_id === null || stillHoldsAllOf(trx, { subject_id, limits: limits ?? [] }, { user_id: user.id, now });
}
