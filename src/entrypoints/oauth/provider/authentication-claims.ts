import type { KoaContextWithOIDC, UnknownObject } from 'oidc-provider';

/**
 * How and when the user of an access token authenticated, for the API that it is for (RFC 9470 §6): `acr`, `amr` and `auth_time` as in the
 * ID token. A token of a client itself has none of it.
 */
export async function authenticationClaims({ oidc }: KoaContextWithOIDC): Promise<UnknownObject | undefined> {
  const { AuthorizationCode, RefreshToken, DeviceCode } = oidc.entities;
  const source = AuthorizationCode ?? RefreshToken ?? DeviceCode;
  if (!source) return undefined;
  const { acr, amr, authTime: auth_time } = source;
  const known = Object.entries({ acr, amr, auth_time }).filter(([, value]) => value !== undefined);
  return known.length > 0 ? Object.fromEntries(known) : undefined;
}
