import { z } from 'zod';
import { type Db, inTransaction, type Trx } from '../../../platform/database/index.ts';
import { type Actor, checked, conflict, mergePatch, mustBeAt, Timestamp } from '../../../platform/http/index.ts';
import { holdsInAreas, mustBePermitted } from '../../access/index.ts';
import { appendEvent, changesBetween } from '../../audit/index.ts';
import { type Assurance, isRequirable, requirableClasses, strongestOf } from './assurance.ts';
import { relyingPartyOf } from './passkeys.ts';
import { findSignInPolicy, lockPolicy, type PolicyRow, updatePolicy } from './policy-store.ts';
import { hasSecondFactor } from './store.ts';

export type PolicyDeps = { db: Db; now: () => Date; issuer: string };

const Class = z.enum(requirableClasses).nullable();

/** How users of this installation must sign in, as configuration names it. */
export const SignInPolicyInput = z.strictObject({
  required_acr: Class.default(null).meta({
    description: 'the weakest class of authentication that is enough for users; null: any',
  }),
  administrator_required_acr: Class.default(null).meta({
    description: 'the same for users who hold a permission of Latchkey itself; the stronger of both counts',
  }),
});
export type SignInPolicyInput = z.output<typeof SignInPolicyInput>;
export const SignInPolicyChanges = z.strictObject({
  required_acr: Class.optional(),
  administrator_required_acr: Class.optional(),
});
export const SignInPolicyView = SignInPolicyInput.extend({ version: z.int(), updated_at: Timestamp });

/** The policy as configuration and the admin API show it. */
export function asPolicyInput({ required_acr, administrator_required_acr }: PolicyRow): SignInPolicyInput {
  const known = (acr: string | null) => (acr !== null && isRequirable(acr) ? acr : null);
  return { required_acr: known(required_acr), administrator_required_acr: known(administrator_required_acr) };
}

/** How a user must sign in; undefined: anyhow. */
export async function requiredOfUser(db: Db, user_id: string, now: Date): Promise<Assurance | undefined> {
  const { required_acr, administrator_required_acr } = await findSignInPolicy(db);
  const isAsked = administrator_required_acr !== null && administrator_required_acr !== required_acr;
  const ofAdministrator =
    isAsked && (await holdsInAreas(db, user_id, { areas: ['latchkey'], now })) ? administrator_required_acr : null;
  return strongestOf([required_acr, ofAdministrator]);
}

/**
 * Changes how users must sign in, by a JSON Merge Patch. Sessions that do not meet it sign in again.
 *
 * @throws Problem `precondition_failed`; `conflict`: the actor would be locked out, or nobody can have a passkey here
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
    if (Object.values(input).includes('phr') && !relyingPartyOf(deps.issuer, ''))
      throw conflict(
        'This server is reached by an IP address, for which browsers make no passkeys. Require a second factor.',
      );
    await putSignInPolicy(trx, deps, actor, input);
    return findSignInPolicy(trx);
  });
}

/**
 * Makes the policy equal to the input, in the transaction of the verb that decides it.
 *
 * @throws Problem `forbidden`; `conflict`: the actor, a user, has no second factor and would be locked out
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
  if (actor.kind === 'user' && !(await hasSecondFactor(trx, actor.subject_id ?? '')))
    throw conflict('Set up a passkey or an authenticator app for yourself first. Otherwise you would be locked out.');
  const occurred_at = now();
  await updatePolicy(trx, { ...input, updated_at: occurred_at });
  await appendEvent(trx, { actor, action: 'sign_in_policy.updated', details: { changed }, occurred_at });
  return 'updated';
}
