import Provider, { errors } from 'oidc-provider';
import { isSecretMethod } from '../../../domain/clients/index.ts';
import { isLoopbackName, Problem } from '../../../platform/http/index.ts';
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

type WrongMember = { pointer: string; detail: string };

/**
 * Opens a judge of RFC 7591 client metadata, which decides as the provider will when the client is used.
 * The judge throws Problem `invalid`, whose `errors` point at every wrong member; what the library finds comes one at a time.
 */
export function clientMetadataRules(): (metadata: Record<string, unknown>) => Promise<void> {
  let model: ClientModel | undefined;
  return async (metadata) => {
    model ??= hiddenModels(new Provider('https://latchkey.invalid', metadataRules())).Client;
    await validate(model, metadata);
  };
}

async function validate(model: ClientModel, metadata: Record<string, unknown>): Promise<void> {
  const wrong = [...unknownMembers(metadata), ...unsafeMembers(metadata)];
  const found = wrong.length > 0 ? wrong : await wrongByLibrary(model, metadata);
  const [first] = found;
  if (!first) return;
  const more = found.length > 1 ? ` (and ${found.length - 1} more)` : '';
  const { pointer, detail } = first;
  throw new Problem(400, 'invalid', {
    title: 'Invalid input',
    detail: `Client "${String(metadata.client_id)}": ${`${memberAt(pointer)} ${detail}`.trim()}${more}.`,
    ...(pointer && { pointer }),
    members: { errors: found },
  });
}

/** `/redirect_uris/0` is `redirect_uris`: the words of the registration. */
const memberAt = (pointer: string) => pointer.split('/')[1] ?? '';

const unknownMembers = (metadata: Record<string, unknown>): WrongMember[] =>
  Object.keys(metadata)
    .filter((member) => !known.has(member))
    .map((member) => ({ pointer: `/${member}`, detail: 'is not a client member that this server supports' }));

/** What oidc-provider itself refuses. */
async function wrongByLibrary(model: ClientModel, metadata: Record<string, unknown>): Promise<WrongMember[]> {
  const usesSecret = isSecretMethod(metadata.token_endpoint_auth_method);
  try {
    await model.validate(usesSecret ? { ...metadata, client_secret: 'compared as digests' } : metadata);
    return [];
  } catch (error) {
    if (!(error instanceof errors.InvalidClientMetadata)) throw error;
    return [memberIn(metadataWords(error.error_description ?? 'the metadata is invalid'))];
  }
}

/** Takes `redirect_uris must …` apart; `jwks and jwks_uri must not …` is about the registration. */
function memberIn(words: string): WrongMember {
  const [, member = '', detail = ''] = /^(\w+) (?!and |or )(.+)$/.exec(words) ?? [];
  return known.has(member) ? { pointer: `/${member}`, detail } : { pointer: '', detail: words };
}

/** What oidc-provider takes and RFC 9700, RFC 7591 or RFC 6749 §4.4 do not. */
function unsafeMembers(metadata: Record<string, unknown>): WrongMember[] {
  const { redirect_uris, post_logout_redirect_uris, grant_types, token_endpoint_auth_method, jwks_uri } = metadata;
  const wrong = Object.entries({ redirect_uris, post_logout_redirect_uris }).flatMap(([member, uris]) =>
    list(uris).flatMap((uri, n) => {
      const detail = redirectProblem(uri);
      return detail ? [{ pointer: `/${member}/${n}`, detail }] : [];
    }),
  );
  const actsAlone = list(grant_types).some((name) => grantTypeNamed(name)?.onBehalfOf === 'client');
  if (actsAlone && token_endpoint_auth_method === 'none')
    wrong.push({
      pointer: '/grant_types',
      detail: 'client_credentials needs a client that authenticates: a client_id alone is public',
    });
  if (typeof jwks_uri === 'string' && !jwks_uri.startsWith('https://'))
    wrong.push({ pointer: '/jwks_uri', detail: 'must begin with https://: over http, the keys could be replaced' });
  if (token_endpoint_auth_method === 'client_secret_jwt')
    wrong.push({
      pointer: '/token_endpoint_auth_method',
      detail: `client_secret_jwt is not supported: ${insteadOfSecretJwt}`,
    });
  return wrong;
}

const list = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

function redirectProblem(uri: string): string | undefined {
  const { protocol, hostname, username, password } = URL.parse(uri) ?? {};
  const quoted = JSON.stringify(uri);
  if (!protocol || /[^\u0021-\u007e]|[\\<>"^`{|}]/.test(uri)) return `${quoted} is not an address`;
  if (uri.includes('*')) return `${quoted} is compared exactly: "*" is not a wildcard`;
  if (username || password) return `${quoted} must not contain a user name`;
  const isPlain = protocol === 'http:' && !isLoopbackName(hostname ?? '');
  return isPlain
    ? `${quoted} must begin with https://: over http, codes and tokens could be read in transit`
    : undefined;
}
