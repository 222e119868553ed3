import { z } from 'zod';
import { assuranceClasses } from '../../../domain/assurance/index.ts';
import { applicationProblem, redirectProblem } from '../../../domain/clients/index.ts';
import { canVerify, publicKeyProblem } from '../../../platform/crypto/index.ts';
import { canonicalAddress } from '../../../platform/http/index.ts';
import { identityScopes } from '../scopes/requested-scopes.ts';
import { grantTypeNamed, grantTypes } from '../token-endpoint/grants/index.ts';
import { clientAuthMethods, insteadOfSecretJwt } from './client-authentication.ts';
import { ownClientMembers } from './cors.ts';
import { clientDefaults, clientSignatureAlgs, enabledJWA, responseTypes } from './supported.ts';

// The rules are oidc-provider's and stricter ones of RFC 9700, 7591 and 6749, so that each error names its member with our text.

const text = z.string().min(1, { abort: true });
const hasProtocol = (uri: string, ...protocols: string[]) => protocols.includes(URL.parse(uri)?.protocol ?? '');
const webAddress = text.refine((uri) => hasProtocol(uri, 'https:', 'http:'), {
  error: 'must be an address that begins with https://',
  abort: true,
});
const httpsAddress = text.refine((uri) => hasProtocol(uri, 'https:'), 'must begin with https://');
const emailAddress = text.regex(/^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*$/i, 'must be an e-mail address');
const scope = text.refine(
  (scopes) => scopes.split(' ').every((each) => identityScopes.includes(each)),
  `can contain ${identityScopes.join(', ')} only; scopes of APIs belong in resources`,
);
const redirectUri = z.string().superRefine((uri, { addIssue }) => {
  const message = redirectProblem(uri);
  if (message) addIssue({ code: 'custom', message });
});

const publicMembers: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'x', 'y'],
  OKP: ['crv', 'x'],
  RSA: ['n', 'e'],
  AKP: ['alg', 'pub'],
};
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv', 'k'];

const publicKey = z
  .looseObject({
    kty: text,
    alg: text.optional(),
    kid: text.optional(),
    use: text.optional(),
    x5c: z.array(text).optional(),
  })
  .superRefine((jwk, { addIssue }) => {
    const isShared = jwk.kty === 'oct';
    if (isShared || privateMembers.some((member) => jwk[member] !== undefined))
      return addIssue({
        code: 'custom',
        message: 'must be a public key: private and shared keys stay with the client',
      });
    for (const member of publicMembers[jwk.kty] ?? [])
      if (!text.safeParse(jwk[member]).success)
        return addIssue({ code: 'custom', path: [member], message: 'is required' });
    const message = publicKeyProblem(jwk);
    if (message) addIssue({ code: 'custom', message });
    return undefined;
  });

/** The library's grant types must be registered; ours need no registration. */
const ownGrantTypes = new Set(grantTypes.filter(({ register }) => register).map(({ name }) => name));
const registeredGrantTypes = grantTypes.map(({ name }) => name).filter((name) => !ownGrantTypes.has(name));
const responseModes = ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'];

/** Names in a client's certificate (RFC 8705 §2.1.2). */
const certificateNames = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const;

const notJudged = Object.fromEntries(
  ['software_id', 'software_version', ...ownClientMembers].map((member) => [member, z.unknown().optional()]),
);

const members = z.strictObject({
  client_id: text,
  client_name: text.optional(),
  client_uri: webAddress.optional(),
  logo_uri: webAddress.optional(),
  policy_uri: webAddress.optional(),
  tos_uri: webAddress.optional(),
  contacts: z.array(emailAddress).optional(),
  application_type: z.enum(['native', 'web']).default('web'),
  redirect_uris: z.array(redirectUri).optional(),
  post_logout_redirect_uris: z.array(redirectUri).default([]),
  grant_types: z.array(z.enum(registeredGrantTypes)).default(clientDefaults.grant_types),
  response_types: z.array(z.enum(responseTypes)).default(clientDefaults.response_types),
  response_modes: z.array(z.enum(responseModes)).min(1).optional(),
  scope: scope.optional(),
  jwks: z.looseObject({ keys: z.array(publicKey) }).optional(),
  jwks_uri: webAddress
    .refine((uri) => hasProtocol(uri, 'https:'), 'must begin with https://: over http, the keys could be replaced')
    .optional(),
  token_endpoint_auth_method: z
    .enum(clientAuthMethods, {
      error: ({ input }) =>
        input === 'client_secret_jwt' ? `client_secret_jwt is not supported: ${insteadOfSecretJwt}` : undefined,
    })
    .default(clientDefaults.token_endpoint_auth_method),
  token_endpoint_auth_signing_alg: z.enum(clientSignatureAlgs).optional(),
  id_token_signed_response_alg: z.enum(enabledJWA.idTokenSigningAlgValues).optional(),
  authorization_signed_response_alg: z.enum(enabledJWA.authorizationSigningAlgValues).optional(),
  request_object_signing_alg: z.enum(clientSignatureAlgs).optional(),
  require_signed_request_object: z.boolean().optional(),
  require_pushed_authorization_requests: z.boolean().optional(),
  dpop_bound_access_tokens: z.boolean().optional(),
  tls_client_certificate_bound_access_tokens: z.boolean().optional(),
  backchannel_logout_uri: webAddress.optional(),
  backchannel_logout_session_required: z.boolean().optional(),
  default_max_age: z.int().min(0).optional(),
  require_auth_time: z.boolean().optional(),
  default_acr_values: z.array(z.enum(assuranceClasses)).min(1).optional(),
  initiate_login_uri: httpsAddress.optional(),
  subject_type: z.literal('public').optional(),
  tls_client_auth_subject_dn: text.optional(),
  tls_client_auth_san_dns: text.optional(),
  tls_client_auth_san_uri: text.optional(),
  tls_client_auth_san_ip: text
    .refine(
      (address) => canonicalAddress(address) !== undefined,
      'must be an IP address without a port, brackets or zone',
    )
    .optional(),
  tls_client_auth_san_email: text.optional(),
  ...notJudged,
});

type Members = z.output<typeof members>;
type Wrong = { path?: string[]; message: string };

/** Rules about several members; each is checked if its members are valid individually. */
function* wrongTogether(client: Members): Generator<Wrong> {
  yield* wrongRedirects(client);
  yield* wrongKeys(client);
  const { grant_types, token_endpoint_auth_method: method } = client;
  const isForItself = grant_types.some((name) => grantTypeNamed(name)?.onBehalfOf === 'client');
  if (isForItself && method === 'none')
    yield {
      path: ['grant_types'],
      message: 'client_credentials needs a client that authenticates: a client_id alone is public',
    };
  const names = certificateNames.filter((name) => client[name]);
  if (method === 'tls_client_auth' && names.length !== 1)
    yield {
      path: ['token_endpoint_auth_method'],
      message: `tls_client_auth needs exactly one of ${certificateNames.join(', ')}`,
    };
  if (client.dpop_bound_access_tokens && client.tls_client_certificate_bound_access_tokens)
    yield { message: 'dpop_bound_access_tokens and tls_client_certificate_bound_access_tokens must not both be true' };
}

function* wrongRedirects(client: Members): Generator<Wrong> {
  const { application_type, redirect_uris, post_logout_redirect_uris, response_types } = client;
  if (response_types.length > 0 && !redirect_uris?.length)
    yield { path: ['redirect_uris'], message: redirect_uris ? 'must not be empty' : 'is required' };
  for (const [member, uris = []] of Object.entries({ redirect_uris, post_logout_redirect_uris }))
    for (const [n, uri] of uris.entries()) {
      const message = applicationProblem(uri, application_type);
      if (message) yield { path: [member, String(n)], message };
    }
}

const methodsWithKeys = new Set<string>(['private_key_jwt', 'self_signed_tls_client_auth']);

function* wrongKeys(client: Members): Generator<Wrong> {
  const { jwks, jwks_uri, token_endpoint_auth_method: method } = client;
  const authenticates = methodsWithKeys.has(method);
  if (jwks && jwks_uri) yield { message: 'jwks and jwks_uri must not both be set' };
  if ((authenticates || client.request_object_signing_alg) && !jwks && !jwks_uri)
    yield {
      message: `jwks or jwks_uri is required: the client ${authenticates ? 'authenticates with a key' : 'signs its requests'}`,
    };
  yield* unusableKeys(client);
  if (client.token_endpoint_auth_signing_alg && method !== 'private_key_jwt')
    yield { path: ['token_endpoint_auth_signing_alg'], message: 'is only for private_key_jwt' };
}

/** Keys without which the client can neither authenticate nor sign a request. */
function* unusableKeys({ jwks, ...client }: Members): Generator<Wrong> {
  if (!jwks) return;
  const { token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: own } = client;
  const needed = [
    ...(method === 'private_key_jwt' ? [own ? [own] : clientSignatureAlgs] : []),
    ...(client.request_object_signing_alg ? [[client.request_object_signing_alg]] : []),
  ].find((algorithms) => !canVerify(jwks.keys, algorithms));
  if (needed) yield { path: ['jwks'], message: `must have a key for signatures with ${needed.join(', ')}` };
}

/** A client registration (RFC 7591 §2) that this server accepts. */
export const ClientMetadata = members.superRefine((client, { addIssue }) => {
  for (const wrong of wrongTogether(client)) addIssue({ code: 'custom', ...wrong });
});
