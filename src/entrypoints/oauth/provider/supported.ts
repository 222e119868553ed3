import { defaultSigningAlg, signingAlgs } from '../../../domain/signing-keys/index.ts';

/** What a registration has where it leaves a member out. */
export const clientDefaults = {
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code' as const],
  token_endpoint_auth_method: 'client_secret_basic' as const,
  id_token_signed_response_alg: defaultSigningAlg,
  authorization_signed_response_alg: defaultSigningAlg,
};

export const responseTypes = ['code' as const];

/** Algorithms of what clients sign. Nothing symmetric: only digests of secrets are stored. */
export const clientSignatureAlgs = [...signingAlgs, 'Ed25519' as const];

export const enabledJWA = {
  authorizationSigningAlgValues: [...signingAlgs],
  clientAuthSigningAlgValues: clientSignatureAlgs,
  dPoPSigningAlgValues: [...clientSignatureAlgs, 'ES384' as const],
  requestObjectSigningAlgValues: clientSignatureAlgs,
  idTokenSigningAlgValues: [...signingAlgs],
  userinfoSigningAlgValues: [...signingAlgs],
};
