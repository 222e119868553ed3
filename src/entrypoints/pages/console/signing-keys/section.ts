import type { ConsoleSection } from '../section.ts';
import { rotating } from './actions.ts';
import { signingKeyList } from './list.ts';

export const signingKeys: ConsoleSection = {
  section: 'signing-keys',
  label: 'Signing keys',
  words: 'Which sign now, which come next',
  permission: 'latchkey:signing_key:read',
  list: () => signingKeyList,
  actions: [rotating],
};
