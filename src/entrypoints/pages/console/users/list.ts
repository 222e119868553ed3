import * as cell from '../../records/cells.ts';
import type { List } from '../lists.ts';
import { nameOf, userPath } from './user.ts';

export const userList: List = {
  heading: 'Who can sign in?',
  intro: 'The people of this server, and what they may manage.',
  columns: ['Name', 'E-mail', 'Roles', 'State', 'Since'],
  search: 'Name, username or e-mail',
  filters: [
    { name: 'role', label: 'Role', options: [] },
    {
      name: 'enabled',
      label: 'State',
      options: [
        { value: '', text: 'in every state' },
        { value: 'true', text: 'enabled' },
        { value: 'false', text: 'disabled' },
      ],
    },
  ],
  sorts: [
    { value: 'username', text: 'username' },
    { value: '-created_at', text: 'newest' },
  ],
  empty: 'There is nobody of this kind.',
  actions: [
    {
      route: 'POST /users',
      label: 'Add a person',
      href: '/console/new-user',
      danger: false,
      words: 'Who can then sign in',
    },
  ],
  read: async ({ api }, query) => {
    const { items, next } = await api.call('GET /users', { query });
    const rows = items.map((person) => [
      cell.link(nameOf(person), userPath(person.username), person.username),
      cell.text(person.email ?? ''),
      cell.text(person.roles.join(', ')),
      cell.enabled(person.enabled),
      cell.time(person.created_at),
    ]);
    return { rows, next };
  },
};
