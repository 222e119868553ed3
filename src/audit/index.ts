/** Audit: what was done, by whom, from where, with what result; appended in the transaction of the deed. */
export { type AuditEvent, appendEvent, auditRow, type AuditRow } from './events.ts';
export { listEvents, type RecordedEvent } from './store.ts';
