import { showList } from '../lists.ts';
import type { ConsoleSection } from '../section.ts';
import { secretActions } from './actions.ts';
import { showSecret } from './detail.ts';
import { secretListFor } from './list.ts';
import { unlessSealed } from './sealed.ts';
import { showVault } from './vault.ts';

export const secrets: ConsoleSection = {
  section: 'secrets',
  label: 'Secrets',
  group: 'Credentials',
  icon: 'secret',
  permission: 'latchkey:secret:list',
  main: { page: (context) => unlessSealed(context, async () => showList(context, await secretListFor(context))) },
  details: {
    '/vault': showVault,
    '/secrets/:path': (context) => unlessSealed(context, () => showSecret(context)),
  },
  actions: secretActions,
};
