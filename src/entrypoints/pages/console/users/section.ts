import type { ConsoleSection } from '../section.ts';
import { userActions } from './actions.ts';
import { showUser } from './detail.ts';
import { userList } from './list.ts';

export const users: ConsoleSection = {
  section: 'people',
  label: 'People',
  words: 'Accounts, their roles and passwords',
  permission: 'latchkey:user:read',
  list: () => userList,
  details: {
    '/people/:subject': showUser,
  },
  actions: userActions,
};
