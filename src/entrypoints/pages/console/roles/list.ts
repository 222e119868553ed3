import * as cell from '../../records/cells.ts';
import { counted } from '../../words.ts';
import type { List } from '../lists.ts';
import { rolePath } from './role.ts';

export const roleList: List = {
  heading: 'Roles',
  intro: 'A role gives its permissions to the users, services and API keys that have it.',
  noun: 'role',
  icon: 'role',
  columns: [{ label: 'Name', sort: 'name' }, { label: 'Description' }, { label: 'Permissions' }, { label: 'Type' }],
  sort: 'name',
  search: 'Name or description',
  empty: { heading: 'No roles yet', words: 'Create a role to give several users the same permissions.' },
  actions: [
    { route: 'POST /roles', label: 'Create role', href: '/console/new-role', danger: false },
    {
      route: 'GET /explanation',
      label: 'Explain access',
      href: '/console/explain-access',
      danger: false,
    },
  ],
  read: async ({ api }, query) => {
    const { items, ...page } = await api.call('GET /roles', { query });
    const rows = items.map(({ name, description, permissions, built_in }) => [
      cell.link(name, rolePath(name)),
      cell.text(description ?? ''),
      cell.text(counted(permissions.length, 'permission')),
      cell.text(built_in ? 'Built in' : 'Custom'),
    ]);
    return { rows, ...page };
  },
};
