/** The provider: oidc-provider configured, its storage, and the interactions that pages finish. */

export {
  issueFurtherToken,
  issueTokenForKey,
  type LoggedIn,
  type LogInDeps,
  logInByAssertion,
  logInBySecret,
} from './direct/log-in.ts';
export { endpointTemplate, isForPrograms, publishedDocuments } from './endpoints.ts';
export {
  type BrowserSession,
  browserSession,
  hasSession,
  newSessionId,
  type SignInOptions,
  sendSessionId,
  startBrowserSession,
} from './interactions/browser-session.ts';
export type { DevicePages, UserCodeProblem } from './interactions/device-flow.ts';
export {
  type Authentication,
  finishConsent,
  finishRefused,
  finishSelection,
  finishSignIn,
  finishUnmet,
  type PendingInteraction,
  pendingInteraction,
} from './interactions/interaction.ts';
export { type PlainDeps, PlainRequests } from './plain-requests/plain-requests.ts';
export { type Bearer, type BearerDeps, type BearerRequest, bearerOf, verifiedId } from './presented-tokens/bearer.ts';
export { recordUses } from './presented-tokens/recorded-uses.ts';
export { resolveStructuredTokens } from './presented-tokens/structured-tokens.ts';
export {
  judgeToken,
  type PresentedToken,
  type TokenAuthentication,
  type TokenVerdict,
} from './presented-tokens/verify-access-token.ts';
export { deliverLogout } from './provider/backchannel-logout.ts';
export { clientMetadataRules } from './provider/client-metadata.ts';
export type { ProviderDeps, ProviderPages } from './provider/configuration.ts';
export { clientCertificates } from './provider/mutual-tls.ts';
export { oauthErrors } from './provider/oauth-errors.ts';
export { openProvider, type RunningProvider } from './provider/running-provider.ts';
export { type RegistrationMode, registrationEndpoint } from './registration/register.ts';
export { IssuedCodes, isFirstUse, type KnownClients, knownClients, Reader, readClientRecord } from './store/index.ts';
export { Committer } from './token-endpoint/committer.ts';
export { type IssueDeps, issueTokens } from './token-endpoint/issue-tokens.ts';
export { RowBounds, unitOfWork } from './unit-of-work/index.ts';
