import type { ConsoleSection } from '../section.ts';
import { showEvent } from './detail.ts';
import { exporting } from './exporting.ts';
import { auditEventList } from './list.ts';
import { showVerification } from './verification.ts';

export const auditLog: ConsoleSection = {
  section: 'audit-log',
  label: 'Audit log',
  group: 'Activity',
  icon: 'log',
  permission: 'latchkey:audit:read',
  main: { list: () => auditEventList },
  details: { '/audit-log/verification': showVerification, '/audit-log/:event_id': showEvent },
  actions: [exporting],
};
