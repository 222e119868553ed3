import * as cell from '../../records/cells.ts';
import type { Panel } from '../../records/page-shapes.ts';
import type { Action } from '../actions.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { getUser, nameOf, pathOfSubject, type User, userPath } from './user.ts';

const listRoute = 'GET /users/{user}/identities';
const linkRoute = 'POST /users/{user}/identities';
const unlinkRoute = 'DELETE /users/{user}/identities/{identity_id}';

/** The accounts of a user at other issuers; nothing for a user who may not see them. */
export async function identitiesPanel(context: RequestContext, { id, username }: User): Promise<Panel[]> {
  const { api } = context;
  if (!api.may(listRoute)) return [];
  const { items } = await api.call(listRoute, { params: { user: `id:${id}` } });
  const path = userPath(username);
  const rows = items.map((identity) => [
    cell.code(identity.issuer),
    cell.code(identity.subject),
    cell.time(identity.created_at),
    api.may(unlinkRoute)
      ? cell.action('Unlink', `${path}/identities/${identity.id}/unlink`, identity.subject)
      : cell.text(''),
  ]);
  return [
    {
      heading: 'Linked accounts',
      intro:
        'Accounts of the user at other issuers. The user can sign in with those at identity providers, and clients get tokens for the user with identity assertions about them.',
      content: {
        kind: 'table',
        columns: ['Issuer', 'Subject', 'Linked', ''].map((label) => ({ label })),
        rows,
        empty: 'No linked accounts.',
      },
      actions: allowedActions(context, [
        { route: linkRoute, label: 'Link account', href: `${path}/identities/link`, danger: false },
      ]),
    },
  ];
}

const linking: Action = {
  path: '/users/:subject/identities/link',
  route: linkRoute,
  describe: async (context) => {
    const user = await getUser(context);
    return {
      crumb: context.crumb,
      name: nameOf(user),
      back: userPath(user.username),
      heading: `Link an account to ${nameOf(user)}`,
      words: ['Sign-ins with this account, and identity assertions about it, are accepted for this user from now on.'],
      impact: [],
      fields: [
        {
          name: 'issuer',
          label: 'Issuer',
          type: 'text',
          value: '',
          is_required: true,
          hint: 'The “iss” of its tokens, exactly.',
        },
        {
          name: 'subject',
          label: 'Subject',
          type: 'text',
          value: '',
          is_required: true,
          hint: 'The “sub” of the account there, exactly. It is rarely the e-mail address.',
        },
      ],
      button: 'Link account',
      danger: false,
    };
  },
  perform: async ({ api, params: { subject = '' } }, sent) => {
    const body = { issuer: sent.text('issuer') ?? '', subject: sent.text('subject') ?? '' };
    await api.call(linkRoute, { params: { user: subject }, body });
    return { to: pathOfSubject(subject), done: 'account-linked' };
  },
};

const unlinking: Action = {
  path: '/users/:subject/identities/:identity_id/unlink',
  route: unlinkRoute,
  describe: async (context) => {
    const user = await getUser(context);
    const { items } = await context.api.call(listRoute, { params: { user: `id:${user.id}` } });
    const identity = items.find(({ id }) => id === context.params.identity_id);
    return {
      crumb: context.crumb,
      name: nameOf(user),
      back: userPath(user.username),
      heading: `Unlink this account from ${nameOf(user)}?`,
      words: ['If you link it again, the tokens that this revokes stay revoked.'],
      impact: [{ text: identity?.subject ?? '', words: 'unlinked; every token issued for it is revoked' }],
      fields: [],
      button: 'Unlink account',
      danger: true,
    };
  },
  perform: async ({ api, params: { subject = '', identity_id = '' } }) => {
    await api.call(unlinkRoute, { params: { user: subject, identity_id } });
    return { to: pathOfSubject(subject), done: 'account-unlinked' };
  },
};

export const identityActions: Action[] = [linking, unlinking];
