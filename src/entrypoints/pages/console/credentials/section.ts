import type { ConsoleSection } from '../section.ts';
import { revoking } from './actions.ts';
import { credentialList } from './list.ts';

export const credentials: ConsoleSection = {
  section: 'credentials',
  label: 'Credentials',
  words: 'Every key, secret and token, and which are due for rotation',
  permission: 'latchkey:credential:read',
  list: ({ admin }) => credentialList(admin.deps.credentialKinds),
  actions: [revoking],
};
