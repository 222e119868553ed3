import { alsoAs, MergePatch, pageOf, pageWith, routesWith } from '../../platform/http/index.ts';
import { subjectOf } from '../access/index.ts';
import { type ApiKeyDeps, changeApiKey, createApiKey, getKey } from './api-keys.ts';
import { disableApiKey, enableApiKey, revokeApiKey } from './ending.ts';
import { listKeys } from './list-store.ts';
import { rotateApiKey } from './rotation.ts';
import {
  CreatedKeyView,
  KeyInput,
  KeyParams,
  KeysQuery,
  KeyView,
  RotatedKeyView,
  RotationInput,
  UsageQuery,
  UsageView,
} from './schemas.ts';
import { usageOf } from './usage.ts';
import { viewOf } from './view.ts';

const route = routesWith<ApiKeyDeps>();

const keys = [
  route({
    method: 'GET',
    path: '/api-keys',
    summary: 'List API keys, without their values',
    permission: 'latchkey:api_key:read',
    query: KeysQuery,
    response: pageOf(KeyView),
    handle: async ({ query: { client_id, user, ...query } }, deps) => {
      const owner = client_id === undefined ? user && { user } : { client_id };
      const owner_id = owner && (await subjectOf(deps.db, owner));
      return pageWith(await listKeys(deps.db, { ...query, owner_id }, deps.now()), (key) => viewOf(deps, key));
    },
  }),
  route({
    method: 'POST',
    path: '/api-keys',
    summary: 'Create an API key; it cannot have a permission that you do not hold, and its value is shown only once',
    permission: 'latchkey:api_key:create',
    body: KeyInput,
    response: CreatedKeyView,
    status: 201,
    handle: async ({ actor, body }, deps) => {
      const { key, ...made } = await createApiKey(deps, actor, body);
      return { ...viewOf(deps, made), key };
    },
  }),
  route({
    method: 'GET',
    path: '/api-keys/{key_id}',
    summary: 'Get an API key, without its value',
    permission: 'latchkey:api_key:read',
    params: KeyParams,
    response: KeyView,
    handle: async ({ params }, deps) => viewOf(deps, await getKey(deps.db, { id: params.key_id })),
  }),
  route({
    method: 'PATCH',
    path: '/api-keys/{key_id}',
    summary: 'Update an API key; you must hold all of its permissions',
    permission: 'latchkey:api_key:write',
    params: KeyParams,
    body: MergePatch,
    response: KeyView,
    handle: async ({ actor, params, body, ifVersion }, deps) =>
      viewOf(deps, await changeApiKey(deps, actor, { id: params.key_id, patch: body, ifVersion })),
  }),
  route({
    method: 'GET',
    path: '/api-keys/{key_id}/usage',
    summary: 'Get the daily usage of an API key',
    permission: 'latchkey:api_key:read',
    params: KeyParams,
    query: UsageQuery,
    response: UsageView,
    handle: ({ params, query }, deps) => usageOf(deps, { id: params.key_id, ...query }),
  }),
];

const lifeOfKeys = [
  route({
    method: 'POST',
    path: '/api-keys/{key_id}/rotate',
    summary: 'Rotate an API key: create a new version; the previous version is accepted until the overlap ends',
    permission: 'latchkey:api_key:rotate',
    params: KeyParams,
    body: RotationInput,
    response: RotatedKeyView,
    status: 201,
    handle: async ({ actor, params, body }, deps) =>
      alsoAs('previous_ends_at', await rotateApiKey(deps, actor, { id: params.key_id, ...body })),
  }),
  route({
    method: 'POST',
    path: '/api-keys/{key_id}/disable',
    summary: 'Disable an API key: it is refused until it is enabled again',
    permission: 'latchkey:api_key:disable',
    params: KeyParams,
    response: KeyView,
    handle: async ({ actor, params }, deps) => viewOf(deps, await disableApiKey(deps, actor, { id: params.key_id })),
  }),
  route({
    method: 'POST',
    path: '/api-keys/{key_id}/enable',
    summary: 'Enable a disabled API key',
    permission: 'latchkey:api_key:write',
    params: KeyParams,
    response: KeyView,
    handle: async ({ actor, params }, deps) => viewOf(deps, await enableApiKey(deps, actor, { id: params.key_id })),
  }),
  route({
    method: 'POST',
    path: '/api-keys/{key_id}/revoke',
    summary: 'Revoke an API key for good; it is refused from now on',
    permission: 'latchkey:api_key:revoke',
    params: KeyParams,
    response: KeyView,
    handle: async ({ actor, params }, deps) => viewOf(deps, await revokeApiKey(deps, actor, { id: params.key_id })),
  }),
];

/** API keys of clients and users. */
export const apiKeyRoutes = [...keys, ...lifeOfKeys];
