import { z } from 'zod';
import { type Db, inTransaction, type Trx } from '../../../platform/database/index.ts';
import { type Actor, checked, conflict, mergePatch, mustBeAt, Timestamp } from '../../../platform/http/index.ts';
import { holdsInAreas, mustBePermitted } from '../../access/index.ts';
import {
  type Assurance,
  FactorList,
  impliedBy,
  inOrder,
  isAtLeast,
  isRequirable,
  mustBeReachable,
  reachable,
  requirableClasses,
  strongestOf,
} from '../../assurance/index.ts';
import { appendEvent, changesBetween } from '../../audit/index.ts';
import type { KnownPolicy } from './known-policy.ts';
import { listOwners, methodsOfUser } from './methods-store.ts';
import { relyingPartyOf } from './passkeys.ts';
import { findSignInPolicy, lockPolicy, type PolicyRow, updatePolicy } from './policy-store.ts';
import { hasSecondFactor } from './store.ts';

export type PolicyDeps = { db: Db; now: () => Date; issuer: string };

const Factors = FactorList.nullable();
const mostDays = 90;
const Days = z.int().min(0).max(mostDays);
const Class = z.enum(requirableClasses).nullable();

/** The sign-in policy of this installation, as in configuration. */
export const SignInPolicyInput = z.strictObject({
  required_acr: Class.default(null).meta({
    description: 'the weakest class of authentication that is enough for users; null: any',
  }),
  administrator_required_acr: Class.default(null).meta({
    description: 'the same for users who hold a permission of Latchkey itself; the stronger of both applies',
  }),
  allowed_factors: Factors.default(null).meta({
    description: 'the methods that users may sign in with; null: all but mailed codes (email_code)',
  }),
  remember_browser_days: Days.default(0).meta({
    description: 'for how many days users may skip the second factor in a browser, if none is required; 0: never',
  }),
});
export type SignInPolicyInput = z.output<typeof SignInPolicyInput>;
export const SignInPolicyChanges = z.strictObject({
  required_acr: Class.optional(),
  administrator_required_acr: Class.optional(),
  allowed_factors: Factors.optional(),
  remember_browser_days: Days.optional(),
});
export const SignInPolicyView = SignInPolicyInput.extend({ version: z.int(), updated_at: Timestamp });

/** The policy as configuration and the admin API show it. */
export function asPolicyInput(policy: PolicyRow): SignInPolicyInput {
  const { required_acr, administrator_required_acr, allowed_factors, remember_browser_days } = policy;
  const known = (acr: string | null) => (acr !== null && isRequirable(acr) ? acr : null);
  return {
    required_acr: known(required_acr),
    administrator_required_acr: known(administrator_required_acr),
    allowed_factors: allowed_factors && inOrder(allowed_factors),
    remember_browser_days,
  };
}

export type RequirementDeps = { db: Db; now: () => Date; policy: KnownPolicy };

/** The class that a user's sign-ins must have; undefined: any. */
export async function requiredOfUser(
  { db, now, policy }: RequirementDeps,
  user_id: string,
): Promise<Assurance | undefined> {
  return requiredBy(db, await policy.current(), { user_id, now: now() });
}

type Policy = Pick<PolicyRow, 'required_acr' | 'administrator_required_acr' | 'allowed_factors'>;

async function requiredBy(db: Db, policy: Policy, { user_id, now }: { user_id: string; now: Date }) {
  const { required_acr, administrator_required_acr } = policy;
  const isAsked = administrator_required_acr !== null && administrator_required_acr !== required_acr;
  const ofAdministrator =
    isAsked && (await holdsInAreas(db, user_id, { areas: ['latchkey'], now })) ? administrator_required_acr : null;
  return strongestOf([required_acr, ofAdministrator, impliedBy(policy)]);
}

/**
 * Updates the sign-in policy with a JSON Merge Patch. Users of sessions that do not meet it must sign in again.
 *
 * @throws Problem `precondition_failed`; `conflict`: the actor would be locked out, or passkeys are not possible here
 */
export async function changeSignInPolicy(
  deps: PolicyDeps,
  actor: Actor,
  { patch, ifVersion }: { patch: Record<string, unknown>; ifVersion: number | undefined },
): Promise<PolicyRow> {
  return inTransaction(deps.db, async (trx) => {
    const before = await lockPolicy(trx);
    mustBeAt(before.version, ifVersion);
    const input = checked(SignInPolicyInput, mergePatch(asPolicyInput(before), patch));
    const needsPasskeys = [input.required_acr, input.administrator_required_acr, impliedBy(input)].includes('phr');
    if (needsPasskeys && !relyingPartyOf(deps.issuer, ''))
      throw conflict(
        'This server is reached by an IP address, for which browsers make no passkeys. Require a second factor.',
      );
    await putSignInPolicy(trx, deps, actor, input);
    return findSignInPolicy(trx);
  });
}

/**
 * Updates the policy to equal the input, in the transaction of the verb that decides it.
 *
 * @throws Problem `forbidden`; `invalid`: its methods cannot reach the class that it requires;
 *   `conflict`: the actor, a user, has no second factor and would be locked out, or no owner could sign in
 */
export async function putSignInPolicy(
  trx: Trx,
  { now }: Pick<PolicyDeps, 'now'>,
  actor: Actor,
  input: SignInPolicyInput,
): Promise<'updated' | 'unchanged'> {
  mustBePermitted(actor, 'latchkey:sign_in_policy:write', 'Changing the sign-in policy');
  const before = asPolicyInput(await lockPolicy(trx));
  const changed = changesBetween(before, input);
  if (Object.keys(changed).length === 0) return 'unchanged';
  mustBeReachable({ ...input, required_acr: strongestOf([input.required_acr, input.administrator_required_acr]) });
  const occurred_at = now();
  if (actor.kind === 'user' && !(await hasSecondFactor(trx, actor.subject_id ?? '')))
    throw conflict('Set up a passkey or an authenticator app for yourself first. Otherwise you would be locked out.');
  if (actor.kind !== 'system') await mustLeaveWayIn(trx, actor, { policy: input, now: occurred_at });
  const allowed_factors = input.allowed_factors && JSON.stringify(input.allowed_factors);
  await updatePolicy(trx, { ...input, allowed_factors, updated_at: occurred_at });
  await appendEvent(trx, { actor, action: 'sign_in_policy.updated', details: { changed }, occurred_at });
  return 'updated';
}

/**
 * Keeps users from locking out themselves or the last owner. Only the operator of the machine may do so, and can undo it there.
 *
 * @throws Problem `conflict`
 */
async function mustLeaveWayIn(
  trx: Trx,
  actor: Actor,
  { policy, now }: { policy: SignInPolicyInput; now: Date },
): Promise<void> {
  if (policy.allowed_factors === null) return;
  const bestOf = async (user_id: string) => reachable(await methodsOfUser(trx, user_id), policy);
  if (actor.kind === 'user') {
    const user_id = actor.subject_id ?? '';
    const [best, required] = [await bestOf(user_id), await requiredBy(trx, policy, { user_id, now })];
    if (best === undefined || (required !== undefined && !isAtLeast(best, required)))
      throw conflict(
        'You could not sign in any more with the methods that you have. Add one of the allowed ones first.',
      );
  }
  const owners = await listOwners(trx);
  // An owner who cannot reach the required class adds a factor with a link.
  for (const owner of owners) if ((await bestOf(owner)) !== undefined) return;
  if (owners.length > 0)
    throw conflict(
      'No owner could sign in any more: none has one of the allowed methods. An owner must add one first.',
    );
}
