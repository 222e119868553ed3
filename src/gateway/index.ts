/** The gateway: answers proxies and services that ask whether a key or token is good for a request. */
export { forwardAuth, gatewayTemplate } from './forward-auth.ts';
export { verdictCodes } from './schemas.ts';
export { verify } from './verify.ts';
