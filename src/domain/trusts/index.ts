/** Trusts: foreign issuers whose tokens are accepted, from whom exactly, and what they give. */

export { type Assertion, readAssertion } from './assertion.ts';
export { IssuerKeys } from './issuer-keys.ts';
export {
  isPassed,
  type JudgementDeps,
  judge,
  judgeClaims,
  judgeType,
  reasonIn,
  type TrustedAssertion,
} from './judgement.ts';
export { KnownTrusts } from './known.ts';
export { type TrustRouteDeps, trustRoutes } from './routes.ts';
export { TrustInput, type TrustView } from './schemas.ts';
export { listEveryTrust, listTrusts, type Trust } from './store.ts';
export { asInput, disableTrust, putTrust, type TrustsDeps } from './trusts.ts';
export { registerWorkload, WorkloadUses, workloadClientId } from './workloads.ts';
