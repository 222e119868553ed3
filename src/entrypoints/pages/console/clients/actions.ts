import type { Action } from '../actions.ts';
import { ownerActions } from '../owner-actions.ts';
import { roleActionsOf } from '../roles/assignments.ts';
import { frame } from './client.ts';
import { clientForms } from './forms.ts';
import { secretActions } from './secrets.ts';

const actions = ownerActions({
  path: '/clients/:client_id',
  find: async (context) => {
    const { client, ...framed } = await frame(context);
    const { client_id, enabled, version } = client;
    return { framed, enabled, version, handle: { client_id } };
  },
  params: ({ params: { client_id = '' } }) => ({ client_id }),
  disable: {
    route: 'POST /clients/{client_id}/disable',
    words: 'It can no longer sign in or get tokens, for anybody. Enabling it later does not bring back what ends now.',
  },
  enable: {
    route: 'PATCH /clients/{client_id}',
    words: 'It can sign in and get tokens again. Tokens from before it was disabled stay dead.',
  },
  revoke: {
    heading: 'Revoke everything held by',
    words: 'It stays enabled and keeps its secrets: it can get tokens again, and people can let it in again.',
  },
});

/** What can be done with a client. */
export const clientActions: Action[] = [...clientForms, ...secretActions, ...actions, ...roleActionsOf('client')];
