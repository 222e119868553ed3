import type { AdminAnswer } from '../../admin/index.ts';
import type { Option } from '../records/page-shapes.ts';
import { rightLine } from '../records/rights-lines.ts';
import type { RequestContext } from './request-context.ts';

const most = '100';

type Api = AdminAnswer<'GET /resource-servers'>['items'][number];

/** All APIs; none for a user who may not list them. */
export async function listedApis({ api }: RequestContext): Promise<Api[]> {
  if (!api.may('GET /resource-servers')) return [];
  return (await api.call('GET /resource-servers', { query: { limit: most } })).items;
}

/** The scopes of these APIs, grouped by API, as lines of rights. */
export function scopeOptions(apis: readonly Api[]): Option[] {
  return apis.flatMap(({ identifier, name, scopes }) =>
    scopes.map((scope) => ({
      value: rightLine({ pattern: scope.name, resource: identifier }),
      text: scope.description ?? scope.name,
      note: scope.name,
      is_sensitive: scope.sensitive,
      group: name,
    })),
  );
}

/** All roles; nothing for a user who may not list them. */
export async function roleOptions({ api }: RequestContext): Promise<Option[]> {
  if (!api.may('GET /roles')) return [];
  const { items } = await api.call('GET /roles', { query: { limit: most } });
  return items.map(({ name, description }) => ({
    value: name,
    text: name,
    ...(description && { note: description }),
  }));
}

/** These APIs, by identifier. */
export function apiOptions(apis: readonly Api[]): Option[] {
  return apis.map(({ identifier, name }) => ({ value: identifier, text: name, note: identifier }));
}

/** The ids of clients that a field suggests. */
export async function clientSuggestions({ api }: RequestContext): Promise<string[]> {
  if (!api.may('GET /clients')) return [];
  return (await api.call('GET /clients', { query: { limit: most } })).items.map(({ client_id }) => client_id);
}

/** The usernames that a field suggests. */
export async function userSuggestions({ api }: RequestContext): Promise<string[]> {
  if (!api.may('GET /users')) return [];
  return (await api.call('GET /users', { query: { limit: most } })).items.map(({ username }) => username);
}
