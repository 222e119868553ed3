/** Status lists: tell verifiers that do not use introspection which JWT access tokens are refused (draft-ietf-oauth-status-list). */
export { statusListRoutes, statusListTemplate } from './routes.ts';
export { StatusIndexes, type StatusPlace } from './status-indexes.ts';
export { StatusLists, type StatusListsDeps, statusListsUri, statusListUri } from './status-lists.ts';
export { abandonLists } from './store.ts';
