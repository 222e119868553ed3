import { z } from 'zod';
import { SigningKeyView, signingAlgs } from '../../../../domain/signing-keys/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { Act } from '../actions.ts';
import type { List } from '../lists.ts';

type Key = z.output<typeof SigningKeyView>;

const states: Record<Key['state'], Cell> = {
  pending: cell.quiet('published, signs later'),
  active: cell.good('signs now'),
  retiring: cell.quiet('still published'),
  retired: cell.bad('retired'),
};

export const signingKeyList: List = {
  section: 'signing-keys',
  heading: 'Which keys sign tokens?',
  intro: 'One of each algorithm signs. The next is published before it signs; no server is restarted.',
  columns: ['Key', 'Algorithm', 'State', 'Signs from', 'Published until'],
  search: 'Key or algorithm',
  filters: [
    {
      name: 'state',
      label: 'State',
      options: [{ value: '', text: 'in every state' }, ...Object.keys(states).map((value) => ({ value, text: value }))],
    },
  ],
  empty: 'There is no key like this.',
  acts: [
    {
      does: 'POST /signing-keys/rotate',
      label: 'Rotate a key',
      href: '/console/rotate-key',
      danger: false,
      words: 'Of one algorithm',
    },
  ],
  read: async ({ calls }, { q = '', state }) => {
    const { items } = await calls.read('GET /signing-keys', z.object({ items: z.array(SigningKeyView) }));
    const wanted = q.toLowerCase();
    const found = items.filter(
      (key) =>
        (!state || key.state === state) && [key.kid, key.alg].some((each) => each.toLowerCase().includes(wanted)),
    );
    const rows = found
      .reverse()
      .map((key) => [
        cell.code(key.kid),
        cell.text(key.alg),
        states[key.state],
        cell.time(key.signs_from),
        cell.time(key.retires_at, 'a successor is made'),
      ]);
    return { rows, next: null };
  },
};

/** Bringing the next key of an algorithm. */
export const rotating: Act = {
  path: '/rotate-key',
  does: 'POST /signing-keys/rotate',
  ask: async () => ({
    section: 'signing-keys',
    crumb: { text: 'Signing keys', href: '/console/signing-keys' },
    heading: 'Which signing key should be followed by another?',
    name: '',
    words: [
      'The next key is published now and signs later, so that every API has it by then; the old one stays published as long as what it signed is good.',
    ],
    deaths: [],
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
  perform: async ({ calls }, sent) => {
    const body = { alg: sent.text('alg'), leaked: sent.text('leaked') === 'true' };
    await calls.act('POST /signing-keys/rotate', { body });
    return { to: '/console/signing-keys', done: 'rotated' };
  },
};
