/** Revocation: planning and executing what must die, by whatever handle is known of it. */
export { type RevokedBefore, revokeIssuedBefore, whatWasIssuedBefore } from './revocation.ts';
