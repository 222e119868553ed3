import { z } from 'zod';
import { alsoAs, keyIn, MergePatch, pageByKey, pageOf, routesWith } from '../../platform/http/index.ts';
import { subjectOf } from '../access/index.ts';
import { type ApiKeyDeps, changeApiKey, createApiKey, getKey } from './api-keys.ts';
import { disableApiKey, enableApiKey, revokeApiKey } from './ending.ts';
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
import { listKeys } from './store.ts';
import { usageOf } from './usage.ts';
import { viewOf } from './view.ts';

const route = routesWith<ApiKeyDeps>();

const keys = [
  route({
    method: 'GET',
    path: '/api-keys',
    summary: 'API keys, searched and filtered, newest first; never their text',
    permission: 'latchkey:api_key:read',
    query: KeysQuery,
    response: pageOf(KeyView),
    handle: async ({ query: { cursor, limit, client_id, user, ...query } }, deps) => {
      const owner = client_id === undefined ? user && { user } : { client_id };
      const owner_id = owner && (await subjectOf(deps.db, owner));
      const filter = { ...query, owner_id, limit: limit + 1, after: keyIn(cursor, z.uuid()) };
      const rows = await listKeys(deps.db, filter, deps.now());
      const { items, next } = pageByKey(rows, limit, ({ id }) => id);
      return { items: items.map((key) => viewOf(deps, key)), next };
    },
  }),
  route({
    method: 'POST',
    path: '/api-keys',
    summary: 'Mint an API key; it can do nothing that you may not, and is shown only this once',
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
    summary: 'An API key, never its text',
    permission: 'latchkey:api_key:read',
    params: KeyParams,
    response: KeyView,
    handle: async ({ params }, deps) => viewOf(deps, await getKey(deps.db, { id: params.key_id })),
  }),
  route({
    method: 'PATCH',
    path: '/api-keys/{key_id}',
    summary: 'Change what an API key may do, how long, and what is said of it; you must hold all that it has',
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
    summary: 'How much an API key was used, per day',
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
    summary: 'Mint a new text for an API key; the present one works until the overlap is over',
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
    summary: 'Let an API key rest: it is refused until it is enabled again',
    permission: 'latchkey:api_key:disable',
    params: KeyParams,
    response: KeyView,
    handle: async ({ actor, params }, deps) => viewOf(deps, await disableApiKey(deps, actor, { id: params.key_id })),
  }),
  route({
    method: 'POST',
    path: '/api-keys/{key_id}/enable',
    summary: 'Let a resting API key work again',
    permission: 'latchkey:api_key:write',
    params: KeyParams,
    response: KeyView,
    handle: async ({ actor, params }, deps) => viewOf(deps, await enableApiKey(deps, actor, { id: params.key_id })),
  }),
  route({
    method: 'POST',
    path: '/api-keys/{key_id}/revoke',
    summary: 'End an API key for good; it is refused from now on',
    permission: 'latchkey:api_key:revoke',
    params: KeyParams,
    response: KeyView,
    handle: async ({ actor, params }, deps) => viewOf(deps, await revokeApiKey(deps, actor, { id: params.key_id })),
  }),
];

/** Keys of services and people. */
export const apiKeyRoutes = [...keys, ...lifeOfKeys];
