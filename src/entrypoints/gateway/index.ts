/** The gateway: answers proxies and services that ask whether a key or token is good for a request. */
export { keyBearerOf } from './callers.ts';
export { Gateway } from './gateway.ts';
export { verdictCodes } from './schemas.ts';
