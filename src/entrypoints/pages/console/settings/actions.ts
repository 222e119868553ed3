import { conflict } from '../../../../platform/http/index.ts';
import type { Action } from '../actions.ts';
import { changingPolicy } from './sign-in-policy.ts';

export const settingsPath = '/console/settings';

const testingMail: Action = {
  path: '/settings/test-mail',
  route: 'POST /settings/test-mail',
  describe: async ({ crumb, who: { user } }) => ({
    crumb,
    name: 'Test e-mail',
    back: settingsPath,
    heading: 'Send a test e-mail?',
    words: [
      user.email
        ? `Sends one e-mail to ${user.email} at once, and shows what the mail server answers.`
        : 'Your account has no e-mail address. Add one first.',
    ],
    impact: [],
    fields: [],
    button: 'Send test e-mail',
    danger: false,
  }),
  perform: async ({ api }) => {
    const { accepted, answer } = await api.call('POST /settings/test-mail');
    if (!accepted) throw conflict(`The mail server did not accept the e-mail: ${answer}`);
    return { to: settingsPath, done: 'test-mail-sent' };
  },
};

export const settingsActions = [testingMail, changingPolicy];
