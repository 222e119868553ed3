import { languages, textsOf } from '../../languages/languages.ts';
import type { Field, Option } from '../../records/page-shapes.ts';
import type { Action } from '../actions.ts';
import { roleOptions } from '../pickers.ts';
import { madeLink, madePassword } from './new-secrets.ts';

/** Creates an account, and the link or password that its owner first signs in with. */
export const adding: Action = {
  path: '/new-user',
  route: 'POST /users',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Add user',
    name: '',
    words: [],
    impact: [],
    fields: [
      {
        name: 'username',
        label: 'Username',
        type: 'text',
        value: '',
        is_required: true,
        hint: 'Letters, digits, “.”, “_” and “-”. You cannot change it later.',
      },
      { name: 'email', label: 'E-mail', type: 'text', value: '', hint: 'They can sign in with it.' },
      { name: 'name', label: 'Name', type: 'text', value: '' },
      mailLanguageField(null),
      {
        name: 'first',
        label: 'First sign-in',
        type: 'radios',
        value: 'invite',
        options: [
          {
            value: 'invite',
            text: 'Invitation link',
            note: context.deps.config.mail
              ? 'Sent by e-mail if they have an address'
              : 'Shown once, for you to pass on',
          },
          { value: 'password', text: 'Temporary password', note: 'Generated, shown once, for you to pass on' },
        ],
      },
      ...rolesField(await roleOptions(context)),
    ],
    button: 'Add user',
    danger: false,
    back: '/console/users',
  }),
  perform: async ({ api }, sent) => {
    const roles = sent.lines('roles');
    const body = {
      username: sent.text('username') ?? '',
      ...(sent.text('email') && { email: sent.text('email') }),
      ...(sent.text('name') && { name: sent.text('name') }),
      ...(sent.text('language') && { language: sent.text('language') }),
      ...(roles.length > 0 && { roles }),
      invite: sent.text('first') !== 'password',
    };
    const { invitation, password, ...user } = await api.call('POST /users', { body });
    return invitation
      ? madeLink(user, invitation)
      : madePassword(user, { heading: 'Temporary password', password: password ?? '' });
  },
};

/** The language of e-mail to a user. */
export const mailLanguageField = (chosen: string | null): Field => ({
  name: 'language',
  label: 'Language of e-mail',
  type: 'select',
  value: chosen ?? '',
  options: [{ value: '', text: 'Automatic' }, ...languages.map((value) => ({ value, text: textsOf(value).name }))],
  hint: 'Automatic: the language they last signed in with, else that of the installation.',
});

/** Nothing for a user who may not list roles: they cannot assign any. */
const rolesField = (options: readonly Option[]): Field[] =>
  options.length === 0
    ? []
    : [
        {
          name: 'roles',
          label: 'Roles',
          type: 'choices',
          value: '',
          options,
          hint: 'Select none for a user who manages nothing. You can assign only roles whose permissions you hold.',
        },
      ];
