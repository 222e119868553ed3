import type { ConsoleSection } from '../section.ts';
import { auditEventList } from './list.ts';

export const auditLog: ConsoleSection = {
  section: 'audit-log',
  label: 'Audit log',
  group: 'Activity',
  icon: 'log',
  permission: 'latchkey:audit:read',
  main: { list: () => auditEventList },
};
