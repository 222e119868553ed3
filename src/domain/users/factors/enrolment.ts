import { v7 as uuidv7 } from 'uuid';
import type { FactorKind } from '../../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../../platform/database/index.ts';
import { type Actor, conflict, invalid, notFound } from '../../../platform/http/index.ts';
import { mustHoldAllOf } from '../../access/index.ts';
import { isAllowed, reachable } from '../../assurance/index.ts';
import { type AuditAction, appendEvent } from '../../audit/index.ts';
import { forgetBrowsersOf } from '../../browsers/index.ts';
import type { FactorTopic, SendEmail } from '../../notifications/index.ts';
import { notify } from '../notices.ts';
import { lockUserById, startNextEpoch, type User, updateUser } from '../store.ts';
import type { CarryDeps } from './carried-state.ts';
import { useEnrolmentLink } from './enrolment-links.ts';
import { methodsOfUser } from './methods-store.ts';
import { asCode, sealSecret, stepOf } from './one-time-codes.ts';
import type { MadePasskey } from './passkeys.ts';
import { findSignInPolicy } from './policy-store.ts';
import { digestOfCode, generateRecoveryCodes } from './recovery-codes.ts';
import {
  deleteFactors,
  findOneTimeCodes,
  findPasskey,
  hasSecondFactor,
  insertFactor,
  listPasskeys,
  renamePasskey,
} from './store.ts';

export type EnrolmentDeps = CarryDeps & { db: Db; sendEmail?: SendEmail | undefined };

/** The secret of a link to add a first factor. */
type ByLink = { link?: string | undefined };

const mostPasskeys = 20;
type Own = Actor & { id: string };

/** The action, and the notice that the user gets. */
type Change = { action: AuditAction; notice: FactorTopic; details?: Record<string, unknown> };

/**
 * Adds a passkey to the actor's account.
 *
 * @throws Problem `conflict`: the user has twenty, or this one is already registered
 */
export async function addPasskey(
  deps: EnrolmentDeps,
  actor: Own,
  { name, passkey, link }: ByLink & { name: string; passkey: MadePasskey },
): Promise<void> {
  await changing(deps, actor, async (trx, user, created_at) => {
    const user_id = user.id;
    await mustBeAllowed(trx, 'passkey');
    if (link) await useEnrolmentLink(trx, user, { secret: link, now: created_at });
    if ((await listPasskeys(trx, user_id)).length >= mostPasskeys)
      throw conflict(`You have ${mostPasskeys} passkeys. Remove one first.`);
    if (await findPasskey(trx, passkey.passkey_id)) throw conflict('This passkey was added before.');
    const transports = JSON.stringify(passkey.transports);
    const id = uuidv7();
    await insertFactor(trx, { ...passkey, id, user_id, kind: 'passkey', name, transports, created_at });
    return { action: 'user.factor_added', notice: 'passkey_added', details: { kind: 'passkey', name, id } };
  });
}

/** Renames a passkey. @throws Problem `not_found` */
export async function nameOwnPasskey(
  deps: EnrolmentDeps,
  actor: Own,
  { id, name }: { id: string; name: string },
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    if (!(await renamePasskey(trx, { id, user_id: actor.id, name }))) throw notFound('passkey', id);
    const target = { kind: 'user', id: actor.id };
    const details = { kind: 'passkey', name, id };
    await appendEvent(trx, { actor, action: 'user.factor_renamed', target, details, occurred_at: deps.now() });
  });
}

/**
 * Sets up an authenticator app for the actor's account. A code proves that the app works; that code is not accepted again.
 *
 * @throws Problem `invalid`: the code is wrong; `conflict`: there is one already
 */
export async function addOneTimeCodes(
  deps: EnrolmentDeps,
  actor: Own,
  { secret, code: typed, link }: ByLink & { secret: string; code: string },
): Promise<void> {
  const code = asCode(typed);
  const step = code && (await stepOf(secret, code, deps.now()));
  if (!step) throw invalid('/code', 'The code is wrong. Enter the one that the app shows now.');
  await changing(deps, actor, async (trx, user, created_at) => {
    const user_id = user.id;
    await mustBeAllowed(trx, 'totp');
    if (link) await useEnrolmentLink(trx, user, { secret: link, now: created_at });
    if (await findOneTimeCodes(trx, user_id))
      throw conflict('An authenticator app is already set up. Remove it first.');
    const id = uuidv7();
    const sealed = sealSecret(deps.keys, id, secret);
    await insertFactor(trx, { id, user_id, kind: 'totp', ...sealed, last_step: step, created_at });
    return { action: 'user.factor_added', notice: 'totp_added', details: { kind: 'totp', id } };
  });
}

/**
 * Creates ten recovery codes; earlier ones are deleted.
 *
 * @returns the codes, which are stored nowhere
 * @throws Problem `conflict`: there is no other factor that they could replace
 */
export async function replaceRecoveryCodes(deps: EnrolmentDeps, actor: Own): Promise<string[]> {
  const codes = generateRecoveryCodes();
  await changing(deps, actor, async (trx, { id: user_id }, created_at) => {
    if (!(await hasSecondFactor(trx, user_id)))
      throw conflict(
        'Set up an authenticator app or a passkey first. Recovery codes are for when you do not have it with you.',
      );
    await deleteFactors(trx, user_id, { kind: 'recovery_code' });
    for (const code of codes)
      await insertFactor(trx, { id: uuidv7(), user_id, kind: 'recovery_code', digest: digestOfCode(code), created_at });
    return { action: 'user.recovery_codes_created', notice: 'recovery_codes_created' };
  });
  return codes;
}

/**
 * Removes a factor of the actor's account. Removing the last one also deletes the recovery codes, which replace it.
 *
 * @throws Problem `not_found`; `conflict`: the sign-in policy allows none of the methods that would be left
 */
export async function removeFactor(deps: EnrolmentDeps, actor: Own, id: string): Promise<void> {
  await changing(deps, actor, async (trx, { id: user_id }) => {
    const isCode = (await findOneTimeCodes(trx, user_id))?.id === id;
    const policy = await findSignInPolicy(trx);
    const before = reachable(await methodsOfUser(trx, user_id), policy);
    if ((await deleteFactors(trx, user_id, { id })) === 0) throw notFound('sign-in method', id);
    if (!(await hasSecondFactor(trx, user_id))) await deleteFactors(trx, user_id, { kind: 'recovery_code' });
    if (before && !reachable(await methodsOfUser(trx, user_id), policy))
      throw conflict('You could not sign in any more without it. Add another method first.');
    const kind = isCode ? 'totp' : 'passkey';
    return { action: 'user.factor_removed', notice: `${kind}_removed`, details: { kind, id } };
  });
}

/**
 * Removes every factor of a user except the password, and signs them out everywhere: for users who lost their factors.
 *
 * @throws Problem `not_found`; `forbidden`: the user holds what the actor does not
 */
export async function resetFactors(
  deps: Omit<EnrolmentDeps, 'keys'>,
  actor: Actor,
  user_id: string,
): Promise<{ removed: number }> {
  return inTransaction(deps.db, async (trx) => {
    const user = await lockUserById(trx, user_id);
    if (!user) throw notFound('user', user_id);
    const occurred_at = deps.now();
    await mustHoldAllOf(trx, actor, user_id, occurred_at);
    const removed = await deleteFactors(trx, user_id);
    await updateUser(trx, user_id, { tokens_valid_after: occurred_at, updated_at: occurred_at });
    await startNextEpoch(trx, user_id);
    const target = { kind: 'user', id: user_id };
    await appendEvent(trx, { actor, action: 'user.factors_reset', target, details: { removed }, occurred_at });
    await notify(deps, trx, user, { about: 'factors_reset', at: occurred_at });
    return { removed };
  });
}

/** @throws Problem `conflict`: the sign-in policy does not allow this method, so that it would lock the user out */
async function mustBeAllowed(trx: Trx, kind: FactorKind): Promise<void> {
  if (!isAllowed(await findSignInPolicy(trx), kind))
    throw conflict('This installation does not allow this sign-in method. Add another one.');
}

/** Changes a user's sign-in methods: one change of an account at a time, with its event and its notice. */
async function changing(
  deps: EnrolmentDeps,
  actor: Own,
  change: (trx: Trx, user: User, now: Date) => Promise<Change>,
): Promise<void> {
  await inTransaction(deps.db, async (trx) => {
    const user = await lockUserById(trx, actor.id);
    if (!user) throw notFound('user', actor.id);
    const occurred_at = deps.now();
    const { action, notice, details } = await change(trx, user, occurred_at);
    await forgetBrowsersOf(trx, user.id);
    const target = { kind: 'user', id: user.id };
    await appendEvent(trx, { actor, action, target, ...(details && { details }), occurred_at });
    await notify(deps, trx, user, { about: notice, at: occurred_at });
  });
}
