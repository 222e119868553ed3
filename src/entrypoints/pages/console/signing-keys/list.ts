import type { z } from 'zod';
import type { SigningKeyView } from '../../../../domain/signing-keys/index.ts';
import * as cell from '../../records/cells.ts';
import { choiceFilter } from '../../records/filters.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';

type Key = z.output<typeof SigningKeyView>;

const states: Record<Key['state'], { text: string; cell: Cell }> = {
  pending: { text: 'Scheduled', cell: cell.info('Scheduled') },
  active: { text: 'Active', cell: cell.good('Active') },
  retiring: { text: 'Retiring', cell: cell.warn('Retiring') },
  retired: { text: 'Retired', cell: cell.quiet('Retired') },
};

const stateTexts = Object.fromEntries(Object.entries(states).map(([state, { text }]) => [state, text]));

export const signingKeyList: List = {
  heading: 'Signing keys',
  intro:
    'One key of each algorithm signs tokens. The next one is published before it signs, so that APIs know it by then.',
  noun: 'signing key',
  icon: 'sign',
  columns: [
    { label: 'Key ID' },
    { label: 'Algorithm' },
    { label: 'State' },
    { label: 'Signs from' },
    { label: 'Published until' },
  ],
  search: 'Key ID or algorithm',
  filters: [choiceFilter({ name: 'state', label: 'State', any: 'All states' }, stateTexts)],
  empty: { heading: 'No signing keys', words: 'The server creates the first keys when it starts.' },
  actions: [
    {
      route: 'POST /signing-keys/rotate',
      label: 'Rotate key',
      href: '/console/rotate-key',
      danger: false,
    },
  ],
  read: async ({ api }, { q = '', state }) => {
    const { items } = await api.call('GET /signing-keys');
    const wanted = q.toLowerCase();
    const found = items.filter(
      (key) =>
        (!state || key.state === state) && [key.kid, key.alg].some((each) => each.toLowerCase().includes(wanted)),
    );
    const rows = found.reverse().map(rowOf);
    return { rows, next: null, total: rows.length };
  },
};

const rowOf = (key: Key): Cell[] => [
  cell.code(key.kid),
  cell.text(key.alg),
  states[key.state].cell,
  cell.time(key.signs_from),
  cell.time(key.retires_at, 'Its successor is created'),
];
