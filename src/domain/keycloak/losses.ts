import { isOwnClient, isOwnRole } from './own.ts';
import type { KeycloakClient, KeycloakUser, Realm } from './schemas.ts';

/** A part of a realm that is imported with differences, or not at all. */
export type Unmatched = { kind: 'user' | 'client' | 'role' | 'realm'; name: string; problem: string };
export type Note = (kind: Unmatched['kind'], name: string, problem: string) => void;

/** The first names, in parentheses. */
const named = (what: string, names: readonly string[]) =>
  names.length === 0 ? [] : [`${what} (${names.slice(0, 10).join(', ')}${names.length > 10 ? ', …' : ''})`];

/** The converted parts of a user, and the parts that were left out. */
type Converted = {
  /** The roles of the user in Keycloak. */
  given: readonly string[];
  /** The roles of the realm that are being imported, by their names in Keycloak. */
  roles: ReadonlySet<string>;
  /** Authenticator apps and accounts at providers that are left out. */
  left: { apps: readonly string[]; accounts: readonly string[] };
};

const converted: ReadonlySet<string> = new Set(['password', 'otp', 'totp', 'hotp']);

/** Reports the parts of a user that have no counterpart here. */
export function noteLossesOf(user: KeycloakUser, { given, roles, left }: Converted, note: Note): void {
  const others = user.credentials.map(({ type }) => type).filter((type) => !converted.has(type));
  const lost = [
    ...named('sign-in methods', others),
    ...left.apps,
    ...named(
      'roles',
      given.filter((role) => !isOwnRole(role) && !roles.has(role)),
    ),
    ...named(
      'roles of clients',
      Object.keys(user.clientRoles).filter((client) => !['account', 'broker'].includes(client)),
    ),
    ...named('groups, but for their realm roles', user.groups),
    ...named('linked accounts', left.accounts),
    ...named('attributes', Object.keys(user.attributes ?? {})),
    ...named('required actions', user.requiredActions),
  ];
  if (lost.length > 0) note('user', user.username, `not imported: ${lost.join(', ')}`);
  if (user.federationLink)
    note('user', user.username, 'the password is in another directory: they choose one with a link');
  else if (!user.credentials.some(({ type }) => type === 'password'))
    note('user', user.username, 'has no password: they choose one with a link');
}

/** Reports the parts of an imported client that have no counterpart here, or must be configured here. */
export function noteLossesOfClient(client: KeycloakClient, note: Note): void {
  const { attributes } = client;
  const has = (name: string) => {
    const value = attributes?.[name];
    return typeof value === 'string' && value !== '' && value !== 'false';
  };
  const lost = [
    ...named('CORS origins', client.webOrigins),
    ...(has('post.logout.redirect.uris') ? ['redirect URIs after sign-out'] : []),
    ...(has('backchannel.logout.url') || has('frontchannel.logout.url') ? ['logout URLs'] : []),
    ...(has('oauth2.device.authorization.grant.enabled') ? ['the device grant'] : []),
    ...(has('oidc.ciba.grant.enabled') ? ['the CIBA grant'] : []),
    ...(has('standard.token.exchange.enabled') ? ['token exchange'] : []),
    ...(has('access.token.lifespan') ? ['the lifetime of its tokens'] : []),
    ...named(
      'protocol mappers',
      client.protocolMappers.map(({ name }) => name),
    ),
    ...(client.authorizationServicesEnabled ? ['authorization services'] : []),
  ];
  if (lost.length > 0) note('client', client.clientId, `not imported: ${lost.join(', ')}`);
}

/** Reports the settings of the realm that are not imported. */
export function noteLossesOfRealm(realm: Realm, note: Note): void {
  const { groups, identityProviders, components, roles, users } = realm;
  if (users.length === 0) note('realm', 'users', 'the file has none: export with --users same_file');
  if (groups.length > 0)
    note('realm', 'groups', `${groups.length} groups have no counterpart: their members get their realm roles`);
  const clients = Object.entries(roles.client).filter(([client, own]) => !isOwnClient(client) && own.length > 0);
  for (const lost of named(
    'client roles of',
    clients.map(([client]) => client),
  ))
    note('realm', 'client roles', `${lost} have no counterpart: use scopes of an API`);
  if (identityProviders.length > 0)
    note(
      'realm',
      'identity providers',
      `${identityProviders.length} identity providers are not imported: create a trust of the kind login for each`,
    );
  if ('org.keycloak.storage.UserStorageProvider' in components)
    note('realm', 'user federation', 'users of LDAP and other directories are not in the export');
  const flows = realm.authenticationFlows.filter(({ builtIn }) => !builtIn).map(({ alias }) => alias);
  const scopes = realm.clientScopes.map(({ name }) => name).filter((name) => !builtInScopes.has(name));
  const lost = [
    ...named('sign-in flows', flows),
    ...named('client scopes', scopes),
    ...(realm.bruteForceProtected ? ['brute force detection (attempts are always limited here)'] : []),
    ...(realm.passwordPolicy ? ['the password policy'] : []),
    ...(Object.keys(realm.smtpServer).length > 0 ? ['the mail server'] : []),
    ...(realm.organizations.length > 0 ? [`${realm.organizations.length} organizations`] : []),
    'lifetimes, themes and event settings',
  ];
  note('realm', 'settings', `not imported: ${lost.join(', ')}`);
}

const builtInScopes = new Set(
  `acr address basic email microprofile-jwt offline_access organization phone profile role_list roles saml_organization
   service_account web-origins`.split(/\s+/),
);
