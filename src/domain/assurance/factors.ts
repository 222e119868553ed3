import { z } from 'zod';
import type { FactorKind } from '../../../db/schema.ts';
import { invalid } from '../../platform/http/index.ts';
import { type Assurance, assuranceOf, isAtLeast, kindsIn, strongestOf } from './classes.ts';

/** The methods that users sign in with. */
const factorKinds = [
  'password',
  'passkey',
  'totp',
  'recovery_code',
  'provider',
  'email_code',
] as const satisfies readonly FactorKind[];

/** The known ones of these methods, in a fixed order: the order has no meaning. */
export const inOrder = (factors: readonly unknown[]): FactorKind[] =>
  factorKinds.filter((kind) => factors.includes(kind));

/** A list of methods in configuration. */
export const FactorList = z
  .array(z.enum(factorKinds))
  .min(1)
  .refine((kinds) => new Set(kinds).size === kinds.length, 'must not name a method twice');

type Factors = readonly FactorKind[] | null;
type Policy = { allowed_factors: Factors };

/** Whether users may sign in with a method. Mailed codes are the weakest, and are allowed only if the policy names them. */
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

/** The class that a policy implies, because it allows only methods of that class. */
export function impliedBy(policy: Policy): Assurance | undefined {
  return (['password', 'provider', 'email_code'] as const).some((kind) => isAllowed(policy, kind)) ? undefined : 'phr';
}

/** What a party requires of a sign-in. */
export type Demand = {
  /** The weakest class that is enough; undefined: any. */
  required_acr: Assurance | undefined;
  /** The methods that count; null: all that the sign-in policy allows. */
  allowed_factors: Factors;
};

type Party = { required_acr?: string | null | undefined; allowed_factors?: Factors | undefined };

/** The demands of several parties together: the strongest class, and only methods that each of them allows. */
export function demandOf(parties: readonly Party[]): Demand {
  const lists = parties.map(({ allowed_factors }) => allowed_factors ?? null).filter((list) => list !== null);
  const isCommon = (kind: FactorKind) => lists.every((list) => list.includes(kind));
  return {
    required_acr: strongestOf(parties.map(({ required_acr }) => required_acr)),
    allowed_factors: lists.length === 0 ? null : factorKinds.filter(isCommon),
  };
}

/** The policy of the installation, narrowed to a demand: a demand allows nothing that the policy does not allow. */
export function narrowedTo(policy: Policy, { allowed_factors }: Pick<Demand, 'allowed_factors'>): Policy {
  return allowed_factors === null
    ? policy
    : { allowed_factors: allowed_factors.filter((kind) => isAllowed(policy, kind)) };
}

type SignIn = { acr?: string | null | undefined; amr?: readonly string[] | null | undefined };

/**
 * Whether a sign-in meets a demand. If only some methods count, the used ones among them must be a sign-in of the required class on
 * their own: where passwords do not count, a password in addition to a passkey changes nothing.
 */
export function meets({ acr, amr }: SignIn, { required_acr, allowed_factors }: Demand): boolean {
  const counted = allowed_factors === null ? { acr } : countedOf(amr ?? [], allowed_factors);
  return counted !== undefined && (required_acr === undefined || isAtLeast(counted.acr, required_acr));
}

const firstFactors: readonly FactorKind[] = ['passkey', 'password', 'provider', 'email_code'];

function countedOf(amr: readonly string[], allowed: readonly FactorKind[]): { acr: Assurance } | undefined {
  const counted = kindsIn(amr).filter(({ kind }) => allowed.includes(kind));
  if (!counted.some(({ kind }) => firstFactors.includes(kind))) return undefined;
  return { acr: assuranceOf(counted.map(({ method }) => method)) };
}

/** Whether every method of a list is allowed by another list. */
export function isWithin(factors: Factors, others: Factors): boolean {
  if (others === null) return true;
  return factors !== null && factors.every((kind) => others.includes(kind));
}

/**
 * Guards a demand: with the methods that it allows, users must be able to reach the class that it requires.
 *
 * @throws Problem `invalid` at `/allowed_factors`
 */
export function mustBeReachable({ required_acr, allowed_factors }: Demand): void {
  if (allowed_factors === null) return;
  const all = factorKinds.map((kind) => [kind, allowed_factors.includes(kind)]);
  const best = reachable(Object.fromEntries(all) as Methods, { allowed_factors });
  if (best === undefined)
    throw invalid('/allowed_factors', 'Name a method to sign in with: password, passkey, provider or email_code.');
  if (required_acr && !isAtLeast(best, required_acr))
    throw invalid('/allowed_factors', `These methods do not reach ${required_acr}, which is required.`);
}
