import type { ConsoleSection } from '../section.ts';
import { revoking } from './actions.ts';
import { showGrant } from './detail.ts';
import { grantList } from './list.ts';

export const grants: ConsoleSection = {
  section: 'grants',
  label: 'Grants',
  group: 'Identity',
  icon: 'grant',
  permission: 'latchkey:grant:read',
  main: { list: () => grantList },
  details: {
    '/grants/:grant_id': showGrant,
  },
  actions: [revoking],
};
