import type { StoredAuthority } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Limit } from '../../platform/http/index.ts';
import { isWithin } from './authority.ts';
import { exportPermission } from './groups.ts';
import type { Owner } from './owner.ts';
import { allows } from './permissions.ts';
import {
  deletePreparers,
  endPreparedUsers,
  listPreparers,
  listPreparersOfMembers,
  type Preparer,
  savePreparer,
} from './preparer-store.ts';
import { isInGroup, listHeldRights, type Right, type Role } from './store.ts';

/** What an actor needs to act as a user: the user's permissions, and the permission to change the user's groups. */
type Needed = { rights: readonly Right[]; isGroup: boolean };

/**
 * Records a preparer: an actor who set the password or linked an account, and so could sign in as the user. They must not gain rights
 * that the user gets later. The operator of the machine, and users themselves, are not recorded.
 */
export async function notePreparer(
  trx: Trx,
  preparer: StoredAuthority | undefined,
  { user_id, now }: { user_id: string; now: Date },
): Promise<void> {
  const { subject_id, limits } = preparer ?? { subject_id: null, limits: [] };
  if (subject_id === null || subject_id === user_id) return;
  const held = (await listHeldRights(trx, subject_id, now)).map(({ resource, pattern }) => ({ resource, pattern }));
  await savePreparer(trx, { user_id, subject_id, limits, held, created_at: now });
}

/**
 * Whether a user has a preparer who neither held then, nor holds now, all rights of the user. Then a sign-in to the account may not be
 * the user's, until they choose a password with a link.
 */
export async function isDoubted(db: Db, user_id: string, now: Date): Promise<boolean> {
  return (await findDoubtSince(db, user_id, now)) !== undefined;
}

/** Since when the account is doubted; undefined: it is not. Proofs from before that are the user's own. */
export async function findDoubtSince(db: Db, user_id: string, now: Date): Promise<Date | undefined> {
  return (await doubts(db, user_id, now).next()).value?.created_at;
}

/** The preparers of a user who lack rights that the user holds, the oldest first. */
export async function listDoubts(db: Db, user_id: string, now: Date): Promise<Doubt[]> {
  const found: Doubt[] = [];
  for await (const each of doubts(db, user_id, now)) found.push(each);
  return found;
}

type Doubt = { subject: Owner | null; created_at: Date };

/** The same, judged one by one: a sign-in needs the first only. */
async function* doubts(db: Db, user_id: string, now: Date): AsyncGenerator<Doubt, undefined> {
  const preparers = await listPreparers(db, user_id);
  if (preparers.length === 0) return;
  const needed = { rights: await listHeldRights(db, user_id, now), isGroup: await isInGroup(db, user_id, now) };
  for (const each of preparers) if (await lacks(db, each, { needed, now })) yield each;
}

/**
 * Signs out users who have a role, or are about to get it, if a preparer of theirs lacks its rights: a session may be the preparer's.
 * @returns how many
 */
export async function endDoubtedSessions(
  trx: Trx,
  { permissions, exported_as, id }: Pick<Role, 'id' | 'permissions' | 'exported_as'>,
  { user_id, now }: { user_id?: string; now: Date },
): Promise<number> {
  const needed = { rights: permissions, isGroup: exported_as !== null };
  const preparers = await (user_id === undefined ? listPreparersOfMembers(trx, id) : listPreparers(trx, user_id));
  const doubted = new Set<string>();
  for (const each of preparers) if (await lacks(trx, each, { needed, now })) doubted.add(each.user_id);
  return endPreparedUsers(trx, [...doubted]);
}

async function lacks(db: Db, preparer: Preparer, { needed, now }: { needed: Needed; now: Date }): Promise<boolean> {
  const limits = preparer.limits as readonly Limit[];
  if (isEnough({ held: preparer.held, limits }, needed)) return false;
  return !isEnough({ held: await listHeldRights(db, preparer.subject_id, now), limits }, needed);
}

/** Whether an authority is sufficient. One that expires or is restricted never is, except where no right is needed. */
function isEnough(
  { held, limits }: { held: readonly Right[]; limits: readonly Limit[] },
  { rights, isGroup }: Needed,
): boolean {
  if (rights.length === 0 && !isGroup) return true;
  if (limits.some(({ until, conditions }) => until !== null || conditions.length > 0)) return false;
  const sets = [held, ...limits.map((limit) => limit.rights)];
  const reaches = (right: Right) => sets.every((set) => isWithin(set, right));
  return rights.every(reaches) && (!isGroup || sets.every((set) => allows(patternsOf(set), exportPermission)));
}

const patternsOf = (rights: readonly Right[]) => rights.map(({ pattern }) => pattern);

/**
 * Deletes the preparers of a user, in the transaction that replaces the password.
 *
 * @param mayHaveLeft whether a preparer may still have a way in that was added since
 */
export async function forgetPreparers(
  trx: Trx,
  user_id: string,
  mayHaveLeft: (preparer: Preparer) => boolean,
): Promise<void> {
  const removed = (await listPreparers(trx, user_id)).filter((each) => !mayHaveLeft(each));
  await deletePreparers(
    trx,
    user_id,
    removed.map(({ subject_id }) => subject_id),
  );
}
