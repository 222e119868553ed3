import { errors, type Grant, type KoaContextWithOIDC } from 'oidc-provider';

type LoadGrant = (ctx: KoaContextWithOIDC) => Promise<Grant | undefined>;

/**
 * Removes resource servers for which the user refused every requested scope from the request: its code is not for them, and no token names
 * them.
 *
 * @throws AccessDenied: nothing is left
 */
export function withoutRefusedResources(loadGrant: LoadGrant): LoadGrant {
  return async (ctx) => {
    const grant = await loadGrant(ctx);
    const { resourceServers } = ctx.oidc;
    if (!grant || !resourceServers || ctx.oidc.promptPending('consent')) return grant;
    const requested = Object.entries(resourceServers);
    const refused = requested.filter(([identifier, { scopes }]) => isRefused(grant, identifier, [...scopes]));
    for (const [identifier] of refused) delete resourceServers[identifier];
    const isEmpty = refused.length > 0 && refused.length === requested.length;
    if (isEmpty && !ctx.oidc.requestParamScopes.has('openid')) throw new errors.AccessDenied();
    return grant;
  };
}

/** One that was not on the consent page yet is not refused: the user is asked. */
function isRefused(grant: Grant, identifier: string, scopes: readonly string[]): boolean {
  const answered = new Set(grant.getResourceScopeEncountered(identifier).split(' '));
  return scopes.every((scope) => answered.has(scope)) && !grant.getResourceScopeFiltered(identifier, new Set(scopes));
}
