import { routesWith } from '../../platform/http/index.ts';
import { type ActivityDeps, readActiveSessions, readActivity, usageOfClient, usesOfKey } from './activity.ts';
import {
  ActiveSessionsView,
  ActivityQuery,
  ActivityView,
  ClientUsageParams,
  ClientUsageQuery,
  ClientUsageView,
  KeyUsesParams,
  KeyUsesQuery,
  KeyUsesView,
} from './schemas.ts';

const route = routesWith<ActivityDeps>();

/** Counts of requests over time. */
export const activityRoutes = [
  route({
    method: 'GET',
    path: '/activity',
    summary: 'Count requests by kind, result and period',
    permission: 'latchkey:activity:read',
    query: ActivityQuery,
    response: ActivityView,
    handle: ({ query }, deps) => readActivity(deps, query),
  }),
  route({
    method: 'GET',
    path: '/activity/sessions',
    summary: 'Count the sessions that are active now',
    permission: 'latchkey:activity:read',
    response: ActiveSessionsView,
    handle: (_, deps) => readActiveSessions(deps),
  }),
  route({
    method: 'GET',
    path: '/api-keys/{key_id}/uses',
    summary: 'List the uses of an API key by day, version and permission',
    permission: 'latchkey:api_key:read',
    params: KeyUsesParams,
    query: KeyUsesQuery,
    response: KeyUsesView,
    handle: ({ params, query }, deps) => usesOfKey(deps, { id: params.key_id, ...query }),
  }),
  route({
    method: 'GET',
    path: '/clients/{client_id}/usage',
    summary: 'Get the daily usage of a client: tokens issued, and refused requests for tokens',
    permission: 'latchkey:client:read',
    params: ClientUsageParams,
    query: ClientUsageQuery,
    response: ClientUsageView,
    handle: ({ params, query }, deps) => usageOfClient(deps, { ...params, ...query }),
  }),
];
