import type { ConsoleSection } from '../section.ts';
import { clientActions } from './actions.ts';
import { showClient } from './detail.ts';
import { clientList } from './list.ts';

export const clients: ConsoleSection = {
  section: 'clients',
  label: 'Clients',
  group: 'Applications',
  icon: 'client',
  permission: 'latchkey:client:read',
  main: { list: () => clientList },
  details: {
    '/clients/:client_id': showClient,
  },
  actions: clientActions,
};
