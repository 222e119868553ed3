import type { ConsoleSection } from '../section.ts';
import { auditEventList } from './list.ts';

export const auditLog: ConsoleSection = {
  section: 'audit-log',
  label: 'Audit log',
  words: 'Who did what, when, from where',
  permission: 'latchkey:audit:read',
  list: () => auditEventList,
};
