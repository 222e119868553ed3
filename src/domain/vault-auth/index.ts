/** Auth methods of Vault's clients for workloads: their roles are trusts. */
export { type AuthMethod, findAuthMethod, putAuthMethod, type VaultAuthDeps } from './auth-methods.ts';
export { type AuthRole, findAuthRole, listAuthRoles, putAuthRole, removeAuthRole } from './auth-roles.ts';
