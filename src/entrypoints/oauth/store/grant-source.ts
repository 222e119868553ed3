import type { KoaContextWithOIDC } from 'oidc-provider';

/** The code or token with which a request asks for the tokens that a user granted; undefined: it asks with something else. */
export function grantSource({ entities }: KoaContextWithOIDC['oidc']) {
  const { AuthorizationCode, RefreshToken, DeviceCode } = entities;
  return AuthorizationCode ?? RefreshToken ?? DeviceCode;
}
