/** Consents: what a user allowed a client, the grants under it, and revoking them. */

export {
  allowClient,
  type ConsentDeps,
  denyClient,
  impactOfConsent,
  revokeConsent,
  revokeGrant,
  revokeGrantsOf,
} from './consents.ts';
export { grantKind } from './kind.ts';
export {
  type ConnectedApp,
  findConnectedApp,
  type GivenConsent,
  listConnectedApps,
  listConsents,
  listEveryConsentOf,
  listStandingGrants,
} from './list-store.ts';
export { consentRoutes } from './routes.ts';
export { ConsentView, GrantView } from './schemas.ts';
export { type Consent, findStandingConsent } from './store.ts';
