import type { ConsoleSection } from '../section.ts';
import { sessionList } from './list.ts';

export const sessions: ConsoleSection = {
  section: 'sessions',
  label: 'Sessions',
  group: 'Identity',
  icon: 'session',
  permission: 'latchkey:session:read',
  main: { list: () => sessionList },
};
