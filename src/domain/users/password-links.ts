import { v7 as uuidv7 } from 'uuid';
import { digest, generateCredential } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, type Limit, notFound, Problem, person } from '../../platform/http/index.ts';
import { intersection, listHeldRights, mustHoldAllOf } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import type { SendEmail } from '../notifications/index.ts';
import { recordVerification, verifiedBy } from './email-verification.ts';
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
import { lockUserById, type User, updateUser } from './store.ts';

export type PasswordLinkDeps = { db: Db; now: () => Date };
export type LinkMakingDeps = PasswordLinkDeps & {
  issuer: string;
  /** Set where there is a mail server. */
  sendEmail?: SendEmail | undefined;
};

/** Where it went, or the link itself, which is stored nowhere. */
export type PasswordLink = { expires_at: Date } & ({ url: string } | { mailed_to: string });

/** How the secret of a link begins. */
export const passwordLinkPrefix = 'lk_pw_';
const linkMs = 3 * 24 * 60 * 60 * 1000;

/**
 * A one-time secret for three days, with which a person chooses their own password: an invitation, or a way back in. Links
 * from before stop working. Where there is a mail server and the person has an address, the link is mailed to them and shown
 * to nobody else.
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
    const to = (sendEmail && user.email) || null;
    const shown_to = to ? null : (actor.subject_id ?? null);
    const shown_within = to ? null : JSON.stringify(actor.limits ?? []);
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

/** Whose password this secret may choose now. */
export async function linkedUser({ db, now }: PasswordLinkDeps, secret: string): Promise<User | undefined> {
  return findLinkedUser(db, digest(secret), now());
}

/**
 * Sets the password that a person chose with their link, uses the link up, and ends whatever they were signed in with. A link
 * that was mailed proves that the address it was mailed to is theirs, and no other. One that was shown to somebody serves only while
 * that somebody holds all that the person holds: rights that were given meanwhile are not theirs to take.
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
    if (link.shown_to) await mustStillHoldAll(trx, link, { user_id: user.id, now: occurred_at });
    const isChange = await hasPassword(trx, user.id);
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

/** Judges the actor who was shown a link by their present permissions, within the limits of the credential that created it. */
async function mustStillHoldAll(
  trx: Trx,
  { shown_to, shown_within }: { shown_to: string | null; shown_within: readonly unknown[] | null },
  { user_id, now }: { user_id: string; now: Date },
): Promise<void> {
  const own = await listHeldRights(trx, shown_to ?? '', now);
  const limits = (shown_within ?? []).map((limit) => asLimit(limit as Limit));
  const sets = [own, ...limits.map(({ rights }) => rights)].map((rights) => rights.map(({ pattern }) => pattern));
  const permissions = sets.reduce((left, right) => intersection(left, right));
  const maker: Actor = { kind: 'user', subject_id: shown_to ?? '', limits, permissions, origin: {} };
  try {
    await mustHoldAllOf(trx, maker, user_id, now);
  } catch (error) {
    // The response reveals nothing about permissions.
    throw error instanceof Problem && error.type === 'forbidden' ? notFound('link', '…') : error;
  }
}

/** JSON has no dates. */
function asLimit({ until, ...limit }: Omit<Limit, 'until'> & { until: string | Date | null }): Limit {
  return { ...limit, until: until === null ? null : new Date(until) };
}
