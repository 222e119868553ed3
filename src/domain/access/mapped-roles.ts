import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, type Origin, system } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { mostGroups } from './groups.ts';
import {
  confirmMappedRoles,
  deleteMappedRole,
  insertMappedRole,
  listMappedRoles,
  type MappedRole,
} from './mapped-role-store.ts';
import { isInArea } from './permissions.ts';
import { endDoubtedSessions } from './preparers.ts';
import { countGroups, findRoleByName, listRolesWithIds, lockOwners, type Role } from './store.ts';

type GivingTrust = { id: string; name: string; epoch: number };

export type MappedRoles = {
  user_id: string;
  trust: GivingTrust;
  /** The account at the provider that the claims are about. */
  identity_id: string;
  role_ids: readonly string[];
  /** Whether the trust may give roles with permissions of Latchkey or of secrets. */
  forAdministrators: boolean;
  origin: Origin;
  occurred_at: Date;
  /** When the roles lapse, unless the user signs in with the provider again. */
  until: Date;
};

/**
 * Sets the roles that a user has by a trust to exactly these, in the transaction of the sign-in, which has locked the user. Assigned
 * roles, and those by other trusts, stay. A role that no longer exists, that got permissions of Latchkey meanwhile, or that would make
 * the claim `groups` too long is not added. Lapsed roles are added again.
 */
export async function setMappedRoles(trx: Trx, { user_id, trust, role_ids, ...rest }: MappedRoles): Promise<void> {
  const { identity_id, forAdministrators, origin, occurred_at, until } = rest;
  const named = await listRolesWithIds(trx, role_ids);
  const wanted = named.filter((role) => forAdministrators || !administers(role));
  if (wanted.some(({ exported_as }) => exported_as !== null)) await lockOwners(trx);
  const of = { subject_id: user_id, trust_id: trust.id };
  const present = await listMappedRoles(trx, { ...of, now: occurred_at });
  const isStanding = ({ trust_epoch, is_lapsed }: MappedRole) => trust_epoch === trust.epoch && !is_lapsed;
  const kept = present.filter((each) => isStanding(each) && wanted.some(({ id }) => id === each.role_id));
  const actor: Actor = { ...system, origin };
  const recording = { actor, user_id, trust, occurred_at };
  for (const each of present.filter((row) => !kept.includes(row))) {
    await deleteMappedRole(trx, { ...of, role_id: each.role_id });
    // A change of the trust recorded what it ended; the event that added a role says when it lapses.
    if (isStanding(each)) await record(trx, 'role.unassigned', each.role, recording);
  }
  const confirmed = { identity_id, confirmed_at: occurred_at, until };
  await confirmMappedRoles(trx, { ...of, ...confirmed });
  const added = wanted.filter(({ id }) => !kept.some(({ role_id }) => role_id === id));
  for (const role of await thoseThatFit(trx, user_id, { roles: added, now: occurred_at })) {
    const row = { ...of, role_id: role.id, trust_epoch: trust.epoch, ...confirmed, created_at: occurred_at };
    if (!(await insertMappedRole(trx, row))) continue;
    await endDoubtedSessions(trx, role, { user_id, now: occurred_at });
    await record(trx, 'role.assigned', role.name, { ...recording, until });
  }
}

/** Whether a role has permissions of Latchkey itself or of secrets. */
export function administers({ permissions }: Pick<Role, 'permissions'>): boolean {
  return permissions.some(({ pattern }) => isInArea(pattern, ['latchkey', 'secrets']));
}

/** The roles, without those that would exceed the limit of groups. */
async function thoseThatFit(
  trx: Trx,
  user_id: string,
  { roles, now }: { roles: readonly Role[]; now: Date },
): Promise<Role[]> {
  if (!roles.some(({ exported_as }) => exported_as !== null)) return [...roles];
  const most = mostGroups - (await countGroups(trx, user_id, now));
  const groups = roles.filter(({ exported_as }) => exported_as !== null).slice(0, Math.max(0, most));
  return roles.filter((role) => role.exported_as === null || groups.includes(role));
}

type Recording = {
  actor: Actor;
  user_id: string;
  trust: Pick<GivingTrust, 'id' | 'name'>;
  occurred_at: Date;
  until?: Date;
};

async function record(
  trx: Trx,
  action: 'role.assigned' | 'role.unassigned',
  role: string,
  { actor, user_id, trust, occurred_at, until }: Recording,
): Promise<void> {
  const details = { role, trust: trust.name, trust_id: trust.id, ...(until && { until }) };
  await appendEvent(trx, { actor, action, target: { kind: 'user', id: user_id }, details, occurred_at });
}

/** Removes a role that a user has by a trust, as an event of a restored log says. @returns whether the user had it */
export async function takeMappedRole(
  { db, now }: { db: Db; now: () => Date },
  actor: Actor,
  { user_id, role, trust }: { user_id: string; role: string; trust: Pick<GivingTrust, 'id' | 'name'> },
): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const found = await findRoleByName(trx, role);
    const row = found && { subject_id: user_id, trust_id: trust.id, role_id: found.id };
    if (!row || !(await deleteMappedRole(trx, row))) return false;
    await record(trx, 'role.unassigned', role, { actor, user_id, trust, occurred_at: now() });
    return true;
  });
}
