import type { Action } from '../actions.ts';
import { ownerActions } from '../owner-actions.ts';
import { apiForms } from './forms.ts';
import { apiPath, getServer } from './resource-server.ts';
import { scopeActions } from './scopes.ts';

/** The actions on an API. */
export const resourceServerActions: Action[] = [
  ...apiForms,
  ...scopeActions,
  ...ownerActions({
    path: '/apis/:identifier',
    find: async (context) => {
      const { identifier, name, enabled, version } = await getServer(context);
      const framed = { crumb: context.crumb, name, back: apiPath(identifier) };
      return { framed, enabled, version, handle: { resource_server: identifier } };
    },
    params: ({ params: { identifier = '' } }) => ({ identifier }),
    disable: {
      route: 'POST /resource-servers/{identifier}/disable',
      words: 'No client gets a token for it until you enable it again. The tokens that this revokes stay revoked.',
    },
    enable: {
      route: 'PATCH /resource-servers/{identifier}',
      words: 'Clients get tokens for it again. Tokens from before it was disabled stay revoked.',
    },
    revoke: {
      heading: 'Revoke all tokens for',
      words: 'Clients can get new tokens at once. Use this after tokens leaked.',
    },
  }),
];
