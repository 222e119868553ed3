import * as cell from '../../records/cells.ts';
import { counted } from '../../words.ts';
import type { List } from '../lists.ts';
import { type Role, rolePath } from './role.ts';

export const roleList: List = {
  heading: 'Which roles are there?',
  intro: 'A role gives permissions to the people and services that have it.',
  columns: ['Name', 'What it is for', 'Gives', 'Kind'],
  search: 'Name, description or permission',
  empty: 'There is no role of this kind.',
  actions: [
    { route: 'POST /roles', label: 'Make a role', href: '/console/new-role', danger: false, words: 'Of your own' },
  ],
  read: async ({ api }, { q = '' }) => {
    const { items } = await api.call('GET /roles');
    const wanted = q.toLowerCase();
    const texts = ({ name, description, permissions }: Role) => [
      name,
      description ?? '',
      ...permissions.map(({ pattern }) => pattern),
    ];
    const found = items.filter((role) => texts(role).some((each) => each.toLowerCase().includes(wanted)));
    const rows = found.map(({ name, description, permissions, built_in }) => [
      cell.link(name, rolePath(name)),
      cell.text(description ?? ''),
      cell.text(counted(permissions.length, 'permission')),
      built_in ? cell.quiet('built in') : cell.text('your own'),
    ]);
    return { rows, next: null };
  },
};
