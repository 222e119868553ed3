import { signingAlgs } from '../../../../domain/signing-keys/index.ts';
import type { Action } from '../actions.ts';

/** Bringing the next key of an algorithm. */
export const rotating: Action = {
  path: '/rotate-key',
  route: 'POST /signing-keys/rotate',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Which signing key should be followed by another?',
    name: '',
    words: [
      'The next key is published now and signs later, so that every API has it by then; the old one stays published as long as what it signed is good.',
    ],
    impact: [],
    fields: [
      {
        name: 'alg',
        label: 'Algorithm',
        type: 'select',
        value: 'ES256',
        options: signingAlgs.map((value) => ({ value, text: value })),
      },
      {
        name: 'leaked',
        label: 'Why',
        type: 'select',
        value: 'false',
        options: [
          { value: 'false', text: 'In its turn' },
          { value: 'true', text: 'It leaked: sign with the next at once, and refuse whatever the old ones signed' },
        ],
        hint: 'After a leak everybody whose token was signed with it has to get another.',
      },
    ],
    button: 'Rotate the key',
    danger: true,
    back: '/console/signing-keys',
  }),
  perform: async ({ api }, sent) => {
    const body = { alg: sent.text('alg'), leaked: sent.text('leaked') === 'true' };
    await api.call('POST /signing-keys/rotate', { body });
    return { to: '/console/signing-keys', done: 'rotated' };
  },
};
