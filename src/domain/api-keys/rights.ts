import type { Db, Trx } from '../../platform/database/index.ts';
import { type Actor, invalid, type Limit } from '../../platform/http/index.ts';
import {
  earliest,
  exceeding,
  findRoleByName,
  listHeldRights,
  mustEndWithLimits,
  mustExportGroupsOf,
  mustHold,
  type Right,
  type Role,
} from '../access/index.ts';
import { conditionsIn, looserKind, narrowed, type Restrictions } from '../restrictions/index.ts';
import { findKey } from './store.ts';

/** Permissions, roles and restrictions: together they decide what a key may do. */
export type Powers = { permissions: readonly Right[]; roles: readonly string[]; restrictions: Restrictions };

/**
 * The roles with these names.
 *
 * @throws Problem `invalid`: a role does not exist
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

/** Which version of a key was presented. */
export type PresentedVersion = { id: string; number: number };

/**
 * The limit that an API key sets to an actor that authenticates with it: its permissions, its restrictions, and the earlier of its
 * expiry and that of the presented version. A deleted key allows nothing.
 */
export async function limitOfKey(db: Db, { id, number }: PresentedVersion): Promise<Limit> {
  const key = await findKey(db, { id });
  const ends_at = key?.versions.find((version) => version.number === number)?.ends_at ?? null;
  const restrictions = key?.restrictions ?? {};
  return {
    by: `the API key "${key?.name ?? id}"`,
    rights: key ? await rightsIn(db, key) : [],
    until: earliest([key?.expires_at, ends_at]),
    restrictions,
    conditions: conditionsIn(restrictions),
  };
}

async function rightsIn(db: Db, { permissions, roles, restrictions }: Powers): Promise<Right[]> {
  const given = await rolesOf(db, roles);
  const all = [...permissions, ...given.flatMap((role) => role.permissions)];
  return all.flatMap((right) => narrowed(right, restrictions));
}

type Whose = { owner_id: string; powers: readonly Powers[]; now: Date };

/**
 * Guards creating, changing, rotating and enabling a key. The actor must hold every permission of the key; for a key of another
 * owner, also every permission of that owner and the right to export their groups. The key must expire no later, and be
 * restricted at least as much, as the credential that the actor uses.
 *
 * @throws Problem `forbidden`, naming the first missing permission, the latest allowed expiry, or the required restriction
 */
export async function mustHoldAll(
  trx: Trx,
  actor: Actor,
  { owner_id, powers, expires_at, now }: Whose & { expires_at: Date | null },
): Promise<void> {
  const rights: Right[] = actor.subject_id === owner_id ? [] : await listHeldRights(trx, owner_id, now);
  for (const each of powers) rights.push(...(await rightsIn(trx, each)));
  await mustHold({ db: trx, now: () => now }, actor, rights);
  await mustExportGroupsOf(trx, actor, owner_id, now);
  const send = 'Send an "expires_at" that is no later.';
  mustEndWithLimits(actor, { what: 'this key', until: expires_at, pointer: '/expires_at', send });
  mustCarryRestrictions(actor, powers.at(-1));
}

/** @throws Problem `forbidden`, naming the restriction */
function mustCarryRestrictions({ limits = [] }: Actor, given: Powers | undefined): void {
  for (const { by, restrictions, conditions } of limits) {
    const restriction = looserKind(restrictions, given?.restrictions ?? {});
    // A restriction that only removes rights was judged with the rights; but a role may get more rights later.
    const isWithinRights = !conditions.some((kind) => kind === restriction) && given?.roles.length === 0;
    if (restriction === undefined || isWithinRights) continue;
    const value = JSON.stringify(restrictions[restriction]);
    const detail = `You authenticate with ${by}, which has the restriction "${restriction}"; this key needs one that is at least as strict: send "restrictions": { "${restriction}": ${value} }.`;
    throw exceeding(detail, { restriction }, `/restrictions/${restriction}`);
  }
}
