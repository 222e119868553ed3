import { redeemedOnce } from './redeemed-once.ts';

/** Authorization codes (RFC 6749 §4.1). */
export const authorizationCode = redeemedOnce({
  name: 'authorization_code',
  source: 'authorization_code',
  table: 'authorization_codes',
  reuse: 'authorization_code.reuse',
});
