import type { StoredAuthority } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Origin } from '../../platform/http/index.ts';
import { forgetPreparers, isDoubted, notePreparer } from '../access/index.ts';
import type { Refusals } from '../audit/index.ts';
import { listIdentities } from '../identities/index.ts';
import { recordFailure } from './authenticate.ts';
import { isProvenBefore, voucherOf } from './email-verification.ts';
import { lastFactorAt } from './factors/store.ts';
import type { User } from './store.ts';

type Prepared = { user: User; now: Date };
type Link = { mailed_to: string | null; shown_to: string | null; shown_within: readonly unknown[] | null };

/**
 * Whether the sign-in of a user is refused although they authenticated, because a preparer with fewer rights could have authenticated
 * instead. A refusal is recorded here.
 */
export async function refusesDoubted(
  { db, now, refusals }: { db: Db; now: () => Date; refusals: Refusals },
  { user_id, origin }: { user_id: string; origin: Origin },
): Promise<boolean> {
  const isRefused = await isDoubted(db, user_id, now());
  if (isRefused) await recordFailure({ refusals }, origin, 'someone with fewer permissions can sign in, too', user_id);
  return isRefused;
}

/**
 * Records that another actor set the password of a user. Actors who set an earlier one can no longer sign in with it: they are deleted
 * as preparers, unless sign-in methods were added since, which may be theirs.
 */
export async function notePasswordBy(
  trx: Trx,
  setter: StoredAuthority | undefined,
  { user, now }: Prepared,
): Promise<void> {
  const last_way_in_at = await lastWayInAt(trx, user.id);
  await forgetPreparers(trx, user.id, ({ created_at }) => created_at <= last_way_in_at);
  await notePreparer(trx, setter, { user_id: user.id, now });
}

/**
 * Records who may have chosen the password with a link: for a link that was shown, the person who saw it; for a mailed link, the owner of
 * the address, who is the user unless another person could have set that address.
 */
export async function notePasswordByLink(trx: Trx, link: Link, { user, now }: Prepared): Promise<void> {
  const { mailed_to, shown_to: subject_id, shown_within } = link;
  if (mailed_to === null) {
    const maker = subject_id === null ? undefined : { subject_id, limits: shown_within ?? [] };
    return notePasswordBy(trx, maker, { user, now });
  }
  const last_way_in_at = await lastWayInAt(trx, user.id);
  const voucher = voucherOf(user);
  const isAddressOf = (preparer: { subject_id: string; created_at: Date }) =>
    voucher === null ? !isProvenBefore(user, preparer.created_at) : voucher.subject_id === preparer.subject_id;
  await forgetPreparers(trx, user.id, (each) => each.created_at <= last_way_in_at || isAddressOf(each));
}

/** When the account last got a sign-in method other than the password. */
export async function lastWayInAt(db: Db, user_id: string): Promise<Date> {
  const identities = (await listIdentities(db, user_id)).map(({ created_at }) => created_at.getTime());
  const factor = (await lastFactorAt(db, user_id))?.getTime() ?? 0;
  return new Date(Math.max(0, factor, ...identities));
}
