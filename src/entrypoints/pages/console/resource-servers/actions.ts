import type { Action } from '../actions.ts';
import { ownerActions } from '../owner-actions.ts';
import { apiForms } from './forms.ts';
import { apiPath, getServer } from './resource-server.ts';

/** What can be done with an API. */
export const resourceServerActions: Action[] = [
  ...apiForms,
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
      words: 'No client gets a token for it any more. Enabling it later does not bring back what ends now.',
    },
    enable: {
      route: 'PATCH /resource-servers/{identifier}',
      words: 'Clients get tokens for it again. Tokens from before it was disabled stay dead.',
    },
    revoke: {
      heading: 'Revoke every token for',
      words: 'Clients get another one as soon as they ask, without anybody noticing: this is for tokens that leaked.',
    },
  }),
];
