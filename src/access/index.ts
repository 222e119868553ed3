/** Access: the permission grammar, roles, and the decisions made with them. */
export { allows, contains, covers, type Entitlement, entitled, isPermissionPattern } from './permissions.ts';
export { assignRole, keepingAnOwner, setRoles } from './roles.ts';
export { hasOwner, listRoleAssignments, permissionsAt } from './store.ts';
