import type { Middleware } from 'koa';
import { isClientId } from '../../../domain/clients/index.ts';
import { form, replaceForm } from '../../../platform/http/index.ts';
import { routes } from '../endpoints.ts';
import { type ClientDeps, readClientRecord } from '../store/index.ts';
import { scopesIn } from './request-bounds.ts';

type Deps = Pick<ClientDeps, 'reader' | 'knownClients'>;

const takesScope: ReadonlySet<string> = new Set([
  routes.authorization,
  routes.pushed_authorization_request,
  routes.device_authorization,
]);

/**
 * Ignores `offline_access` of a client that is not registered for it (OpenID Connect Core §11). MCP clients add it wherever the
 * server's metadata lists it, and the provider would refuse the whole request.
 */
export function ignoreUnregisteredOfflineAccess(deps: Deps): Middleware {
  return async (ctx, next) => {
    if (!takesScope.has(ctx.path)) return next();
    const parameters = ctx.method === 'POST' ? form(ctx) : new URLSearchParams(ctx.querystring);
    const left = await scopesWithoutIt(deps, parameters);
    if (!left) return next();
    if (left.length > 0) parameters.set('scope', left.join(' '));
    else parameters.delete('scope');
    if (ctx.method === 'POST') replaceForm(ctx, parameters);
    else ctx.querystring = parameters.toString();
    return next();
  };
}

/** The remaining scopes of a request; undefined: it is unchanged. */
async function scopesWithoutIt(deps: Deps, parameters: URLSearchParams): Promise<string[] | undefined> {
  const [scope = '', ...others] = parameters.getAll('scope');
  const scopes = scopesIn(scope);
  const client_id = parameters.get('client_id');
  if (!client_id || others.length > 0 || !scopes.includes('offline_access')) return undefined;
  const client = isClientId(client_id)
    ? await deps.knownClients.get(client_id, () => readClientRecord(deps, client_id))
    : undefined;
  const registered = client?.metadata.scope;
  if (typeof registered !== 'string' || scopesIn(registered).includes('offline_access')) return undefined;
  return scopes.filter((each) => each !== 'offline_access');
}
