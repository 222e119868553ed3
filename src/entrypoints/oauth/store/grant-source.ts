import type { KoaContextWithOIDC } from 'oidc-provider';

/** The code or token with which a request asks for the tokens that a user granted; undefined: it uses another grant type. */
export function grantSource({ entities }: KoaContextWithOIDC['oidc']) {
  const { AuthorizationCode, RefreshToken, DeviceCode } = entities;
  return AuthorizationCode ?? RefreshToken ?? DeviceCode;
}
