import { isAtLeast, weakestOf } from '../../domain/assurance/index.ts';
import type { TokenAuthentication } from '../oauth/index.ts';
import type { VerifyRequest } from './schemas.ts';

/** The required authentication of the request's user (RFC 9470). */
export type AuthenticationNeed = Pick<VerifyRequest, 'acr_values' | 'max_age'>;

export const noUserAuthenticated =
  'This request needs a user who signed in, and this credential is of a service or a key.';

export function needsAuthentication({ acr_values, max_age }: AuthenticationNeed): boolean {
  return acr_values !== undefined || max_age !== undefined;
}

/** Why the authentication of a token's user does not suffice, as a sentence; undefined: it does. */
export function authenticationObjection(
  { acr_values, max_age }: AuthenticationNeed,
  { acr, auth_time }: TokenAuthentication,
  now: Date,
): string | undefined {
  if (acr_values === undefined && max_age === undefined) return undefined;
  if (acr === undefined || auth_time === undefined) return noUserAuthenticated;
  const required = weakestOf(acr_values?.split(' ') ?? []);
  if (required && !isAtLeast(acr, required)) return 'The user must sign in with a stronger method.';
  const isOld = max_age !== undefined && now.getTime() / 1000 - auth_time > max_age;
  return isOld ? 'The user signed in too long ago and must sign in again.' : undefined;
}
