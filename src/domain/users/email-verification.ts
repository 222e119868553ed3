import type { EmailVerifier } from '../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, forbidden, invalid, notFound } from '../../platform/http/index.ts';
import { allows, findDoubtSince, mustHoldAllOf, stillHoldsAllOf, storedAuthorityOf } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { lockUserById, type User, updateUser } from './store.ts';

export type VerificationDeps = { db: Db; now: () => Date };
type Verification = Pick<User, 'email_verified' | 'email_verified_at' | 'email_verified_by'>;
type Vouched = Pick<User, 'id' | 'email_verified_at' | 'email_verified_by' | 'email_vouched_by'>;

/** The permission to mark an e-mail address as verified. */
export const verifyEmailPermission = 'latchkey:user:verify_email';

const unverified: Verification = { email_verified: false, email_verified_at: null, email_verified_by: null };

/** The columns of a verified address. */
export function verifiedBy(email_verified_by: EmailVerifier, email_verified_at: Date): Verification {
  return { email_verified: true, email_verified_at, email_verified_by };
}

/**
 * Whether an address is verified after an update. A changed address is unverified unless the input states otherwise, and a verified
 * address keeps its source.
 *
 * @param stated the value in the input; undefined: none
 * @throws Problem `invalid`: the input states that an address is verified, but names none
 */
export function verificationOf(
  before: (Verification & Pick<User, 'email'>) | undefined,
  { email, stated, by, at }: { email: string | null; stated: boolean | undefined; by: EmailVerifier; at: Date },
): Verification {
  if (stated && email === null) throw invalid('/email_verified', 'There is no e-mail address to verify: set one.');
  const isSame = before !== undefined && before.email === email;
  if (isSame && stated !== false && before.email_verified) {
    const { email_verified, email_verified_at, email_verified_by } = before;
    return { email_verified, email_verified_at, email_verified_by };
  }
  return stated ? verifiedBy(by, at) : unverified;
}

/** The actor who set an address that its user has not verified by a link; null: no other actor. */
export const voucherOf = ({ email_verified_by, email_vouched_by }: Vouched) =>
  email_verified_by === 'link' ? null : email_vouched_by;

/**
 * Whether an address counts as the user's own for mail that gives access to the account: verified by a link, or set by an actor who could
 * take over the account anyway. That actor must not gain rights that the user got later.
 */
export async function isAddressTheirs(db: Db, user: Vouched, now: Date): Promise<boolean> {
  const voucher = voucherOf(user);
  if (voucher !== null) return stillHoldsAllOf(db, voucher, { user_id: user.id, now });
  const doubted_since = await findDoubtSince(db, user.id, now);
  return doubted_since === undefined || isProvenBefore(user, doubted_since);
}

/** Whether the address was not proven by a preparer, who could sign in as the user only since then. */
export function isProvenBefore(
  { email_verified_at, email_verified_by }: Pick<User, 'email_verified_at' | 'email_verified_by'>,
  since: Date,
): boolean {
  const isByOthers = email_verified_by === 'administrator' || email_verified_by === 'import';
  return isByOthers || email_verified_at === null || email_verified_at < since;
}

/** Why mail that gives access to an account is not sent; undefined: it is sent to the address of `user`. */
export async function mailRefusal(db: Db, user: User | undefined, now: Date): Promise<string | undefined> {
  if (!user) return 'unknown account';
  if (!user.enabled) return 'disabled account';
  if (user.email === null) return 'no e-mail address';
  if (!user.email_verified) return 'unverified e-mail address';
  return (await isAddressTheirs(db, user, now)) ? undefined : 'e-mail address set by another';
}

/** @throws Problem `forbidden`: the actor may create accounts but not state that addresses are verified */
export function mustBeAllowedToVerify(actor: Actor): void {
  if (allows(actor.permissions, verifyEmailPermission)) return;
  throw forbidden(verifyEmailPermission, `Setting email_verified needs "${verifyEmailPermission}".`);
}

/**
 * Marks a user's e-mail address as verified. Applications may admit any user with a verified address, so the actor must hold all that
 * the user holds. Repeating it changes and records nothing.
 *
 * @param email the verified address: if it was changed meanwhile, the new one is not marked
 * @throws Problem `not_found`; `conflict`: this is not their address; `forbidden`: the person holds what the actor does not
 */
export async function verifyEmail(
  deps: VerificationDeps,
  actor: Actor,
  { id, email }: { id: string; email: string },
): Promise<User> {
  return mark(deps, actor, id, (user, at) => {
    if (user.email !== email)
      throw conflict('This is not the user’s current e-mail address. Check it before you verify it.');
    return user.email_verified
      ? undefined
      : { ...verifiedBy('administrator', at), email_vouched_by: storedAuthorityOf(actor) };
  });
}

/**
 * Marks a person's e-mail address as not verified. Repeating it changes and records nothing.
 *
 * @throws Problem `not_found`; `forbidden`: the person holds what the actor does not
 */
export async function unverifyEmail(deps: VerificationDeps, actor: Actor, id: string): Promise<User> {
  return mark(deps, actor, id, (user) => (user.email_verified ? unverified : undefined));
}

async function mark(
  { db, now }: VerificationDeps,
  actor: Actor,
  id: string,
  change: (user: User, at: Date) => (Verification & { email_vouched_by?: string | null }) | undefined,
): Promise<User> {
  return inTransaction(db, async (trx) => {
    const user = await lockUserById(trx, id);
    if (!user) throw notFound('user', id);
    const occurred_at = now();
    await mustHoldAllOf(trx, actor, id, occurred_at);
    const verification = change(user, occurred_at);
    if (!verification) return user;
    const after = await updateUser(trx, id, { ...verification, updated_at: occurred_at });
    await recordVerification(trx, actor, { before: user, after, occurred_at });
    return after;
  });
}

/** Records that an address was verified, or no longer is. The event names no address, because it outlives the account. */
export async function recordVerification(
  trx: Trx,
  actor: Actor,
  { before, after, occurred_at }: { before: User | undefined; after: User; occurred_at: Date },
): Promise<void> {
  const target = { kind: 'user', id: after.id };
  if (after.email_verified && before?.email_verified_at?.getTime() !== after.email_verified_at?.getTime()) {
    const details = { by: after.email_verified_by };
    await appendEvent(trx, { actor, action: 'user.email_verified', target, details, occurred_at });
  } else if (before?.email_verified && !after.email_verified) {
    const details = { address_changed: before.email !== after.email };
    await appendEvent(trx, { actor, action: 'user.email_unverified', target, details, occurred_at });
  }
}
