import { MergePatch, pageOf, pageWith, routesWith } from '../../platform/http/index.ts';
import { asInput } from './desired-state.ts';
import {
  changeResourceServer,
  createResourceServer,
  disableResourceServer,
  getResourceServer,
  type ResourceServerDeps,
} from './resource-servers.ts';
import { ResourceServerInput, ResourceServerParams, ResourceServersQuery, ResourceServerView } from './schemas.ts';
import { listResourceServersFrom, type ResourceServer } from './store.ts';

const route = routesWith<ResourceServerDeps>();

/** Protected APIs. */
export const resourceServerRoutes = [
  route({
    method: 'GET',
    path: '/resource-servers',
    summary: 'List APIs (resource servers)',
    permission: 'latchkey:resource_server:read',
    query: ResourceServersQuery,
    response: pageOf(ResourceServerView),
    handle: async ({ query }, deps) => pageWith(await listResourceServersFrom(deps.db, query), shown),
  }),
  route({
    method: 'POST',
    path: '/resource-servers',
    summary: 'Register a protected API',
    permission: 'latchkey:resource_server:write',
    body: ResourceServerInput,
    response: ResourceServerView,
    status: 201,
    handle: async ({ actor, body }, deps) => shown(await createResourceServer(deps, actor, body)),
  }),
  route({
    method: 'GET',
    path: '/resource-servers/{identifier}',
    summary: 'Get an API',
    permission: 'latchkey:resource_server:read',
    params: ResourceServerParams,
    response: ResourceServerView,
    handle: async ({ params }, deps) => shown(await getResourceServer(deps.db, params.identifier)),
  }),
  route({
    method: 'PATCH',
    path: '/resource-servers/{identifier}',
    summary: 'Update an API; a change that makes it less strict needs every permission of the API',
    permission: 'latchkey:resource_server:write',
    params: ResourceServerParams,
    body: MergePatch,
    response: ResourceServerView,
    handle: async ({ actor, params, body, ifVersion }, deps) =>
      shown(await changeResourceServer(deps, actor, { ...params, patch: body, ifVersion })),
  }),
  route({
    method: 'POST',
    path: '/resource-servers/{identifier}/disable',
    summary: 'Disable an API: no token for it is issued, and existing ones are refused from now on',
    permission: 'latchkey:resource_server:disable',
    params: ResourceServerParams,
    response: ResourceServerView,
    handle: async ({ actor, params }, deps) => shown(await disableResourceServer(deps, actor, params.identifier)),
  }),
];

function shown(server: ResourceServer) {
  const { built_in, tokens_valid_after, version, created_at, updated_at } = server;
  return { ...asInput(server), built_in, tokens_valid_after, version, created_at, updated_at };
}
