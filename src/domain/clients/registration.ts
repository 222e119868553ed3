import type { ClientType, FactorKind } from '../../../db/schema.ts';
import { inOrder, weakestOf } from '../assurance/index.ts';
import { changesBetween } from '../audit/index.ts';
import { defaultSigningAlg } from '../signing-keys/index.ts';
import type { ClientInput } from './schemas.ts';
import type { Client } from './store.ts';

/**
 * The default signing algorithms for a client. They are stored with the client: clients from before this default keep the one they
 * had (migration 0018).
 */
export const signingDefaults = {
  id_token_signed_response_alg: defaultSigningAlg,
  authorization_signed_response_alg: defaultSigningAlg,
};

/** The defaults of members that a registration omits. */
export const registrationDefaults = {
  grant_types: ['authorization_code', 'refresh_token'],
  token_endpoint_auth_method: 'client_secret_basic' as const,
  ...signingDefaults,
};

/** The type of a client, derived from its metadata. */
function typeOf(metadata: Record<string, unknown>): ClientType {
  const grants = Array.isArray(metadata.grant_types) ? metadata.grant_types : registrationDefaults.grant_types;
  if (metadata.application_type === 'native') return 'native';
  if (grants.length === 1 && grants[0] === 'client_credentials') return 'service';
  return metadata.token_endpoint_auth_method === 'none' ? 'spa' : 'web';
}

/** A client as configuration names it; its secrets are stored as digests only. */
export function asInput(client: Client): ClientInput {
  const { client_id, metadata, first_party, claims_in_id_token, enabled, ...rest } = client;
  const { resources, service_permissions, introspects, lifetimes, owner, risk, allowed_factors } = rest;
  const may = { resources, service_permissions, introspects, lifetimes };
  const responsible = { ...(owner && { owner }), ...(risk && { risk }) };
  const factors = allowed_factors && { allowed_factors: inOrder(allowed_factors) };
  return { client_id, ...metadata, first_party, claims_in_id_token, ...factors, enabled, ...responsible, ...may };
}

export function split(input: ClientInput) {
  const {
    client_id: _,
    client_secret: __,
    first_party,
    claims_in_id_token,
    allowed_factors,
    enabled,
    owner: ___,
    risk = null,
    resources,
    service_permissions,
    introspects,
    lifetimes,
    ...rest
  } = input;
  const metadata = withDefaults(rest);
  const type = typeOf(metadata);
  return {
    metadata,
    columns: {
      ...{ metadata, type, first_party, claims_in_id_token, enabled, risk },
      ...{ resources, service_permissions, introspects, lifetimes },
      allowed_factors: allowed_factors ? inOrder(allowed_factors) : null,
    },
  };
}

type SignInTerms = { default_acr_values?: unknown; allowed_factors?: readonly FactorKind[] | null | undefined };

/** What a client requires of the sign-ins of its users; the weakest of the classes that it names is enough. */
export function signInOf({ default_acr_values, allowed_factors }: SignInTerms) {
  const named = Array.isArray(default_acr_values) ? default_acr_values.map(String) : [];
  return { required_acr: weakestOf(named), allowed_factors };
}

/** The signing algorithms that an existing client was registered with. */
export function signingAlgsOf(existing: Client | undefined): Record<string, unknown> {
  const members = Object.keys(signingDefaults);
  return Object.fromEntries(Object.entries(existing?.metadata ?? {}).filter(([member]) => members.includes(member)));
}

/** RFC 7591 §2's defaults, and none of the redirect members for a client that never redirects. */
function withDefaults(given: Record<string, unknown>): Record<string, unknown> {
  const metadata: Record<string, unknown> = { ...registrationDefaults, ...given };
  const redirects = Array.isArray(metadata.grant_types) && metadata.grant_types.includes('authorization_code');
  return redirects ? metadata : { response_types: [], redirect_uris: [], ...metadata };
}

export type Columns = ReturnType<typeof split>['columns'] & { owner_id: string | null };

export function asStored({ allowed_factors, ...columns }: Columns) {
  const { metadata, resources, service_permissions, introspects, lifetimes, ...plain } = columns;
  const json = { metadata, resources, service_permissions, introspects, lifetimes };
  return {
    ...plain,
    allowed_factors: allowed_factors && JSON.stringify(allowed_factors),
    ...(Object.fromEntries(Object.entries(json).map(([k, v]) => [k, JSON.stringify(v)])) as Record<
      keyof typeof json,
      string
    >),
  };
}

/** Records only the identifying members of JWKs: other members could contain key material that readers of the log must not see. */
export function changesOf(before: Client, after: Client) {
  const { jwks, ...changed } = changesBetween(asInput(before), asInput(after));
  return jwks ? { ...changed, jwks: { old: namesOfKeys(jwks.old), new: namesOfKeys(jwks.new) } } : changed;
}

function namesOfKeys(jwks: unknown) {
  const { keys } = (jwks ?? {}) as { keys?: Record<string, unknown>[] };
  return keys?.map(({ kid, kty, crv, alg, use }) => ({ kid, kty, crv, alg, use })) ?? null;
}
