/** The provider: oidc-provider configured, its storage, and the interactions that pages finish. */

export { deliverLogout } from './backchannel-logout.ts';
export { type Bearer, type BearerDeps, bearerOf, verifiedId } from './bearer.ts';
export { clientMetadataRules } from './client-metadata.ts';
export type { ProviderDeps, ProviderPages } from './configuration.ts';
export type { DevicePages, UserCodeProblem } from './device-flow.ts';
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
export {
  type Authentication,
  finishConsent,
  finishRefused,
  finishSelection,
  finishSignIn,
  type PendingInteraction,
  pendingInteraction,
} from './interactions/interaction.ts';
export { clientCertificates } from './mutual-tls.ts';
export { oauthErrors } from './oauth-errors.ts';
export { recordUses } from './recorded-uses.ts';
export { openProvider, type RunningProvider } from './running-provider.ts';
export { judgeToken, type ShownToken, type TokenVerdict } from './shown-token.ts';
export { resolveStructuredTokens } from './structured-tokens.ts';
export { isFirstUse, type KnownClients, knownClients, Reader } from './token-store/index.ts';
export { Committer, RowBounds, unitOfWork } from './token-transaction/index.ts';
