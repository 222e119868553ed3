/** Access: the permission grammar, roles, and the decisions made with them. */
export {
  allows,
  contains,
  covers,
  type Entitlement,
  entitled,
  intersection,
  isPermissionPattern,
} from './permissions.ts';
export { type AccessDeps, effectivePermissions, forbiddenBecause, mustHold } from './rights.ts';
export { assignRole, keepingAnOwner, setRoles } from './roles.ts';
export { accessRoutes } from './routes.ts';
export { AssignmentView, RoleView } from './schemas.ts';
export { findSubject, hasOwner, listHeldRights, listRoleAssignments, permissionsAt, type Right } from './store.ts';
