import * as cell from '../../records/cells.ts';
import { enabledFilter } from '../../records/filters.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { List } from '../lists.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { nameOf, type User, userPath } from './user.ts';

export const userList: List = {
  heading: 'Users',
  intro: 'The accounts that can sign in, and their roles.',
  noun: 'user',
  icon: 'user',
  columns: [
    { label: 'Name', sort: 'name' },
    { label: 'E-mail', sort: 'email' },
    { label: 'Roles' },
    { label: 'State' },
    { label: 'Created', sort: '-created_at' },
    { label: '' },
  ],
  sort: 'name',
  search: 'Name, username or e-mail',
  filters: [{ name: 'role', label: 'Role', options: [] }, enabledFilter],
  empty: { heading: 'No users yet', words: 'Add a user so that they can sign in.' },
  actions: [
    {
      route: 'POST /users',
      label: 'Add user',
      href: '/console/new-user',
      danger: false,
    },
  ],
  read: async (context, query) => {
    const { items, ...page } = await context.api.call('GET /users', { query });
    return { rows: items.map((user) => rowOf(context, user)), ...page };
  },
};

function rowOf(context: RequestContext, user: User): Cell[] {
  const path = userPath(user.username);
  const actions = allowedActions(context, [
    { route: 'PATCH /users/{user}', label: 'Edit', href: `${path}/change`, danger: false },
    user.enabled
      ? { route: 'POST /users/{user}/disable', label: 'Disable', href: `${path}/disable`, danger: true }
      : { route: 'PATCH /users/{user}', label: 'Enable', href: `${path}/enable`, danger: false },
  ]);
  return [
    cell.link(nameOf(user), path, user.username),
    cell.text(user.email ?? ''),
    cell.text(user.roles.join(', ')),
    cell.enabled(user.enabled),
    cell.time(user.created_at),
    cell.menu(nameOf(user), actions),
  ];
}
