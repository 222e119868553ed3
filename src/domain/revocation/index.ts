/** Revocation: planning and executing what must die, by whatever handle is known of it. */
export { type Death, type RevocationDeps, revocationImpact, revoke } from './revocation.ts';
export { mustBeAllowedToRevoke, permissionsToRevoke } from './rights.ts';
export { revocationRoutes } from './routes.ts';
export type { Handle } from './schemas.ts';
