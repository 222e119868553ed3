import { CreatedUserView } from '../../users/index.ts';
import { exactTime } from '../times.ts';
import type { Act, Done } from './acts.ts';
import type { MadePage } from './console-pages.ts';
import { personName, personPath } from './people.ts';
import { linesIn } from './rights-lines.ts';

const section = 'people' as const;

/** Makes an account, and what its owner first signs in with. */
export const adding: Act = {
  path: '/new-person',
  does: 'POST /users',
  isGrave: true,
  ask: async ({ deps }) => ({
    section,
    crumb: { text: 'People', href: '/console/people' },
    heading: 'Who should be able to sign in?',
    name: '',
    words: [
      `What they first sign in with you see once, on the next page, to hand over to them.${deps.config.mail ? ' A link is mailed to them, if they have an e-mail address.' : ''}`,
    ],
    deaths: [],
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
    back: '/console/people',
  }),
  perform: async ({ calls }, sent) => {
    const roles = linesIn(sent.text('roles'));
    const body = {
      username: sent.text('username') ?? '',
      ...(sent.text('email') && { email: sent.text('email') }),
      ...(sent.text('name') && { name: sent.text('name') }),
      ...(roles.length > 0 && { roles }),
      invite: sent.text('first') !== 'password',
    };
    const { invitation, password, ...person } = await calls.read('POST /users', CreatedUserView, { body });
    const name = personName(person);
    const crumb = { text: name, href: personPath(person.username) };
    if (invitation && invitation.url === undefined) return { to: personPath(person.username), done: 'mailed' };
    if (invitation?.url !== undefined)
      return made({ crumb, name, heading: 'Here is the link for', secret: invitation.url }, [
        `It works once, until ${exactTime(invitation.expires_at)}. Whoever has it can choose the password.`,
      ]);
    return made({ crumb, name, heading: 'Here is the password of', secret: password ?? '' }, [
      'Hand it over by a way that only they can read, and ask them to change it on their account page.',
    ]);
  },
};

function made(page: Pick<MadePage, 'crumb' | 'name' | 'heading' | 'secret'>, words: string[]): Done {
  return { made: { section, ...page, words, pastes: [] } };
}
