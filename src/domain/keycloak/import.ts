import type { Actor } from '../../platform/http/index.ts';
import { invalid, Problem } from '../../platform/http/index.ts';
import { type ApplyDeps, applyConfiguration, type Change } from '../apply/index.ts';
import { type ClientInput, checkClient } from '../clients/index.ts';
import { convertedClients, convertedRoles, roleName, skipped } from './convert.ts';
import { convertedUsers, plainUsername } from './convert-users.ts';
import { accountsIn, keyOfAccount } from './identities.ts';
import { type Note, noteLossesOfRealm, type Unmatched } from './losses.ts';
import { Realm } from './schemas.ts';
import { findTaken } from './store.ts';

export type ImportResult = { changes: Change[]; unmatched: Unmatched[] };

/**
 * Imports a realm that Keycloak exported: its roles, clients and users with their password hashes, all or nothing. What exists here
 * under the same name or e-mail address stays as it is.
 *
 * @throws Problem `invalid`: the file is not a realm
 */
export async function importRealm(
  deps: ApplyDeps,
  actor: Actor,
  { content, dryRun }: { content: unknown; dryRun: boolean },
): Promise<ImportResult> {
  const realm = realmIn(content);
  const taken = await findTaken(deps.db, {
    ids: realm.users.map(({ id = '' }) => id.toLowerCase()).filter((id) => /^[0-9a-f-]{36}$/.test(id)),
    usernames: realm.users.flatMap((user) => [user.username, plainUsername(user)]).map((name) => name.toLowerCase()),
    emails: realm.users.flatMap(({ email }) => email?.toLowerCase() ?? []),
    clients: realm.clients.map(({ clientId }) => clientId),
    roles: realm.roles.realm.map(({ name }) => roleName(name)),
    accounts: accountsIn(realm).map(keyOfAccount),
  });
  const unmatched: Unmatched[] = [];
  const note: Note = (kind, name, problem) => unmatched.push({ kind, name, problem });
  noteLossesOfRealm(realm, note);
  const roles = convertedRoles(realm, taken, note);
  const clients = await usable(deps, convertedClients(realm, taken, note), note);
  const imported = new Set(roles.map(({ name }) => name));
  const given = new Set(realm.roles.realm.map(({ name }) => name).filter((name) => imported.has(roleName(name))));
  const users = await convertedUsers({ realm, taken, roles: given, note });
  const file = { resource_servers: [], roles, clients, users };
  const options = { dryRun, missingSecrets: 'make', missingPasswords: 'leave' } as const;
  const { changes } = await applyConfiguration(deps, actor, file, options);
  return { changes, unmatched };
}

/** The clients whose registration would be accepted here. */
async function usable(deps: ApplyDeps, clients: readonly ClientInput[], note: Note): Promise<ClientInput[]> {
  const accepted: ClientInput[] = [];
  for (const client of clients) {
    try {
      await checkClient(deps, client);
      accepted.push(client);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      skipped(note, 'client', client.client_id, error.message);
    }
  }
  return accepted;
}

/** Parses a realm; a refusal names the first wrong member. */
function realmIn(content: unknown): Realm {
  if (Array.isArray(content))
    throw invalid('', 'The file has several realms. Export one: kc.sh export --realm <name>.');
  const parsed = Realm.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue ? ` "${issue.path.map(String).join('.')}": ${issue.message}.` : '';
  throw invalid('', `This is not a realm that Keycloak exported (kc.sh export, or the export of the console).${where}`);
}
