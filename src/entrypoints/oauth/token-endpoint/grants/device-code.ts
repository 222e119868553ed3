import { redeemedOnce } from './redeemed-once.ts';

/** Device codes that the user has approved (RFC 8628 §3.4). */
export const deviceCode = redeemedOnce({
  name: 'urn:ietf:params:oauth:grant-type:device_code',
  source: 'device_code',
  table: 'device_codes',
  reuse: 'device_code.reuse',
});
