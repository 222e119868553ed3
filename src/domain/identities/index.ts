/** Identities: who users are at foreign issuers. */
export { type IdentityDeps, unlinkIdentity } from './identities.ts';
export { identityRoutes } from './routes.ts';
export { findStandingIdentity, type StandingIdentity } from './store.ts';
