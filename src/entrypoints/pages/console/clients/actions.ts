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
    words:
      'Its requests for tokens and its API keys are refused until you enable it again. The tokens that this revokes stay revoked.',
  },
  enable: {
    route: 'PATCH /clients/{client_id}',
    words:
      'It can get tokens again, and its API keys are accepted again. Tokens from before it was disabled stay revoked.',
  },
  revoke: {
    heading: 'Revoke all credentials of',
    words:
      'The client stays enabled and keeps its secrets, so it can get new tokens. Its API keys are revoked for good.',
  },
});

/** The actions on a client. */
export const clientActions: Action[] = [...clientForms, ...secretActions, ...actions, ...roleActionsOf('client')];
