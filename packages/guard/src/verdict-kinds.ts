const limited = new Set(['rate_limited', 'quota_exceeded', 'throttled']);
const dead = new Set([
  ...['malformed', 'unknown', 'revoked', 'expired', 'disabled', 'owner_disabled', 'certificate_mismatch'],
  ...['proof_required', 'invalid_proof'],
]);

/**
 * The meaning of a gateway code for the caller: `dead`, there is no such credential, or not any more (401); `limited`, not now
 * (429); `refused`, not this (403), also for a code of a newer server.
 */
export function kindOf(code: string): 'dead' | 'limited' | 'refused' {
  if (limited.has(code)) return 'limited';
  return dead.has(code) ? 'dead' : 'refused';
}
