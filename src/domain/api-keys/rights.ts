import type { Db, Trx } from '../../platform/database/index.ts';
import { type Actor, invalid } from '../../platform/http/index.ts';
import {
  findRoleByName,
  listHeldRights,
  mustExportGroupsOf,
  mustHold,
  type Right,
  type Role,
} from '../access/index.ts';
import type { Restrictions } from '../restrictions/index.ts';
import { findKey } from './store.ts';

/** What decides what a key may do. */
export type Powers = { permissions: readonly Right[]; roles: readonly string[]; restrictions: Restrictions };

/**
 * The roles of these names.
 *
 * @throws Problem `invalid`: there is none of a name
 */
export async function rolesOf(trx: Db, names: readonly string[]): Promise<Role[]> {
  const roles: Role[] = [];
  for (const [n, name] of [...new Set(names)].entries()) {
    const role = await findRoleByName(trx, name);
    if (!role) throw invalid(`/roles/${n}`, `There is no role "${name}".`);
    roles.push(role);
  }
  return roles;
}

/** What a key may do at most, wherever it is used. */
export async function rightsOfKey(db: Db, id: string): Promise<Right[]> {
  const key = await findKey(db, { id });
  return key ? rightsIn(db, key) : [];
}

async function rightsIn(db: Db, { permissions, roles, restrictions }: Powers): Promise<Right[]> {
  const given = await rolesOf(db, roles);
  const all = [...permissions, ...given.flatMap((role) => role.permissions)];
  return all.flatMap((right) => narrowed(right, restrictions));
}

type Whose = { owner_id: string; powers: readonly Powers[]; now: Date };

/**
 * Nobody mints, changes or gets hold of a key that may what they may not; nor one that speaks for somebody who may more than
 * they do, or whom applications know by their groups.
 *
 * @throws Problem `forbidden`, naming the first right that is missing
 */
export async function mustHoldAll(trx: Trx, actor: Actor, { owner_id, powers, now }: Whose): Promise<void> {
  const rights: Right[] = actor.subject_id === owner_id ? [] : await listHeldRights(trx, owner_id, now);
  for (const each of powers) rights.push(...(await rightsIn(trx, each)));
  await mustHold({ db: trx, now: () => now }, actor, rights);
  await mustExportGroupsOf(trx, actor, owner_id, now);
}

/** A key that is for some APIs only has its rights there and nowhere else. */
function narrowed({ resource, pattern }: Right, { resource_servers: servers }: Restrictions): Right[] {
  if (!servers) return [{ resource, pattern }];
  if (resource === null) return servers.map((server) => ({ resource: server, pattern }));
  return servers.includes(resource) ? [{ resource, pattern }] : [];
}
