/** Access records: uses of credentials with caller, address and result; counted, batched, and kept for thirty days. */
export { AccessRecords, credentialName, otherPermissions, type Use } from './access-records.ts';
export { accessRecordRoutes } from './routes.ts';
export { eraseAddresses } from './store.ts';
