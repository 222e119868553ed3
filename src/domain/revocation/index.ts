/** Revocation: counts and revokes credentials, given any handle that identifies them. */
export { impactOf } from './by-kind.ts';
export { type RevocationDeps, type RevocationImpact, revocationImpact, revoke } from './revocation.ts';
export { mustBeAllowedToRevoke, permissionsToRevoke } from './rights.ts';
export { revocationRoutes } from './routes.ts';
export type { Handle } from './schemas.ts';
export { countLive } from './store.ts';
