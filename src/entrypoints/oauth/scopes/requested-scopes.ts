import type { KoaContextWithOIDC } from 'oidc-provider';
import { type ClientRecord, grantSource } from '../store/index.ts';
import { grantTypeNamed } from '../token-endpoint/grants/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';
import { scopesIn } from './request-bounds.ts';

/** OpenID Connect's own scopes; every other belongs to a resource server. */
export const identityScopes = ['openid', 'offline_access', 'profile', 'email', 'groups'];

/** Those that clients without an operator's registration may request: claims beyond the user's id are only for registered clients. */
export const identityScopesOfAnyone: readonly string[] = ['openid', 'offline_access'];

/** Whether a client described itself. It is entitled to the open scopes of APIs, and to nothing else. */
export function isSelfRegistered({ registered_by }: Pick<ClientRecord, 'registered_by'>): boolean {
  return registered_by === 'document' || registered_by === 'dynamic';
}

/** OpenID Connect's own scopes that a client may ask for. */
export function identityScopesOf(record: Pick<ClientRecord, 'registered_by'>): readonly string[] {
  return isSelfRegistered(record) ? identityScopesOfAnyone : identityScopes;
}

/** Ignores those of OpenID Connect's own scopes that a client may not ask for (OpenID Connect Core §3.1.2.1). */
export function dropForeignIdentityScopes(ctx: KoaContextWithOIDC, record: ClientRecord): void {
  const own = identityScopesOf(record);
  const requested = requestedScopes(ctx);
  const kept = requested.filter((scope) => own.includes(scope) || !identityScopes.includes(scope));
  if (kept.length < requested.length && ctx.oidc.params?.scope !== undefined) setScope(ctx, kept);
}

/** The scopes of a request; where it names none, those that its code or token was granted. */
export function requestedScopes(ctx: KoaContextWithOIDC): string[] {
  const asked = ctx.oidc.params?.scope ?? grantSource(ctx.oidc)?.scope;
  return typeof asked === 'string' ? scopesIn(asked) : [];
}

export function setScope(ctx: KoaContextWithOIDC, scopes: readonly string[]): void {
  if (ctx.oidc.params) ctx.oidc.params.scope = scopes.join(' ');
}

/** The resources that a request names, as one or several. */
export function requestedResources(ctx: KoaContextWithOIDC): string[] {
  return [ctx.oidc.params?.resource ?? []].flat().map(String);
}

/** Where a request names its scopes itself; a code or refresh token contains those that were granted. */
export function isFirstRequest(ctx: KoaContextWithOIDC): boolean {
  return ctx.oidc.route !== 'token' || isForItself(ctx);
}

/** Requests without a user who signs in (client credentials, API keys): the scopes of OpenID Connect have no meaning. */
export function isForItself(ctx: KoaContextWithOIDC): boolean {
  const asked = grantTypeNamed(ctx.oidc.params?.grant_type);
  return asked !== undefined && asked.onBehalfOf !== 'person';
}

/** Whether an API key, rather than a client, decides the scopes of the token. */
export function isExchange(ctx: KoaContextWithOIDC): boolean {
  return grantTypeNamed(ctx.oidc.params?.grant_type)?.onBehalfOf === 'api_key';
}

/** The user and the limits of an identity assertion, if the token is for one. */
export function assertedUser(
  ctx: KoaContextWithOIDC,
): { user_id: string; limit: Record<string, string[]> } | undefined {
  const { found } = currentUnit().presentedAssertion ?? {};
  if (ctx.oidc.route !== 'token' || !found || 'reason' in found || !found.identity) return undefined;
  return { user_id: found.identity.user_id, limit: found.trust.permissions };
}

/** For users a client has `resources`; for itself `service_permissions`. */
export function entitlementsOf(ctx: KoaContextWithOIDC, record: ClientRecord): Record<string, string[]> {
  return isForItself(ctx) && !assertedUser(ctx) ? record.service_permissions : record.resources;
}
