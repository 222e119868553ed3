import { invalid } from '../../../platform/http/index.ts';
import { jsonObject } from './input.ts';
import type { OptionNames } from './usage.ts';

/** The options of `client create` and `client update`. */
export type RegistrationOptions = {
  json?: boolean;
  name?: string;
  redirectUri: string[];
  scope?: string;
  resource: string[];
  introspects: string[];
  corsOrigin: string[];
  allow?: string;
  firstParty?: boolean;
  idTokenAlg?: string;
  claimsInIdToken: boolean;
  ownerUser?: string;
  ownerClient?: string;
  risk?: string;
  patch?: string;
};

/** The options of a registration's members. */
export const registrationOptions: OptionNames = {
  client_id: '<client-id>',
  client_name: '--name',
  redirect_uris: '--redirect-uri',
  resources: '--resource',
  service_permissions: '--resource',
  allowed_cors_origins: '--cors-origin',
  id_token_signed_response_alg: '--id-token-alg',
  allowed_factors: '--allow',
};

/** The members of a registration that were given; others are absent. */
export function membersIn(options: RegistrationOptions, isService: boolean): Record<string, unknown> {
  const { name, redirectUri, scope, resource, introspects, corsOrigin, risk, idTokenAlg } = options;
  const resources = scopesByResource(resource);
  return {
    ...(name !== undefined && { client_name: name }),
    ...(redirectUri.length > 0 && { redirect_uris: redirectUri }),
    ...(scope !== undefined && { scope }),
    ...(resource.length > 0 && { [isService ? 'service_permissions' : 'resources']: resources }),
    ...(introspects.length > 0 && { introspects }),
    ...(corsOrigin.length > 0 && { allowed_cors_origins: corsOrigin }),
    ...ownerIn(options),
    ...(risk !== undefined && { risk }),
    ...(options.allow !== undefined && { allowed_factors: methodsIn(options.allow) }),
    ...(options.firstParty && { first_party: true }),
    ...(idTokenAlg !== undefined && { id_token_signed_response_alg: idTokenAlg }),
    ...(!options.claimsInIdToken && { claims_in_id_token: false }),
    ...jsonObject(options.patch, '--patch'),
  };
}

/** The methods of an option, separated by commas; null: all. The route refuses invalid ones. */
export const methodsIn = (text: string) =>
  text === 'all' ? null : text.split(',').map((name) => name.trim() as 'password');

function ownerIn({ ownerUser: user, ownerClient: client_id }: RegistrationOptions) {
  if (user !== undefined && client_id !== undefined)
    throw invalid('/owner', 'Name one owner: --owner-user or --owner-client.');
  if (user !== undefined) return { owner: { user } };
  return client_id === undefined ? {} : { owner: { client_id } };
}

/** The scopes of each API; an API can be named several times. */
export function scopesByResource(texts: readonly string[]): Record<string, string[]> {
  const named = Map.groupBy(texts.map(resourceOption), ([resource]) => resource);
  const scopesIn = (pairs: [string, string[]][]) => [...new Set(pairs.flatMap(([, scopes]) => scopes))];
  return Object.fromEntries([...named].map(([resource, pairs]) => [resource, scopesIn(pairs)]));
}

/** `https://api.example=read write`: an identifier may contain `=`, a scope cannot. */
function resourceOption(text: string): [string, string[]] {
  const at = text.lastIndexOf('=');
  if (at < 0) return [text, []];
  const scopes = text.slice(at + 1).split(/[ ,]+/);
  return [text.slice(0, at), scopes.filter(Boolean)];
}
