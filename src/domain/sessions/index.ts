/** Sessions: where users are signed in, and revoking sessions. (oidc/token-store stores them in the form of oidc-provider.) */

export { sessionKind } from './kind.ts';
export { isProofDue, proofSeconds } from './proofs.ts';
export { confirmSession, type RenewalInput, renewSession } from './renewal.ts';
export { carryGrants, carrySession, findSignIn, retireIds } from './renewal-store.ts';
export { sessionRoutes } from './routes.ts';
export {
  noteVisit,
  revokeOtherSessions,
  revokeOwnSession,
  revokeProviderSessions,
  revokeSession,
  revokeSessionsOf,
  type SessionDeps,
} from './sessions.ts';
export {
  countElsewhere,
  type EndingElsewhere,
  findActiveSession,
  findSession,
  listSessions,
  type SignedInSession,
} from './store.ts';
