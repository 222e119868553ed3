import type { Db } from '../../platform/database/index.ts';
import { listDoubts, type Owner } from '../access/index.ts';
import { mailRefusal } from './email-verification.ts';
import { lastWayInAt } from './preparation.ts';
import type { User } from './store.ts';

/** Why every sign-in of a user is refused (`refusesDoubted`), and what the user needs. */
export type RefusedSignIn = {
  /** When the first preparer who lacks permissions of the user prepared the account. */
  since: Date;
  /** null: the user or client was deleted. */
  prepared_by: { subject: Owner | null; prepared_at: Date }[];
  /** Whether sign-in methods or linked accounts were added since: they may be the preparer's, and a new password is not enough. */
  remove_methods_first: boolean;
  /** Whether the user can help themselves with a mailed link. */
  mailed_link: boolean;
};

type Deps = { db: Db; now: () => Date; sendEmail?: unknown };

/** What an administrator needs to know if a user's sign-ins are refused; null: they are not. */
export async function findRefusedSignIn({ db, now, sendEmail }: Deps, user: User): Promise<RefusedSignIn | null> {
  const doubts = await listDoubts(db, user.id, now());
  const [first] = doubts;
  if (!first) return null;
  const last_way_in_at = await lastWayInAt(db, user.id);
  const remove_methods_first = doubts.some(({ created_at }) => created_at <= last_way_in_at);
  const isMailed = sendEmail !== undefined && (await mailRefusal(db, user, now())) === undefined;
  return {
    since: first.created_at,
    prepared_by: doubts.map(({ subject, created_at }) => ({ subject, prepared_at: created_at })),
    remove_methods_first,
    mailed_link: isMailed && !remove_methods_first,
  };
}
