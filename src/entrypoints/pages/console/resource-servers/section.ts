import type { ConsoleSection } from '../section.ts';
import { resourceServerActions } from './actions.ts';
import { showResourceServer } from './detail.ts';
import { resourceServerList } from './list.ts';

export const resourceServers: ConsoleSection = {
  section: 'apis',
  label: 'APIs',
  group: 'Applications',
  icon: 'api',
  permission: 'latchkey:resource_server:read',
  main: { list: () => resourceServerList },
  details: {
    '/apis/:identifier': showResourceServer,
  },
  actions: resourceServerActions,
};
