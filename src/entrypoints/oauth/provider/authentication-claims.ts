import type { KoaContextWithOIDC, UnknownObject } from 'oidc-provider';
import { mustBeAuthenticatedForClient } from '../interactions/assurance.ts';
import { type ClientDeps, grantSource } from '../store/index.ts';

/**
 * How and when the user of an access token authenticated, for the API that it is for (RFC 9470 §6): `acr`, `amr` and `auth_time` as in the
 * ID token. A token of a client itself has none. If the client requires another authentication, no token is issued.
 */
export function authenticationClaims(deps: ClientDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<UnknownObject | undefined> => {
    const source = grantSource(ctx.oidc);
    if (!source) return undefined;
    await mustBeAuthenticatedForClient(deps, ctx);
    const { acr, amr, authTime: auth_time } = source;
    const known = Object.entries({ acr, amr, auth_time }).filter(([, value]) => value !== undefined);
    return known.length > 0 ? Object.fromEntries(known) : undefined;
  };
}
