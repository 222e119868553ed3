import type { Actor } from '../../platform/http/index.ts';
import { invalid } from '../../platform/http/index.ts';
import { type ApplyDeps, applyConfiguration, type Change } from '../apply/index.ts';
import {
  convertedClients,
  convertedRoles,
  convertedUsers,
  plainUsername,
  roleName,
  type Unmatched,
} from './convert.ts';
import { Realm } from './schemas.ts';
import { findTaken } from './store.ts';

export type ImportResult = { changes: Change[]; unmatched: Unmatched[] };

/**
 * Imports a realm that Keycloak exported: its roles, clients and users with their password hashes, all or nothing. What exists here
 * under the same name or e-mail address stays as it is.
 *
 * @throws Problem `invalid`: this is no realm
 */
export async function importRealm(
  deps: ApplyDeps,
  actor: Actor,
  { content, dryRun }: { content: unknown; dryRun: boolean },
): Promise<ImportResult> {
  const parsed = Realm.safeParse(content);
  if (!parsed.success)
    throw invalid('', 'This is not a realm that Keycloak exported (kc.sh export, or the export of the console).');
  const realm = parsed.data;
  const taken = await findTaken(deps.db, {
    ids: realm.users.map(({ id = '' }) => id.toLowerCase()).filter((id) => /^[0-9a-f-]{36}$/.test(id)),
    usernames: realm.users.flatMap((user) => [user.username, plainUsername(user)]).map((name) => name.toLowerCase()),
    emails: realm.users.flatMap(({ email }) => email?.toLowerCase() ?? []),
    clients: realm.clients.map(({ clientId }) => clientId),
    roles: realm.roles.realm.map(({ name }) => roleName(name)),
  });
  const unmatched: Unmatched[] = [];
  const note = (kind: Unmatched['kind'], name: string, problem: string) => unmatched.push({ kind, name, problem });
  noteOthers(realm, note);
  const roles = convertedRoles(realm, taken, note);
  const clients = convertedClients(realm, taken, note);
  const users = convertedUsers(realm, { taken, roles: new Set(roles.map(({ name }) => name)) }, note);
  const file = { resource_servers: [], roles, clients, users };
  const options = { dryRun, missingSecrets: 'make', missingPasswords: 'leave' } as const;
  const { changes } = await applyConfiguration(deps, actor, file, options);
  return { changes, unmatched };
}

function noteOthers(
  { groups, identityProviders, components }: Realm,
  note: (...of: [Unmatched['kind'], string, string]) => void,
) {
  if (groups.length > 0) note('realm', 'groups', `${groups.length} groups have no counterpart: use roles`);
  if (identityProviders.length > 0)
    note('realm', 'identity providers', `${identityProviders.length} identity providers are not imported`);
  if ('org.keycloak.storage.UserStorageProvider' in components)
    note('realm', 'user federation', 'users of LDAP and other directories are not in the export');
}
