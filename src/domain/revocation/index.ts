/** Revocation: planning and executing what must die, by whatever handle is known of it. */
export { type Death, type RevocationDeps, revoke, whatWouldDie } from './revocation.ts';
export { mustBeAllowedToEnd, permissionsToEnd } from './rights.ts';
export { revocationRoutes } from './routes.ts';
export type { Handle } from './schemas.ts';
