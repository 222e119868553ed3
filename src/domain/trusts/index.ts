/** Trusts: foreign issuers whose tokens are accepted, under which conditions, and with which permissions. */

export { type Assertion, assertionAlgorithms as signatureAlgorithms, readAssertion } from './assertion.ts';
export { unmetCondition } from './conditions.ts';
export { discoverIssuer, OtherIssuerError } from './discovery.ts';
export { IssuerKeys, NoKeyError } from './issuer-keys.ts';
export {
  isPassed,
  type Judgement,
  type JudgementDeps,
  judge,
  judgeClaims,
  judgeType,
  reasonIn,
  reviewRefusalIn,
  type TrustedAssertion,
} from './judgement.ts';
export { KnownTrusts } from './known.ts';
export { providers as providerKinds } from './login.ts';
export { mappedClaims, mappedRoleDays, mappedRoleIds } from './role-mappings.ts';
export { type TrustRouteDeps, trustRoutes } from './routes.ts';
export { TrustInput, type TrustView } from './schemas.ts';
export { secretOf } from './secret.ts';
export { findTrust, listEveryTrust, listLoginTrusts, listTrusts, lockTrustNamed, type Trust } from './store.ts';
export { TokenReviews } from './token-reviews.ts';
export { asInput, disableTrust, putTrust, retireTrust, type TrustsDeps } from './trusts.ts';
export { unknownSettings } from './unknown-settings.ts';
export { registerWorkload, WorkloadUses, workloadClientId } from './workloads.ts';
