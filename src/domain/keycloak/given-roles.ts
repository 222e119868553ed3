import type { KeycloakUser, Realm } from './schemas.ts';

type Group = Realm['groups'][number];

/**
 * The realm roles of each user in a realm: assigned ones, those of their groups and the parents of these, and those that such a role
 * contains.
 */
export function givenRoles(realm: Realm): (user: Pick<KeycloakUser, 'realmRoles' | 'groups'>) => string[] {
  const ofGroup = new Map<string, readonly string[]>();
  for (const group of realm.groups) collect(group, { path: '', roles: [] }, ofGroup);
  const contained = new Map(realm.roles.realm.map(({ name, composites }) => [name, composites?.realm ?? []]));
  return ({ realmRoles, groups }) => {
    const found = new Set<string>();
    const open = [...realmRoles, ...groups.flatMap((path) => ofGroup.get(path) ?? [])];
    for (let role = open.pop(); role !== undefined; role = open.pop()) {
      if (found.has(role)) continue;
      found.add(role);
      open.push(...(contained.get(role) ?? []));
    }
    return [...found];
  };
}

/** Collects the roles of a group and of all its subgroups, by path. */
function collect(
  { name, path, realmRoles, subGroups }: Group,
  around: { path: string; roles: readonly string[] },
  found: Map<string, readonly string[]>,
): void {
  const own = { path: path ?? `${around.path}/${name}`, roles: [...around.roles, ...realmRoles] };
  found.set(own.path, own.roles);
  for (const group of subGroups) collect(group, own, found);
}
