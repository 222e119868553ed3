import type { JWTPayload } from 'jose';
import type { LoginSettings, RoleMapping } from '../../../db/schema.ts';
import type { Trx } from '../../platform/database/index.ts';
import { type Actor, invalid, pathAt } from '../../platform/http/index.ts';
import { administers, listRolesNamed, mustBePermitted, mustGive } from '../access/index.ts';
import type { RoleMappingInput } from './condition-schemas.ts';
import { meetsAny } from './conditions.ts';
import { type LoginInput, usualRoleDays } from './login.ts';

type Mapping = { role_mappings?: readonly (RoleMappingInput & { role_id?: string })[] | undefined };

/** The mappings of a trust in the form of a configuration file. */
export function namedMappings(login: Mapping | undefined | null): RoleMappingInput[] {
  return (login?.role_mappings ?? []).map(({ role_id: _, ...mapping }) => mapping);
}

/** The sign-in settings of a trust in the form of a configuration file. */
export function namedLogin(login: LoginSettings) {
  return { ...login, role_mappings: namedMappings(login), mapped_role_days: mappedRoleDays(login) };
}

/**
 * The mappings with the ids of their roles: a later role of the same name is not assigned. A deleted role is kept if the trust named it
 * before.
 *
 * @throws Problem `invalid`: there is no such role
 */
export async function identifiedMappings(
  trx: Trx,
  login: LoginInput | undefined,
  existing: LoginSettings | undefined | null,
): Promise<RoleMapping[]> {
  const mappings = login?.role_mappings ?? [];
  const names = [...new Set(mappings.map(({ role }) => role))];
  const roles = names.length === 0 ? [] : await listRolesNamed(trx, names);
  const idOf = (name: string) =>
    roles.find((role) => role.name === name)?.id ?? existing?.role_mappings?.find(({ role }) => role === name)?.role_id;
  return mappings.map((mapping, n) => {
    const role_id = idOf(mapping.role);
    if (role_id === undefined) throw invalid(`/login/role_mappings/${n}/role`, `There is no role "${mapping.role}".`);
    return { ...mapping, role_id };
  });
}

/**
 * Guards mappings, before and after a change: an actor who chooses the accepted claims decides who has these roles, and so must be
 * allowed to assign each.
 *
 * @throws Problem `forbidden`; `invalid`: a role has permissions of Latchkey, and the trust is not for administrators
 */
export async function mustBeAllowedToMap(
  trx: Trx,
  actor: Actor,
  { before, after, now }: { before: LoginSettings | undefined | null; after: LoginInput; now: Date },
): Promise<void> {
  const named = [...namedMappings(before), ...after.role_mappings].map(({ role }) => role);
  if (named.length === 0) return;
  mustBePermitted(actor, 'latchkey:role:assign', 'Giving roles by claims');
  const present = await listRolesNamed(trx, [...new Set(named)]);
  const names = present.map(({ name }) => name);
  await mustGive(trx, actor, names, now);
  const administrative = present.filter(administers).map(({ name }) => name);
  const at = after.role_mappings.findIndex(({ role }) => administrative.includes(role));
  if (at < 0 || after.for_administrators) return;
  const detail = `The role "${after.role_mappings[at]?.role}" has permissions of Latchkey or of secrets: set for_administrators, or name another role.`;
  throw invalid(`/login/role_mappings/${at}/role`, detail);
}

/** The roles for the claims of an account, by id. */
export function mappedRoleIds(claims: JWTPayload, { role_mappings = [] }: LoginSettings): string[] {
  const met = role_mappings.filter((mapping) => meetsAny(claims, mapping));
  return [...new Set(met.map(({ role_id }) => role_id))];
}

/** For how many days after a sign-in with the provider its roles are active. */
export function mappedRoleDays({ mapped_role_days = usualRoleDays }: Pick<LoginSettings, 'mapped_role_days'>): number {
  return mapped_role_days;
}

/** The claims of the ID token that the mappings use. */
export function mappedClaims({ role_mappings = [] }: LoginSettings): string[] {
  return [
    ...new Set(role_mappings.flatMap(({ claim }) => (claim.startsWith('/') ? pathAt(claim).slice(0, 1) : claim))),
  ];
}
