import type { ConsoleSection } from '../section.ts';
import { rotating } from './actions.ts';
import { signingKeyList } from './list.ts';

export const signingKeys: ConsoleSection = {
  section: 'signing-keys',
  label: 'Signing keys',
  group: 'Credentials',
  icon: 'sign',
  permission: 'latchkey:signing_key:read',
  main: { list: () => signingKeyList },
  actions: [rotating],
};
