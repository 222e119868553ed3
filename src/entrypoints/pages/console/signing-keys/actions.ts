import { signingAlgs } from '../../../../domain/signing-keys/index.ts';
import type { Action } from '../actions.ts';

/** Creating the next key of an algorithm. */
export const rotating: Action = {
  path: '/rotate-key',
  route: 'POST /signing-keys/rotate',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Rotate signing key',
    name: '',
    words: [
      'The next key is published now and signs later, so that every API has it by then. The previous key stays published until the tokens that it signed expire.',
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
        label: 'Reason',
        type: 'radios',
        value: 'false',
        options: [
          { value: 'false', text: 'Scheduled rotation', note: 'Nothing is revoked' },
          {
            value: 'true',
            text: 'The key leaked',
            note: 'Every token that it signed is refused, and the new key signs at once',
          },
        ],
      },
    ],
    button: 'Rotate key',
    danger: false,
    back: '/console/signing-keys',
  }),
  perform: async ({ api }, sent) => {
    const body = { alg: sent.text('alg'), leaked: sent.text('leaked') === 'true' };
    await api.call('POST /signing-keys/rotate', { body });
    return { to: '/console/signing-keys', done: 'rotated' };
  },
};
