import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ClientRecord } from '../store/index.ts';
import { grantTypeNamed } from '../token-endpoint/grants/index.ts';
import { scopesIn } from './request-bounds.ts';

/** OpenID Connect's own scopes; every other belongs to a resource server. */
export const identityScopes = ['openid', 'offline_access', 'profile', 'email', 'groups'];

/** The scopes of a request; where it names none, those that its code or token was granted. */
export function requestedScopes(ctx: KoaContextWithOIDC): string[] {
  const { AuthorizationCode, DeviceCode, RefreshToken } = ctx.oidc.entities;
  const asked = ctx.oidc.params?.scope ?? (AuthorizationCode ?? DeviceCode ?? RefreshToken)?.scope;
  return typeof asked === 'string' ? scopesIn(asked) : [];
}

export function setScope(ctx: KoaContextWithOIDC, scopes: readonly string[]): void {
  if (ctx.oidc.params) ctx.oidc.params.scope = scopes.join(' ');
}

/** The resources that a request names, as one or several. */
export function requestedResources(ctx: KoaContextWithOIDC): string[] {
  return [ctx.oidc.params?.resource ?? []].flat().map(String);
}

/** Where a request names its scopes itself; a code or refresh token brings those that were granted. */
export function isFirstRequest(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.route !== 'token' || isForItself(ctx);
}

/** Requests without a user who signs in (client credentials, API keys): the scopes of OpenID Connect have no meaning. */
export function isForItself(ctx: KoaContextWithOIDC): boolean {
  const asked = grantTypeNamed(ctx.oidc.params?.grant_type);
  return asked !== undefined && asked.onBehalfOf !== 'person';
}

/** Whether an API key decides what the token may, rather than a client. */
export function isExchange(ctx: KoaContextWithOIDC): boolean {
  return grantTypeNamed(ctx.oidc.params?.grant_type)?.onBehalfOf === 'api_key';
}

/** On behalf of people a client has `resources`; for itself `service_permissions`. */
export function entitlementsOf(ctx: KoaContextWithOIDC, record: ClientRecord): Record<string, string[]> {
  return isForItself(ctx) ? record.service_permissions : record.resources;
}
