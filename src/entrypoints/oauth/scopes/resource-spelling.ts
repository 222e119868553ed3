import { isDeepStrictEqual } from 'node:util';
import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ResourceServers } from '../../../domain/resource-servers/index.ts';
import { form, replaceForm } from '../../../platform/http/index.ts';
import { routes } from '../endpoints.ts';
import { grantTypeNamed } from '../token-endpoint/grants/index.ts';

/** More are refused elsewhere (`request-bounds.ts`). */
const mostResources = 20;

const takesResource: ReadonlySet<string> = new Set([
  routes.authorization,
  routes.token,
  routes.pushed_authorization_request,
  routes.device_authorization,
]);

/**
 * Replaces another spelling of a `resource` by the registered identifier, so that codes, grants and tokens contain only that one. A
 * `client_credentials` request may use `audience` instead, as with other servers.
 */
export function resolveResourceSpelling({ resourceServers }: { resourceServers: ResourceServers }): Middleware {
  return async (ctx, next) => {
    if (!takesResource.has(ctx.path)) return next();
    const parameters = ctx.method === 'POST' ? form(ctx) : new URLSearchParams(ctx.querystring);
    const [resources, audiences] = [parameters.getAll('resource'), parameters.getAll('audience')];
    if (resources.length + audiences.length === 0) return next();
    const registered = await registeredIdentifiers(resourceServers, [...resources, ...audiences]);
    const [named, others] = [registered.slice(0, resources.length), registered.slice(resources.length)];
    const isForItself =
      ctx.path === routes.token && grantTypeNamed(parameters.get('grant_type'))?.onBehalfOf === 'client';
    if (isForItself) named.push(...new Set(others.filter((identifier) => !named.includes(identifier))));
    if (isDeepStrictEqual([named, others], [resources, audiences])) return next();
    replaceAll(parameters, 'resource', named);
    replaceAll(parameters, 'audience', others);
    if (ctx.method === 'POST') replaceForm(ctx, parameters);
    else ctx.querystring = parameters.toString();
    return next();
  };
}

/**
 * The same for a signed request (RFC 9101), also a pushed one: called with its claims before the provider takes them over as parameters.
 * Signed claims cannot be replaced, so the parameter is replaced when it is set.
 */
export function resolveSignedSpelling({ resourceServers }: { resourceServers: ResourceServers }) {
  return async (ctx: KoaContextWithOIDC, { resource }: Record<string, unknown>): Promise<void> => {
    const { params } = ctx.oidc;
    const given = [resource ?? []].flat().map(String);
    if (!params || given.length === 0 || given.length > mostResources) return;
    const registered = await registeredIdentifiers(resourceServers, given);
    if (isDeepStrictEqual(registered, given)) return;
    const taken = Array.isArray(resource) ? registered : registered[0];
    let value: unknown = params.resource;
    Object.defineProperty(params, 'resource', {
      ...{ enumerable: true, configurable: true },
      get: () => value,
      set: (next: unknown) => {
        value = isDeepStrictEqual([next ?? []].flat().map(String), given) ? taken : next;
      },
    });
  };
}

function replaceAll(parameters: URLSearchParams, name: string, values: readonly string[]): void {
  parameters.delete(name);
  for (const value of values) parameters.append(name, value);
}

/** Up to the first unknown one, for which the provider refuses the request. */
async function registeredIdentifiers(resourceServers: ResourceServers, given: readonly string[]): Promise<string[]> {
  const registered: string[] = [];
  for (const identifier of given) {
    const server = await resourceServers.find(identifier);
    if (!server) break;
    registered.push(server.identifier);
  }
  return [...registered, ...given.slice(registered.length)];
}
