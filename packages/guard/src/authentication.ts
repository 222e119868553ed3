/** Latchkey's authentication context classes, from the weakest to the strongest. */
export const classes: readonly string[] = ['urn:latchkey:acr:one-factor', 'urn:latchkey:acr:two-factor', 'phr'];

/** The required authentication of a route's user (RFC 9470 §4). */
export type AuthenticationNeed = { acr_values?: string | undefined; max_age?: number | undefined };

export type Authentication = { acr?: string | undefined; auth_time?: number | undefined };

/** Why an authentication does not suffice, as a sentence; undefined: it does. @throws the route requires an unknown class */
export function objectionTo(
  { acr, auth_time }: Authentication,
  { acr_values, max_age }: AuthenticationNeed,
  nowMs: number,
): string | undefined {
  if (acr_values === undefined && max_age === undefined) return undefined;
  const ranks = acr_values?.split(' ').map((each) => classes.indexOf(each)) ?? [0];
  if (ranks.includes(-1)) throw new Error(`"${acr_values}" must be acr values of Latchkey: ${classes.join(', ')}`);
  if (acr === undefined || auth_time === undefined) return 'This needs a user who signed in.';
  if (classes.indexOf(acr) < Math.min(...ranks)) return 'The user must sign in with a stronger method.';
  const isOld = max_age !== undefined && nowMs / 1000 - auth_time > max_age;
  return isOld ? 'The user signed in too long ago and must sign in again.' : undefined;
}
