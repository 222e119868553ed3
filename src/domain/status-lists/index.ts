/** Status lists: where verifiers that never ask Latchkey see which JWT access tokens are refused (draft-ietf-oauth-status-list). */
export { statusListRoutes, statusListTemplate } from './routes.ts';
export { StatusIndexes, type StatusPlace } from './status-indexes.ts';
export { StatusLists, type StatusListsDeps, statusListsUri, statusListUri } from './status-lists.ts';
export { abandonLists } from './store.ts';
