/** The gateway: answers proxies and services that verify a key or token for a request. */
export { keyBearerOf } from './callers.ts';
export { Gateway } from './gateway.ts';
export { verdictCodes } from './schemas.ts';
