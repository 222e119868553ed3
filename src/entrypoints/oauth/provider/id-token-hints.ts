import { decodeProtectedHeader } from 'jose';
import type Provider from 'oidc-provider';
import { signingAlgs } from '../../../domain/signing-keys/index.ts';
import { hiddenModels } from './library-seams.ts';

/**
 * Keeps an ID token valid as `id_token_hint` after its client was registered with another signature algorithm: otherwise no one who signed
 * in before that change could sign out at the client (OpenID Connect RP-Initiated Logout §2). Only the installation's own algorithms are
 * accepted, each with its own keys.
 */
export function acceptHintsOfEveryAlgorithm(provider: Provider): void {
  const model = hiddenModels(provider).IdToken;
  const validate = model.validate.bind(model);
  model.validate = (jwt, client) => {
    const { clientId, idTokenSignedResponseAlg } = client;
    return validate(jwt, { clientId, idTokenSignedResponseAlg: ownAlgOf(jwt) ?? idTokenSignedResponseAlg });
  };
}

function ownAlgOf(jwt: string): string | undefined {
  try {
    const { alg } = decodeProtectedHeader(jwt);
    return signingAlgs.find((own) => own === alg);
  } catch {
    // The library refuses a value that is not a JWT.
    return undefined;
  }
}
