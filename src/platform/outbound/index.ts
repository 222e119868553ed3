/** Outgoing requests to addresses that others chose (JWKS URIs): to public addresses only, with short timeouts, without redirects. */
export { type Asking, guardedAsk } from './ask.ts';
export { type DomainRules, isAllowedDomain, parseDomainRules } from './domain-rules.ts';
export { type Fetching, guardedFetch } from './fetch.ts';
export { FetchBudget } from './fetch-budget.ts';
export { freshSeconds } from './freshness.ts';
export {
  type Getting,
  type Got,
  guardedGet,
  guardedRevalidation,
  type NotModified,
  type Revalidating,
  TooLarge,
  UnexpectedStatus,
} from './get.ts';
export { guardedPost, type Posting } from './post.ts';
export { validatorsOf } from './validators.ts';
