import { linesIn } from '../../records/rights-lines.ts';
import type { Action } from '../actions.ts';
import { madeLink, madePassword } from './new-secrets.ts';

/** Makes an account, and what its owner first signs in with. */
export const adding: Action = {
  path: '/new-user',
  route: 'POST /users',
  describe: async ({ deps, crumb }) => ({
    crumb,
    heading: 'Who should be able to sign in?',
    name: '',
    words: [
      `What they first sign in with you see once, on the next page, to hand over to them.${deps.config.mail ? ' A link is mailed to them, if they have an e-mail address.' : ''}`,
    ],
    impact: [],
    fields: [
      {
        name: 'username',
        label: 'Username',
        type: 'text',
        value: '',
        is_required: true,
        hint: 'Letters, digits, “.”, “_” and “-”. It stays.',
      },
      { name: 'email', label: 'E-mail', type: 'text', value: '', hint: 'They can sign in with it.' },
      { name: 'name', label: 'Name', type: 'text', value: '' },
      {
        name: 'roles',
        label: 'Roles',
        type: 'textarea',
        value: '',
        hint: 'One a line; left empty, they manage nothing. You can give no role with more than you hold.',
      },
      {
        name: 'first',
        label: 'They first sign in with',
        type: 'select',
        value: 'invite',
        options: [
          { value: 'invite', text: 'a link to choose a password' },
          { value: 'password', text: 'a password made now' },
        ],
      },
    ],
    button: 'Add the person',
    danger: false,
    back: '/console/users',
  }),
  perform: async ({ api }, sent) => {
    const roles = linesIn(sent.text('roles'));
    const body = {
      username: sent.text('username') ?? '',
      ...(sent.text('email') && { email: sent.text('email') }),
      ...(sent.text('name') && { name: sent.text('name') }),
      ...(roles.length > 0 && { roles }),
      invite: sent.text('first') !== 'password',
    };
    const { invitation, password, ...person } = await api.call('POST /users', { body });
    return invitation
      ? madeLink(person, invitation)
      : madePassword(person, { heading: 'Here is the password of', password: password ?? '' });
  },
};
