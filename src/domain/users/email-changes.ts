import { digest, generateCredential } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, invalid, notFound, person, tooMany } from '../../platform/http/index.ts';
import { stillHoldsAllOf } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import type { SendEmail } from '../notifications/index.ts';
import {
  deleteEmailChanges,
  deleteRequestedEmailChanges,
  type EmailChange,
  findEmailChange,
  insertEmailChange,
} from './email-change-store.ts';
import { isAddressTheirs, recordVerification, verifiedBy, voucherOf } from './email-verification.ts';
import { mailLanguageOf } from './language.ts';
import { notify } from './notices.ts';
import { deletePasswordLinks } from './password-store.ts';
import { refuseTaken } from './profiles.ts';
import { EmailAddress } from './schemas.ts';
import { lockUserById, type User, updateUser } from './store.ts';
import type { Throttles } from './throttles.ts';

export type EmailChangeDeps = {
  db: Db;
  now: () => Date;
  issuer: string;
  throttles: Throttles;
  /** Set if there is a mail server. */
  sendEmail?: SendEmail | undefined;
};

type Origin = Actor['origin'];

const prefix = 'lk_em_';
const confirmMs = 60 * 60 * 1000;
const undoMs = 7 * 24 * 60 * 60 * 1000;

/**
 * Requests a change of the e-mail address. It takes effect when the user opens the link that is mailed to the new one. The response does
 * not reveal whether another user has the address.
 *
 * @throws Problem `invalid`: not an address, or the present one; `conflict`: there is no mail server; `too_many_requests`
 */
export async function requestEmailChange(
  deps: EmailChangeDeps,
  actor: Actor,
  { user_id, email: typed }: { user_id: string; email: string },
): Promise<void> {
  const { sendEmail } = deps;
  if (!sendEmail) throw conflict('This server cannot send e-mail. Ask an administrator to change your address.');
  const parsed = EmailAddress.safeParse(typed);
  if (!parsed.success) throw invalid('/email', 'Enter an e-mail address, such as name@example.com.');
  const email = parsed.data;
  const wait = await deps.throttles.countEmailChange(user_id);
  if (wait !== undefined) throw tooMany('Too many changes. Wait a few minutes and try again.', wait);
  const secret = generateCredential(prefix);
  await inTransaction(deps.db, async (trx) => {
    const user = await lockUserById(trx, user_id);
    if (!user) throw notFound('user', user_id);
    if (user.email === email && user.email_verified_by === 'link')
      throw invalid('/email', 'This is already your e-mail address.');
    const created_at = deps.now();
    const expires_at = new Date(created_at.getTime() + confirmMs);
    const change = { purpose: 'confirm', previous_email: user.email, email, created_at, expires_at } as const;
    await deleteRequestedEmailChanges(trx, user_id);
    await insertEmailChange(trx, { digest: digest(secret), user_id, ...change });
    const url = `${deps.issuer}/account/email/confirm/${secret}`;
    const language = mailLanguageOf(user);
    await sendEmail(trx, { kind: 'link', about: 'confirm_email', to: email, language, url, expires_at });
    const target = { kind: 'user', id: user_id };
    await appendEvent(trx, { actor, action: 'user.email_change_requested', target, occurred_at: created_at });
  });
}

/** The requested change that a link confirms for this user; undefined: there is none, or it is another user's. */
export async function findRequestedEmail(
  { db, now }: Pick<EmailChangeDeps, 'db' | 'now'>,
  user: Pick<User, 'id' | 'email'>,
  secret: string,
): Promise<string | undefined> {
  const change = await findEmailChange(db, { digest: digest(secret), purpose: 'confirm', now: now() });
  return change && isFor(change, user) ? change.email : undefined;
}

/** A request is void if the address was changed meanwhile. */
function isFor(change: EmailChange, user: Pick<User, 'id' | 'email'>): boolean {
  return change.user_id === user.id && change.previous_email === user.email;
}

/**
 * Confirms the new address. Only the user who requested it can do this: a stranger who gets the link by a typing mistake could otherwise
 * take over the account. The previous address is notified; if it was verified, with a link that restores it.
 *
 * @throws Problem `not_found`: the link was used or has expired; `conflict`: another user has this address
 */
export async function confirmEmailChange(
  deps: EmailChangeDeps,
  origin: Origin,
  { user_id, secret }: { user_id: string; secret: string },
): Promise<User> {
  return inTransaction(deps.db, async (trx) => {
    const user = await lockUserById(trx, user_id);
    const at = deps.now();
    const change = await findEmailChange(trx, { digest: digest(secret), purpose: 'confirm', now: at });
    if (!user?.enabled || !change || !isFor(change, user)) throw notFound('link', '…');
    const verified = { email: change.email, ...verifiedBy('link', at) };
    const after = await updateUser(trx, user_id, { ...verified, updated_at: at }).catch(refuseTaken);
    await deleteRequestedEmailChanges(trx, user_id);
    await deletePasswordLinks(trx, user_id);
    await tellPrevious(deps, trx, { before: user, email: change.email, at });
    await recordChange(trx, person(user_id, origin), { before: user, after, at });
    return after;
  });
}

/** An unverified address, or one that someone else set, may be a stranger's: it gets no link that changes the account. */
async function tellPrevious(
  deps: EmailChangeDeps,
  trx: Trx,
  { before, email, at }: { before: User; email: string; at: Date },
): Promise<void> {
  if (before.email === null || !before.email_verified || before.email === email) return;
  if (!(await isAddressTheirs(trx, before, at))) return;
  const secret = generateCredential(prefix);
  const expires_at = new Date(at.getTime() + undoMs);
  const change = { purpose: 'undo', previous_email: before.email, email, created_at: at, expires_at } as const;
  const voucher = voucherOf(before);
  const vouched_by = voucher && JSON.stringify(voucher);
  await insertEmailChange(trx, { digest: digest(secret), user_id: before.id, vouched_by, ...change });
  const link = { url: `${deps.issuer}/undo-email-change/${secret}`, expires_at };
  await notify(deps, trx, before, { about: 'email_changed', at, link });
}

/** The address that a link restores; undefined: the link was used or has expired. */
export async function findPreviousEmail(
  { db, now }: Pick<EmailChangeDeps, 'db' | 'now'>,
  secret: string,
): Promise<string | undefined> {
  const change = await findEmailChange(db, { digest: digest(secret), purpose: 'undo', now: now() });
  return change?.previous_email ?? undefined;
}

/**
 * Restores the previous address, whatever the present one is, and revokes all sessions and tokens. Links of this change and of later
 * ones are deleted, so that the change cannot be repeated.
 *
 * @throws Problem `not_found`: the link was used or has expired, or another actor set that address and lacks rights of the user;
 *   `conflict`: another user has this address
 */
export async function undoEmailChange(deps: EmailChangeDeps, origin: Origin, secret: string): Promise<User> {
  return inTransaction(deps.db, async (trx) => {
    const at = deps.now();
    const known = { digest: digest(secret), purpose: 'undo', now: at } as const;
    const found = await findEmailChange(trx, known);
    const user = found && (await lockUserById(trx, found.user_id));
    // Read again: another use of the link may have held the lock.
    const change = user?.enabled ? await findEmailChange(trx, known) : undefined;
    if (!user || !change) throw notFound('link', '…');
    // An actor who set that address must not gain rights that the user got meanwhile.
    const { vouched_by } = change;
    if (vouched_by && !(await stillHoldsAllOf(trx, vouched_by, { user_id: user.id, now: at })))
      throw notFound('link', '…');
    const after = await updateUser(trx, user.id, {
      email: change.previous_email,
      ...verifiedBy('link', at),
      tokens_valid_after: at,
      epoch: user.epoch + 1,
      updated_at: at,
    }).catch(refuseTaken);
    await deleteEmailChanges(trx, user.id, change.created_at);
    await deletePasswordLinks(trx, user.id);
    await recordChange(trx, person(user.id, origin), { before: user, after, at, details: { undone: true } });
    return after;
  });
}

type RecordedChange = { before: User; after: User; at: Date; details?: Record<string, unknown> };

/** The event names no addresses: these are personal details, and an event is never erased. */
async function recordChange(trx: Trx, actor: Actor, { before, after, at, details }: RecordedChange): Promise<void> {
  const target = { kind: 'user', id: after.id };
  await appendEvent(trx, {
    actor,
    action: 'user.email_changed',
    target,
    ...(details && { details }),
    occurred_at: at,
  });
  await recordVerification(trx, actor, { before, after, occurred_at: at });
}
