import { registrationDefaults } from '../../../domain/clients/index.ts';
import { signingAlgs } from '../../../domain/signing-keys/index.ts';

export const responseTypes = ['code' as const];

/** The provider's defaults for members that client metadata leaves out. */
export const clientDefaults = { ...registrationDefaults, response_types: responseTypes };

/** Signature algorithms for clients. None is symmetric: only digests of secrets are stored. */
export const clientSignatureAlgs = [...signingAlgs, 'Ed25519' as const];

export const enabledJWA = {
  authorizationSigningAlgValues: [...signingAlgs],
  clientAuthSigningAlgValues: clientSignatureAlgs,
  dPoPSigningAlgValues: [...clientSignatureAlgs, 'ES384' as const],
  requestObjectSigningAlgValues: clientSignatureAlgs,
  idTokenSigningAlgValues: [...signingAlgs],
  userinfoSigningAlgValues: [...signingAlgs],
};
