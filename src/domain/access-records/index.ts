/** Access records: which credential was used where, by whom, with what result; counted, batched, and kept for a while. */
export { AccessRecords, credentialName, otherPermissions, type Use } from './access-records.ts';
export { accessRecordRoutes } from './routes.ts';
export { eraseAddresses } from './store.ts';
