/** Requests that go out to addresses others chose (JWKS URIs): to public addresses only, briefly, without redirects. */
export { type DomainRules, isAllowedDomain, parseDomainRules } from './domain-rules.ts';
export { guardedFetch } from './fetch.ts';
export { freshSeconds } from './freshness.ts';
export { type Getting, guardedGet, UnexpectedStatus } from './get.ts';
export { guardedPost, type Posting } from './post.ts';
