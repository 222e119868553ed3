/** Access: the permission grammar, roles, and the decisions made with them. */

export { type Assignment, listEveryAssignment, listRoleAssignments, listRoleNames } from './assignment-store.ts';
export {
  type AccessDeps,
  addsRights,
  earliest,
  exceeding,
  type Gift,
  latestEnd,
  limitOfToken,
  mustBePermitted,
  mustEndWithLimits,
  mustHold,
  mustNotExceedLimits,
  patternsAt,
} from './authority.ts';
export { mustExportGroupsOf, mustHoldAllOf } from './groups.ts';
export { hasLapsedRoles } from './mapped-role-store.ts';
export { administers, type MappedRoles, setMappedRoles, takeMappedRole } from './mapped-roles.ts';
export { findOwner, Owner, ownerReference, subjectNameOf, subjectOf } from './owner.ts';
export {
  allows,
  contains,
  covers,
  type Entitlement,
  entitled,
  intersection,
  isInArea,
  isPermissionPattern,
  mostCharactersOfSecrets,
  PatternSet,
} from './permissions.ts';
export { findDoubtSince, forgetPreparers, isDoubted, listDoubts, notePreparer } from './preparers.ts';
export { AssignmentEntry, assignmentEntryOf, putAssignment, putRole, removeAssignment } from './put.ts';
export { authorityOf, stillHoldsAllOf, storedAuthorityOf } from './remembered-authority.ts';
export { effectivePermissions, forbiddenBecause } from './rights.ts';
export { assignRole, keepingAnOwner, removeEveryRole, setRoles, unassignRole } from './role-assignments.ts';
export { mustGive, removeRole } from './roles.ts';
export { accessRoutes } from './routes.ts';
export { AssignmentView, RoleInput, RoleName, RoleView } from './schemas.ts';
export {
  clientResources,
  clientResourcesAt,
  findRoleByName,
  findSubject,
  hasOwner,
  holdsInAreas,
  isOfTrust,
  listHeldRights,
  listRoles,
  listRolesFrom,
  listRolesNamed,
  lockRole,
  permissionsAt,
  type Right,
  type Role,
  servicePermissions,
} from './store.ts';
export { asId, isUser, referenceToUsername, UserReferenceText } from './user-reference.ts';
