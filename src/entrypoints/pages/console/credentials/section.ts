import type { ConsoleSection } from '../section.ts';
import { revoking } from './actions.ts';
import { credentialList } from './list.ts';

export const credentials: ConsoleSection = {
  section: 'credentials',
  label: 'All credentials',
  group: 'Credentials',
  icon: 'card',
  permission: 'latchkey:credential:read',
  main: { list: ({ admin }) => credentialList(admin.deps.credentialKinds) },
  actions: [revoking],
};
