import type { Key, KeyContext, KeyOperations, KeyVerb } from '../../keys/key-context.ts';
import { textsOf } from '../../languages/languages.ts';
import * as cell from '../../records/cells.ts';
import type { Fact } from '../../records/page-shapes.ts';
import type { PersonalAdminClient, RouteName } from '../admin-client.ts';
import { clientPath } from '../clients/client.ts';
import { apiOptions, clientSuggestions, listedApis, roleOptions, scopeOptions, userSuggestions } from '../pickers.ts';
import { recentEvents } from '../recent-events.ts';
import type { RequestContext } from '../request-context.ts';
import { userPath } from '../users/user.ts';
import { keyPath } from './addresses.ts';

/** The route of the admin API for each action on a key. */
export const keyRoutes = {
  change: 'PATCH /api-keys/{key_id}',
  rotate: 'POST /api-keys/{key_id}/rotate',
  disable: 'POST /api-keys/{key_id}/disable',
  enable: 'POST /api-keys/{key_id}/enable',
  revoke: 'POST /api-keys/{key_id}/revoke',
} as const satisfies Record<KeyVerb, RouteName>;

/** The keys of all owners, as this administrator may use them. */
export function withKeys(context: RequestContext): KeyContext {
  const { api } = context;
  const may = (verb: KeyVerb) => api.may(keyRoutes[verb]);
  // Members that two fields of a form show.
  let listed: ReturnType<typeof listedApis> | undefined;
  const apis = () => {
    listed ??= listedApis(context);
    return listed;
  };
  const ownerFacts = (key: Key) => [ownerFact(context, key)];
  return {
    ...context,
    texts: textsOf('en'),
    keys: operationsOf(api),
    pathOf: keyPath,
    may,
    ownerFacts,
    choices: async () => scopeOptions(await apis()),
    roles: () => roleOptions(context),
    apis: async () => apiOptions(await apis()),
    owners: async () => ({ users: await userSuggestions(context), clients: await clientSuggestions(context) }),
    activity: (key) => recentEvents(context, { kind: 'api_key', id: key.id, reference: `api_key:${key.id}` }),
    isOwn: false,
  };
}

function operationsOf(api: PersonalAdminClient): KeyOperations {
  const of = (key_id: string) => ({ params: { key_id } });
  return {
    get: (id) => api.call('GET /api-keys/{key_id}', of(id)),
    uses: (id) => api.call('GET /api-keys/{key_id}/uses', { ...of(id), query: {} }),
    usage: (id) => api.call('GET /api-keys/{key_id}/usage', of(id)),
    create: (body) => api.call('POST /api-keys', { body }),
    change: (id, body, ifVersion) => api.call(keyRoutes.change, { ...of(id), body, ifVersion }),
    rotate: (id, body) => api.call(keyRoutes.rotate, { ...of(id), body }),
    disable: (id) => api.call(keyRoutes.disable, of(id)),
    enable: (id) => api.call(keyRoutes.enable, of(id)),
    revoke: (id) => api.call(keyRoutes.revoke, of(id)),
  };
}

function ownerFact({ api }: RequestContext, { owner: { kind, name } }: Key): Fact {
  const [route, path] =
    kind === 'client' ? (['GET /clients', clientPath(name)] as const) : (['GET /users', userPath(name)] as const);
  const owner = api.may(route) ? cell.link(name, path) : cell.text(name);
  return { label: 'Owner', cell: owner };
}
