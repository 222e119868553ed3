/** Audit: what was done, by whom, from where, with what result; appended in the transaction of the deed. */
export { type AuditEvent, type AuditRow, appendEvent, auditRow } from './events.ts';
export { listEvents, listEventsOf, type RecordedEvent } from './store.ts';
