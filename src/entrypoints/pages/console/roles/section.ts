import type { ConsoleSection } from '../section.ts';
import { roleActions } from './actions.ts';
import { showRole } from './detail.ts';
import { explainAccess } from './explain-access.ts';
import { roleList } from './list.ts';

export const roles: ConsoleSection = {
  section: 'roles',
  label: 'Roles',
  group: 'Identity',
  icon: 'role',
  permission: 'latchkey:role:read',
  main: { list: () => roleList },
  details: {
    '/roles/:role': showRole,
    '/explain-access': explainAccess,
  },
  actions: roleActions,
};
