/** Access: the permission grammar and the decisions made with it. */
export { allows, contains, covers, type Entitlement, entitled, isPermissionPattern } from './permissions.ts';
