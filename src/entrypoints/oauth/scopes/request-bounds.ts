import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { mustHaveShortParameters } from './parameter-bounds.ts';

/** How many different scopes, and how many resources, a request may name. */
const mostScopes = 100;
const mostResources = 20;

/** The different scopes in a `scope` parameter (RFC 6749 §3.3). */
export function scopesIn(scope: string): string[] {
  // Most requests of services name a single one.
  if (!scope.includes(' ')) return scope === '' ? [] : [scope];
  return [...new Set(scope.split(' '))].filter(Boolean);
}

// Where a request names them; later steps use the accepted ones, which may include more default scopes.
const firstRoutes = new Set(['authorization', 'pushed_authorization_request', 'device_authorization', 'token']);

/**
 * Limits the scopes and resources that a request itself names, whether in parameters, pushed or signed: each scope is compared with those
 * of each resource. The scopes of a grant are not limited, nor the default scopes of an API.
 *
 * @throws InvalidScope for more than 100 different scopes, InvalidTarget for more than 20 resources, InvalidRequest for a parameter
 *   that is too long
 */
export function mustBeWithinBounds(ctx: KoaContextWithOIDC): void {
  const { entities, resourceServers = {}, route } = ctx.oidc;
  if (!firstRoutes.has(route) || Object.keys(resourceServers).length > 0) return;
  // Pushed parameters were limited then; a refresh names no more than was granted.
  if (entities.PushedAuthorizationRequest || entities.RefreshToken) return;
  if (route !== 'token') mustHaveShortParameters(ctx.oidc.params ?? {});
  const { scope, resource } = ctx.oidc.params ?? {};
  if (Array.isArray(resource) && new Set(resource).size > mostResources)
    throw new errors.InvalidTarget(`a request may name ${mostResources} resources at most`);
  if (typeof scope === 'string' && scopesIn(scope).length > mostScopes)
    throw new errors.InvalidScope(`a request may name ${mostScopes} scopes at most`, '');
}
