import Provider, { errors } from 'oidc-provider';
import { invalid } from '../platform/http/index.ts';
import { metadataRules } from './configuration.ts';

type ClientModel = { validate: (metadata: Record<string, unknown>) => Promise<void> };

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
  ...[
    'token_endpoint_auth_method',
    'token_endpoint_auth_signing_alg',
    'id_token_signed_response_alg',
    'userinfo_signed_response_alg',
  ],
  ...['default_max_age', 'require_auth_time', 'initiate_login_uri', 'subject_type'],
]);

/**
 * Opens a judge of RFC 7591 client metadata, which decides as the provider will when the client is used.
 * The judge throws Problem `invalid`, pointing at the member.
 */
export function clientMetadataRules(): (metadata: Record<string, unknown>) => Promise<void> {
  let model: ClientModel | undefined;
  return async (metadata) => {
    model ??= new Provider('https://latchkey.invalid', metadataRules()).Client as unknown as ClientModel;
    await validate(model, metadata);
  };
}

async function validate(model: ClientModel, metadata: Record<string, unknown>): Promise<void> {
  const unknown = Object.keys(metadata).find((member) => !known.has(member));
  if (unknown) throw invalid(`/${unknown}`, `"${unknown}" is not a client member this server supports.`);
  const usesSecret = ['client_secret_basic', 'client_secret_post'].includes(
    String(metadata.token_endpoint_auth_method),
  );
  try {
    await model.validate(usesSecret ? { ...metadata, client_secret: 'compared as digests' } : metadata);
  } catch (error) {
    if (!(error instanceof errors.InvalidClientMetadata)) throw error;
    const description = error.error_description ?? 'the metadata is invalid';
    const member = /^\w+/.exec(description)?.[0] ?? '';
    throw invalid(known.has(member) ? `/${member}` : '', `Client "${String(metadata.client_id)}": ${description}.`);
  }
}
