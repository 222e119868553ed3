import Provider, { errors } from 'oidc-provider';
import { isSecretMethod } from '../../../domain/clients/index.ts';
import { invalid, isLoopbackName } from '../../../platform/http/index.ts';
import { grantTypeNamed } from '../token-endpoint/grants/index.ts';
import { insteadOfSecretJwt } from './client-authentication.ts';
import { metadataRules } from './configuration.ts';
import { ownClientMembers } from './cors.ts';
import { type HiddenModels, hiddenModels } from './library-seams.ts';
import { metadataWords } from './metadata-words.ts';

type ClientModel = HiddenModels['Client'];

const known = new Set([
  ...[
    'client_id',
    'client_name',
    'client_uri',
    'logo_uri',
    'policy_uri',
    'tos_uri',
    'contacts',
    'software_id',
    'software_version',
  ],
  ...[
    'application_type',
    'redirect_uris',
    'post_logout_redirect_uris',
    'grant_types',
    'response_types',
    'scope',
    'jwks',
    'jwks_uri',
  ],
  ...['token_endpoint_auth_method', 'token_endpoint_auth_signing_alg', 'id_token_signed_response_alg'],
  ...[
    'response_modes',
    'dpop_bound_access_tokens',
    'require_pushed_authorization_requests',
    'authorization_signed_response_alg',
  ],
  ...['request_object_signing_alg', 'require_signed_request_object', 'tls_client_certificate_bound_access_tokens'],
  ...['tls_client_auth_subject_dn', 'tls_client_auth_san_dns', 'tls_client_auth_san_uri', 'tls_client_auth_san_ip'],
  ...['tls_client_auth_san_email', 'backchannel_logout_uri', 'backchannel_logout_session_required'],
  ...ownClientMembers,
  ...['default_max_age', 'require_auth_time', 'initiate_login_uri', 'subject_type'],
]);

/**
 * Opens a judge of RFC 7591 client metadata, which decides as the provider will when the client is used.
 * The judge throws Problem `invalid`, pointing at the member.
 */
export function clientMetadataRules(): (metadata: Record<string, unknown>) => Promise<void> {
  let model: ClientModel | undefined;
  return async (metadata) => {
    model ??= hiddenModels(new Provider('https://latchkey.invalid', metadataRules())).Client;
    await validate(model, metadata);
  };
}

async function validate(model: ClientModel, metadata: Record<string, unknown>): Promise<void> {
  const unknown = Object.keys(metadata).find((member) => !known.has(member));
  if (unknown) throw invalid(`/${unknown}`, `"${unknown}" is not a client member this server supports.`);
  refuseUnsafe(metadata);
  if (metadata.token_endpoint_auth_method === 'client_secret_jwt')
    throw invalid('/token_endpoint_auth_method', `client_secret_jwt is not supported: ${insteadOfSecretJwt}.`);
  const usesSecret = isSecretMethod(metadata.token_endpoint_auth_method);
  try {
    await model.validate(usesSecret ? { ...metadata, client_secret: 'compared as digests' } : metadata);
  } catch (error) {
    if (!(error instanceof errors.InvalidClientMetadata)) throw error;
    const description = error.error_description ?? 'the metadata is invalid';
    const member = /^\w+/.exec(description)?.[0] ?? '';
    throw invalid(
      known.has(member) ? `/${member}` : '',
      `Client "${String(metadata.client_id)}": ${metadataWords(description)}.`,
    );
  }
}

/** What oidc-provider takes and RFC 9700, RFC 7591 or RFC 6749 §4.4 do not. */
function refuseUnsafe(metadata: Record<string, unknown>): void {
  const { redirect_uris, post_logout_redirect_uris, grant_types, token_endpoint_auth_method, jwks_uri } = metadata;
  for (const [member, uris] of Object.entries({ redirect_uris, post_logout_redirect_uris })) {
    const problem = list(uris).map(redirectProblem).find(Boolean);
    if (problem) throw invalid(`/${member}`, `${member}: ${problem}`);
  }
  if (
    list(grant_types).some((name) => grantTypeNamed(name)?.onBehalfOf === 'client') &&
    token_endpoint_auth_method === 'none'
  )
    throw invalid('/grant_types', 'client_credentials needs a client that authenticates: a client_id alone is public.');
  if (typeof jwks_uri === 'string' && !jwks_uri.startsWith('https://'))
    throw invalid('/jwks_uri', 'jwks_uri must begin with https://: over http, the keys could be replaced in transit.');
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

function redirectProblem(uri: string): string | undefined {
  const { protocol, hostname, username, password } = URL.parse(uri) ?? {};
  const quoted = JSON.stringify(uri);
  if (!protocol || /[^\u0021-\u007e]|[\\<>"^`{|}]/.test(uri)) return `${quoted} is not an address.`;
  if (uri.includes('*')) return `${quoted} is compared exactly: "*" is not a wildcard.`;
  if (username || password) return `${quoted} must not hold a user name.`;
  const isPlain = protocol === 'http:' && !isLoopbackName(hostname ?? '');
  return isPlain
    ? `${quoted} must begin with https://: over http, codes and tokens could be read in transit.`
    : undefined;
}
