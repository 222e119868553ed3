import type { Db, Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, forbidden } from '../../platform/http/index.ts';
import { mustHold, mustNotExceedLimits } from './authority.ts';
import { allows } from './permissions.ts';
import { findOverfullMember, isInGroup, listHeldRights, type Role } from './store.ts';

/**
 * The permission to choose which roles applications see as groups, under which name, and who is in them. This server cannot know
 * what a group may do in an application, so no other permission implies it.
 */
export const exportPermission = 'latchkey:group:export';

/** This many groups of 64 characters fill about 4 KB of an ID token, which many programs send in a header. */
export const mostGroups = 64;

/** @throws Problem `forbidden` naming the permission */
export function mustExport(actor: Actor): void {
  if (allows(actor.permissions, exportPermission)) return;
  throw forbidden(
    exportPermission,
    `This changes the members of a group that applications see. It needs "${exportPermission}".`,
  );
}

/** Assigning, unassigning or deleting an exported role changes a group. @throws Problem `forbidden` */
export function mustExportAny(actor: Actor, roles: readonly (Pick<Role, 'exported_as'> | undefined)[]): void {
  if (roles.some((role) => role !== undefined && role.exported_as !== null)) mustExport(actor);
}

/**
 * Guards an action with which the actor could act as another user in an application: it needs the permission to change the user's
 * groups. Users may act as themselves.
 *
 * @throws Problem `forbidden`
 */
export async function mustExportGroupsOf(db: Db, actor: Actor, user_id: string, now: Date): Promise<void> {
  if (actor.subject_id !== user_id && (await isInGroup(db, user_id, now))) mustExport(actor);
}

/**
 * Guards changing how a user signs in, or their address: the actor must hold all permissions of the user, without an expiry, and the
 * permission to change the user's groups.
 *
 * @throws Problem `forbidden`, naming the first right that is missing, or what limits the actor
 */
export async function mustHoldAllOf(db: Db, actor: Actor, user_id: string, now: Date): Promise<void> {
  const rights = await listHeldRights(db, user_id, now);
  await mustHold({ db, now: () => now }, actor, rights);
  await mustExportGroupsOf(db, actor, user_id, now);
  if (rights.length > 0 || (await isInGroup(db, user_id, now)))
    mustNotExceedLimits(actor, { what: 'the permissions of this user', until: null });
}

/**
 * Keeps the claim `groups` bounded. It is called after a change, under the lock that such changes take.
 *
 * @throws Problem `conflict`: a user would be in more than 64 groups
 */
export async function mustFitInClaim(trx: Trx, of: { role_id: string } | { subject_id: string }, now: Date) {
  const member = await findOverfullMember(trx, { ...of, most: mostGroups, now });
  if (member !== undefined)
    throw conflict(`"${member}" would be in more than ${mostGroups} groups: unassign another exported role first.`);
}

/** @throws Problem `conflict` if another role has the name; any other error unchanged */
export function refuseTakenGroup(error: unknown): never {
  const isTaken = error instanceof Error && 'constraint' in error && error.constraint === 'roles_exported_as';
  throw isTaken ? conflict('Another role is exported under this name.') : error;
}
