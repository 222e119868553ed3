import { RoleInput } from '../access/index.ts';
import { ClientInput } from '../clients/index.ts';
import { type Note, noteLossesOfClient, type Unmatched } from './losses.ts';
import { isOwnClient, isOwnRole } from './own.ts';
import type { KeycloakClient, Realm } from './schemas.ts';
import type { Taken } from './store.ts';

/** The name of a role here: lower case, with only the allowed characters. */
export const roleName = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9._-]+/g, '-');

/** The roles of a realm whose names are not taken, without permissions: in Keycloak, applications decide what a role permits. */
export function convertedRoles({ roles }: Realm, taken: Taken, note: Note): RoleInput[] {
  const names = new Set(taken.roles);
  for (const { name, composites } of roles.realm.filter((role) => isOwnRole(role.name))) {
    const given = (composites?.realm ?? []).filter((role) => !isOwnRole(role));
    if (given.length > 0) note('role', name, `new users do not get ${given.join(', ')}: assign them`);
  }
  return roles.realm
    .filter(({ name }) => !isOwnRole(name))
    .flatMap(({ name, description, composites }) => {
      if (names.has(roleName(name))) return skipped(note, 'role', name, 'a role of this name exists');
      names.add(roleName(name));
      if ((composites?.realm ?? []).length > 0)
        note('role', name, 'does not contain other roles here: users who have it get them now, others later do not');
      if (Object.keys(composites?.client ?? {}).length > 0)
        note('role', name, 'the roles of clients that it contains are not imported');
      const parsed = RoleInput.safeParse({ name: roleName(name), ...(description && { description }) });
      return parsed.success ? [parsed.data] : skipped(note, 'role', name, wordsOf(parsed.error));
    });
}

/** The clients of a realm whose ids are not taken, without access to APIs. */
export function convertedClients({ clients, users }: Realm, taken: Taken, note: Note): ClientInput[] {
  const accounts = new Map(users.map((user) => [user.serviceAccountClientId, user]));
  return clients.flatMap((client) => {
    const { clientId: name } = client;
    if (isOwnClient(name)) return [];
    const problem = taken.clients.has(name) ? 'a client of this name exists' : unsupported(client);
    if (problem) return skipped(note, 'client', name, problem);
    const isExact = (uri: string) => !uri.includes('*') && URL.canParse(uri);
    for (const uri of client.redirectUris.filter((each) => !isExact(each)))
      note('client', name, `redirect URI ${uri}: only exact addresses are allowed; add them`);
    if (client.directAccessGrantsEnabled)
      note('client', name, 'the password grant does not exist here (RFC 9700 §2.4)');
    if (client.implicitFlowEnabled) note('client', name, 'the implicit grant does not exist here (RFC 9700 §2.1.2)');
    const parsed = ClientInput.safeParse(registrationOf(client, client.redirectUris.filter(isExact)));
    if (!parsed.success) return skipped(note, 'client', name, wordsOf(parsed.error));
    noteLossesOfClient(client, note);
    const { realmRoles = [], clientRoles = {} } = accounts.get(name) ?? {};
    const own = [...realmRoles.filter((role) => !isOwnRole(role)), ...Object.keys(clientRoles)];
    if (own.length > 0) note('client', name, `not imported: the roles of its service account (${own.join(', ')})`);
    note('client', name, 'has no access to APIs yet: give it resources');
    return [parsed.data];
  });
}

function unsupported(client: KeycloakClient): string | undefined {
  if (client.protocol !== 'openid-connect') return `the protocol ${client.protocol} has no counterpart`;
  if (client.bearerOnly) return 'a bearer-only client is an API here: register a resource server';
  if (!client.publicClient && client.clientAuthenticatorType !== 'client-secret')
    return `the authentication ${client.clientAuthenticatorType} is not imported: register it with its keys`;
  if (!client.publicClient && (!client.secret || /^\**$/.test(client.secret)))
    return 'the export has no secret of it: export with secrets, or register it';
  const isUsable = client.standardFlowEnabled ? client.redirectUris.length > 0 : client.serviceAccountsEnabled;
  return isUsable ? undefined : 'it has no flow that Latchkey supports';
}

function registrationOf(client: KeycloakClient, redirect_uris: string[]) {
  const { clientId: client_id, name, publicClient, secret, serviceAccountsEnabled, enabled } = client;
  const hasCode = client.standardFlowEnabled && redirect_uris.length > 0;
  const code = hasCode ? ['authorization_code', 'refresh_token'] : [];
  const own = serviceAccountsEnabled && !publicClient ? ['client_credentials'] : [];
  return {
    client_id,
    ...(name && !name.startsWith('${') && { client_name: name }),
    ...(redirect_uris.some((uri) => !/^https?:/.test(uri)) && { application_type: 'native' }),
    ...(publicClient ? { token_endpoint_auth_method: 'none' } : { client_secret: secret }),
    ...(hasCode && { redirect_uris, scope: 'openid profile email' }),
    grant_types: [...code, ...own],
    enabled,
  };
}

/** Reports something that is not imported. */
export function skipped(note: Note, kind: Unmatched['kind'], name: string, problem: string): [] {
  note(kind, name, `not imported: ${problem}`);
  return [];
}

export function wordsOf({ issues }: { issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  return issues.map(({ path, message }) => `${path.map(String).join('.')} ${message}`).join('; ');
}
