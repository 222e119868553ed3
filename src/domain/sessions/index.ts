/** Sessions: who is signed in where; signing out everywhere. (oidc/token-store saves them as oidc-provider needs.) */

export { sessionKind } from './kind.ts';
export { confirmSession, type RenewalInput, renewSession } from './renewal.ts';
export { carryGrants, carrySession, findConfirmation, findSignIn, retireIds } from './renewal-store.ts';
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
