import type { z } from 'zod';
import type { SigningKeyView } from '../../../../domain/signing-keys/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';

type Key = z.output<typeof SigningKeyView>;

const states: Record<Key['state'], Cell> = {
  pending: cell.quiet('published, signs later'),
  active: cell.good('signs now'),
  retiring: cell.quiet('still published'),
  retired: cell.bad('retired'),
};

export const signingKeyList: List = {
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
  actions: [
    {
      route: 'POST /signing-keys/rotate',
      label: 'Rotate a key',
      href: '/console/rotate-key',
      danger: false,
      words: 'Of one algorithm',
    },
  ],
  read: async ({ api }, { q = '', state }) => {
    const { items } = await api.call('GET /signing-keys');
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
