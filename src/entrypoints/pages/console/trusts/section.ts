import type { ConsoleSection } from '../section.ts';
import { trustActions } from './actions.ts';
import { showTrust } from './detail.ts';
import { trustList } from './list.ts';

export const trusts: ConsoleSection = {
  section: 'trusts',
  label: 'Trusts',
  group: 'Applications',
  icon: 'trust',
  permission: 'latchkey:trust:read',
  main: { list: () => trustList },
  details: { '/trusts/:trust_id': showTrust },
  actions: trustActions,
};
