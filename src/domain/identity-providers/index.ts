/** Identity providers: users sign in with an account at another provider ("Login with Google"). */

export { enterByProvider, type ProviderSession, recordRefusal } from './accounts.ts';
export { connectAccount, disconnectAccount, isAccountOf } from './connecting.ts';
export { isLogin, type LoginTrust, ProviderConnections, providerName } from './connections.ts';
export { logOutByProvider } from './logout.ts';
export { ProviderRefusal, type RefusalKind } from './refusal.ts';
export { authorizationUrl, newRoundTrip, type RoundTripDeps, redeem } from './round-trip.ts';
export type { UpstreamAccount } from './upstream-account.ts';
