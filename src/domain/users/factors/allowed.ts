import type { FactorKind } from '../../../../db/schema.ts';
import type { Assurance } from './assurance.ts';

/** The methods that users sign in with. */
export const factorKinds = [
  'password',
  'passkey',
  'totp',
  'recovery_code',
  'provider',
  'email_code',
] as const satisfies readonly FactorKind[];

type Policy = { allowed_factors: readonly FactorKind[] | null };

/** Whether users may sign in with a method. Mailed codes are the weakest, and only where the policy names them. */
export function isAllowed({ allowed_factors }: Policy, kind: FactorKind): boolean {
  return allowed_factors === null ? kind !== 'email_code' : allowed_factors.includes(kind);
}

/** Which methods a user has. */
export type Methods = Readonly<Record<FactorKind, boolean>>;

/** The strongest class that a user can sign in with; undefined: none of their methods is allowed, or they lack an allowed second one. */
export function reachable(methods: Methods, policy: Policy): Assurance | undefined {
  const can = (kind: FactorKind) => methods[kind] && isAllowed(policy, kind);
  if (can('passkey')) return 'phr';
  const first = can('password') || can('provider');
  if (!first && !can('email_code')) return undefined;
  // A user with a second factor is always asked for one.
  const isAsked = methods.passkey || methods.totp;
  if (!isAsked) return 'urn:latchkey:acr:one-factor';
  if (!can('totp') && !can('recovery_code')) return undefined;
  return first ? 'urn:latchkey:acr:two-factor' : 'urn:latchkey:acr:one-factor';
}

/** The class that a policy requires because every other way in is closed. */
export function impliedBy(policy: Policy): Assurance | undefined {
  return (['password', 'provider', 'email_code'] as const).some((kind) => isAllowed(policy, kind)) ? undefined : 'phr';
}
