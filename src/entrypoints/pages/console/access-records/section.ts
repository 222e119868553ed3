import type { ConsoleSection } from '../section.ts';
import { accessRecordList } from './list.ts';

export const accessRecords: ConsoleSection = {
  section: 'access-records',
  label: 'Access records',
  group: 'Activity',
  icon: 'access',
  permission: 'latchkey:audit:read',
  main: { list: () => accessRecordList },
};
