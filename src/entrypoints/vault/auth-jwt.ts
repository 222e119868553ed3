import type { ClaimCondition, VaultAuthConfig } from '../../../db/schema.ts';
import { isPrintable } from '../../platform/http/index.ts';
import { VaultError } from './answers.ts';
import { keySetOf, pemsIn } from './auth-keys.ts';
import { type MethodShape, methodRoutes, mustNotSet } from './auth-methods.ts';
import { type Fields, objectIn, textIn, textsIn } from './fields.ts';

const jwt: MethodShape = {
  method: 'jwt',
  configIn,
  shownConfig: ({ config: { shown } }) => shown,
  roleIn,
};

/** Workloads with a JWT of an issuer, such as a CI system. */
export const jwtRoutes = methodRoutes(jwt);

const notKept = ['oidc_client_id', 'oidc_client_secret', 'oidc_discovery_ca_pem', 'jwks_ca_pem', 'jwks_pairs'];

function configIn(body: Fields): { config: VaultAuthConfig } {
  mustNotSet(body, [...notKept, 'jwt_supported_algs', 'provider_config']);
  const discovery = textIn(body, 'oidc_discovery_url') || undefined;
  const jwks_uri = textIn(body, 'jwks_url') || undefined;
  const pems = pemsIn(body, 'jwt_validation_pubkeys');
  const ways = [discovery, jwks_uri, pems.length > 0 ? pems : undefined].filter((way) => way !== undefined);
  if (ways.length !== 1)
    throw new VaultError(
      400,
      "exactly one of 'jwt_validation_pubkeys', 'jwks_url' or 'oidc_discovery_url' must be set",
    );
  const bound = textIn(body, 'bound_issuer') || undefined;
  const issuer = bound ?? discovery;
  if (issuer === undefined) throw new VaultError(400, 'bound_issuer must be set: it says whose tokens are accepted');
  // Keys of one issuer do not verify tokens of another (OpenID Connect Discovery §4.3).
  if (discovery && withoutSlash(discovery) !== withoutSlash(issuer))
    throw new VaultError(400, 'bound_issuer must be the issuer that oidc_discovery_url names, or set jwks_url');
  const default_role = textIn(body, 'default_role')?.toLowerCase() || undefined;
  const shown = {
    ...{ oidc_discovery_url: discovery ?? '', jwks_url: jwks_uri ?? '', jwt_validation_pubkeys: pems },
    ...{ bound_issuer: bound ?? '', default_role: default_role ?? '', jwt_supported_algs: [] },
    ...{
      oidc_client_id: '',
      oidc_response_mode: '',
      oidc_response_types: [],
      oidc_discovery_ca_pem: '',
      jwks_ca_pem: '',
      provider_config: {},
      namespace_in_state: true,
    },
  };
  const jwks = keySetOf(pems, 'jwt_validation_pubkeys');
  const keys = { ...(jwks && { jwks }), ...(jwks_uri !== undefined && { jwks_uri }) };
  return { config: { shown, issuer, ...keys, ...(default_role && { default_role }) } };
}

const withoutSlash = (address: string) => address.replace(/\/$/, '');

const ofUsers = ['allowed_redirect_uris', 'oidc_scopes', 'verbose_oidc_logging', 'max_age'];
const leeways = ['clock_skew_leeway', 'expiration_leeway', 'not_before_leeway'];

function roleIn(body: Fields) {
  const type = textIn(body, 'role_type') || 'jwt';
  if (type !== 'jwt') throw new VaultError(400, 'role_type must be "jwt": users sign in elsewhere');
  mustNotSet(body, [...ofUsers, ...leeways]);
  const user_claim = textIn(body, 'user_claim');
  if (!user_claim) throw new VaultError(400, 'a user claim must be defined on the role');
  const audiences = textsIn(body, 'bound_audiences') ?? [];
  if (audiences.length > 1)
    throw new VaultError(400, 'bound_audiences has one audience: each of several could use the token at the others');
  const bound_subject = textIn(body, 'bound_subject') || undefined;
  const bound_claims = objectIn(body, 'bound_claims') ?? {};
  const bound_claims_type = textIn(body, 'bound_claims_type') || 'string';
  if (!['string', 'glob'].includes(bound_claims_type))
    throw new VaultError(400, 'bound_claims_type must be "string" or "glob"');
  const conditions: ClaimCondition[] = [
    ...(bound_subject ? [{ claim: 'sub', equals: bound_subject }] : []),
    ...Object.entries(bound_claims).map(([claim, value]) => conditionOf(claim, value, bound_claims_type === 'glob')),
  ];
  if (conditions.length === 0)
    throw new VaultError(400, 'must have at least one bound constraint when creating/updating a role');
  const shown = {
    ...{ role_type: 'jwt', user_claim, user_claim_json_pointer: false, bound_audiences: audiences },
    ...{ bound_subject: bound_subject ?? '', bound_claims, bound_claims_type },
    claim_mappings: mappingsIn(body),
    ...{ groups_claim: '', oidc_scopes: null, allowed_redirect_uris: null, verbose_oidc_logging: false },
    ...{ clock_skew_leeway: 0, expiration_leeway: 0, not_before_leeway: 0, max_age: 0 },
  };
  const [audience] = audiences;
  const boundsAt = () => ({ conditions, ...(audience !== undefined && { audience }) });
  return { shown, boundsAt, warnings: [] };
}

/** @throws VaultError 400 */
function conditionOf(claim: string, value: unknown, isGlob: boolean): ClaimCondition {
  const values = [value].flat();
  const isText = values.length > 0 && values.every((each) => ['string', 'number', 'boolean'].includes(typeof each));
  if (!isText) throw new VaultError(400, `bound_claims: "${claim}" must be a text or a list of texts`);
  const texts = values.map(String);
  const globs = isGlob ? texts.filter((text) => text.includes('*')) : [];
  if (globs.length === 0) return texts.length === 1 ? { claim, equals: texts[0] ?? '' } : { claim, one_of: texts };
  const [glob = ''] = globs;
  if (texts.length > 1 || !/^[^*]+[:/]\*$/.test(glob))
    throw new VaultError(
      400,
      `bound_claims: "${claim}" is one pattern that ends with ":*" or "/*"; other patterns are not supported`,
    );
  return { claim, prefix: glob.slice(0, -1) };
}

const mostMappings = 20;

/** Claims that become metadata of the token. @throws VaultError 400 */
function mappingsIn(body: Fields): Record<string, string> {
  const entries = Object.entries(objectIn(body, 'claim_mappings') ?? {});
  const isName = (text: unknown, most: number) => typeof text === 'string' && text.length <= most && isPrintable(text);
  const isFit = entries.every(([claim, name]) => isName(claim, 256) && isName(name, 128));
  if (isFit && entries.length <= mostMappings) return Object.fromEntries(entries) as Record<string, string>;
  throw new VaultError(400, `claim_mappings has at most ${mostMappings} claims, each with a name`);
}
