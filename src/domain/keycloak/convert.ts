import { RoleInput } from '../access/index.ts';
import { ClientInput } from '../clients/index.ts';
import { UserInput } from '../users/index.ts';
import { convertedHash } from './hashes.ts';
import { type Note, noteLossesOf, noteLossesOfClient, type Unmatched } from './losses.ts';
import { isOwnClient, isOwnRole } from './own.ts';
import type { KeycloakClient, KeycloakUser, Realm } from './schemas.ts';
import type { Taken } from './store.ts';

export type ImportedUser = UserInput & { id?: string };

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The name of a role here: lower case, without other characters. */
export const roleName = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9._-]+/g, '-');

/** The username of a user here: an e-mail address is no username, its local part is. */
export const plainUsername = ({ username }: Pick<KeycloakUser, 'username'>) =>
  (username.split('@')[0] ?? '').replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60);

/** The roles of a realm that are not taken, without permissions: what they permit is decided by applications there. */
export function convertedRoles({ roles }: Realm, taken: Taken, note: Note): RoleInput[] {
  const names = new Set(taken.roles);
  for (const { name, composites } of roles.realm.filter((role) => isOwnRole(role.name))) {
    const given = (composites?.realm ?? []).filter((role) => !isOwnRole(role));
    if (given.length > 0) note('role', name, `every user has ${given.join(', ')} by it: assign them here`);
  }
  return roles.realm
    .filter(({ name }) => !isOwnRole(name))
    .flatMap(({ name, description, composite }) => {
      if (names.has(roleName(name))) return skipped(note, 'role', name, 'a role of this name exists');
      names.add(roleName(name));
      if (composite) note('role', name, 'the roles that it contains are not imported');
      const parsed = RoleInput.safeParse({ name: roleName(name), ...(description && { description }) });
      return parsed.success ? [parsed.data] : skipped(note, 'role', name, wordsOf(parsed.error));
    });
}

/** The clients of a realm that are not taken, without access to APIs. */
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
  return isUsable ? undefined : 'it has no flow that exists here';
}

function registrationOf(client: KeycloakClient, redirect_uris: string[]) {
  const { clientId: client_id, name, publicClient, secret, serviceAccountsEnabled, enabled } = client;
  const hasCode = client.standardFlowEnabled && redirect_uris.length > 0;
  const code = hasCode ? ['authorization_code', 'refresh_token'] : [];
  const own = serviceAccountsEnabled && !publicClient ? ['client_credentials'] : [];
  return {
    client_id,
    ...(name && !name.startsWith('${') && { client_name: name }),
    ...(publicClient ? { token_endpoint_auth_method: 'none' } : { client_secret: secret }),
    ...(hasCode && { redirect_uris, scope: 'openid profile email' }),
    grant_types: [...code, ...own],
    enabled,
  };
}

/** The users of a realm that are not taken, with their ids where these are free. */
export function convertedUsers(
  { users }: Realm,
  { taken, roles }: { taken: Taken; roles: ReadonlySet<string> },
  note: Note,
): ImportedUser[] {
  const [usernames, emails] = [new Set(taken.usernames), new Set<string>()];
  const people = users.filter(({ serviceAccountClientId }) => !serviceAccountClientId);
  return people.flatMap((listed) => {
    const { username: name } = listed;
    const problem = existing(listed, taken);
    if (problem) return skipped(note, 'user', name, problem);
    const address = listed.email?.toLowerCase() ?? '';
    const isSecond = address !== '' && emails.has(address);
    if (isSecond) note('user', name, 'gets no e-mail address: another user of the file has it');
    emails.add(address);
    const user = isSecond ? { ...listed, email: null } : listed;
    const username = freeName(plainUsername(user), usernames);
    const parsed = UserInput.safeParse(accountOf(user, { username, roles, note }));
    if (!parsed.success) return skipped(note, 'user', name, wordsOf(parsed.error));
    usernames.add(username.toLowerCase());
    if (username !== name) note('user', name, `gets the username ${username}`);
    noteLossesOf(user, roles, note);
    const id = user.id?.toLowerCase() ?? '';
    const isFree = uuid.test(id) && !taken.ids.has(id);
    if (!isFree) note('user', name, 'gets another sub: the id is taken, or no UUID');
    return [{ ...parsed.data, ...(isFree && { id }) }];
  });
}

function existing({ username, email }: KeycloakUser, taken: Taken): string | undefined {
  if (email && taken.emails.has(email.toLowerCase())) return 'a user with this e-mail address exists';
  return taken.usernames.has(username.toLowerCase()) ? 'a user of this name exists' : undefined;
}

type Account = { username: string; roles: ReadonlySet<string>; note: Note };

function accountOf(user: KeycloakUser, { username, roles, note }: Account) {
  const { email, emailVerified: email_verified, enabled } = user;
  const { hash, problem } = convertedHash(user);
  if (problem) note('user', user.username, `${problem}; they choose a new password with a link`);
  const name = [user.firstName, user.lastName].filter(Boolean).join(' ');
  return {
    ...{ username, enabled, roles: rolesOf(user, roles) },
    ...(email && { email, email_verified }),
    ...(name && { name }),
    ...(hash && { password_hash: hash }),
  };
}

const rolesOf = ({ realmRoles }: KeycloakUser, known: ReadonlySet<string>) => [
  ...new Set(realmRoles.filter((role) => known.has(role)).map(roleName)),
];

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const isTaken = (name: string) => taken.has(name.toLowerCase());
  if (!isTaken(wanted)) return wanted;
  for (let n = 2; ; n += 1) if (!isTaken(`${wanted}-${n}`)) return `${wanted}-${n}`;
}

function skipped(note: Note, kind: Unmatched['kind'], name: string, problem: string): [] {
  note(kind, name, `not imported: ${problem}`);
  return [];
}

function wordsOf({ issues }: { issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  return issues.map(({ path, message }) => `${path.map(String).join('.')} ${message}`).join('; ');
}
