import type { ConsoleSection } from '../section.ts';
import { userActions } from './actions.ts';
import { showUser } from './detail.ts';
import { userList } from './list.ts';

export const users: ConsoleSection = {
  section: 'users',
  label: 'Users',
  group: 'Identity',
  icon: 'user',
  permission: 'latchkey:user:read',
  main: { list: () => userList },
  details: {
    '/users/:subject': showUser,
  },
  actions: userActions,
};
