import type { ConsoleSection } from '../section.ts';
import { roleActions } from './actions.ts';
import { showRole } from './detail.ts';
import { roleList } from './list.ts';

export const roles: ConsoleSection = {
  section: 'roles',
  label: 'Roles',
  words: 'What they give, and to whom they are given',
  permission: 'latchkey:role:read',
  list: () => roleList,
  details: {
    '/roles/:role': showRole,
  },
  actions: roleActions,
};
