import { digest } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, conflict, invalid } from '../../platform/http/index.ts';
import { subjectOf } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { type ApiKeyDeps, getKey, lockUsable, record } from './api-keys.ts';
import { environmentOf } from './format.ts';
import { mustHoldAll } from './rights.ts';
import type { KeyHandle } from './schemas.ts';
import { countLiveKeys, type KeyScope, markKeysRevoked } from './scope-store.ts';
import { type ApiKey, expireVersionsBefore, type KeyRef, lockKey, updateKey } from './store.ts';

const mostNamed = 1000;

/**
 * Disables a key: it is refused until it is enabled again, and the tokens exchanged for it are revoked. Repeating it changes and
 * records nothing.
 *
 * @throws Problem `not_found`; `conflict`: it is revoked
 */
export async function disableApiKey(deps: ApiKeyDeps, actor: Actor, ref: KeyRef): Promise<ApiKey> {
  return setEnabled(deps, actor, { ...ref, enabled: false });
}

/**
 * Enables a disabled key. The actor grants its permissions by this, and so must hold them.
 *
 * @throws Problem `not_found`; `conflict`: it is revoked, or another user disabled the actor's own key; `forbidden`: the actor
 *   does not hold a permission of the key
 */
export async function enableApiKey(deps: ApiKeyDeps, actor: Actor, ref: KeyRef): Promise<ApiKey> {
  return setEnabled(deps, actor, { ...ref, enabled: true });
}

async function setEnabled(
  { db, now }: ApiKeyDeps,
  actor: Actor,
  { enabled, ...ref }: KeyRef & { enabled: boolean },
): Promise<ApiKey> {
  return inTransaction(db, async (trx) => {
    const before = await lockUsable(trx, ref);
    if (before.enabled === enabled) return before;
    const occurred_at = now();
    const { owner_id, expires_at } = before;
    if (enabled) await mustHoldAll(trx, actor, { owner_id, powers: [before], expires_at, now: occurred_at });
    const isOwner = actor.subject_id === before.owner_id;
    if (enabled && isOwner && !before.disabled_by_owner)
      throw conflict('Another user disabled this key: ask an administrator to enable it, or create another key.');
    const ended = enabled ? {} : { tokens_valid_after: occurred_at, disabled_by_owner: isOwner };
    await updateKey(trx, ref.id, { enabled, ...ended, updated_at: occurred_at });
    const key = await getKey(trx, ref);
    await record(trx, actor, { action: enabled ? 'api_key.enabled' : 'api_key.disabled', key, occurred_at });
    return key;
  });
}

/**
 * Revokes a key with all its versions, permanently. Repeating it changes and records nothing.
 *
 * @throws Problem `not_found`
 */
export async function revokeApiKey(
  { db, now }: Pick<ApiKeyDeps, 'db' | 'now'>,
  actor: Actor,
  ref: KeyRef,
): Promise<ApiKey> {
  return inTransaction(db, async (trx) => {
    const before = await lockKey(trx, ref);
    if (!before || before.revoked_at) return before ?? getKey(trx, ref);
    const occurred_at = now();
    await updateKey(trx, ref.id, { revoked_at: occurred_at, updated_at: occurred_at });
    const key = await getKey(trx, ref);
    await record(trx, actor, { action: 'api_key.revoked', key, occurred_at });
    return key;
  });
}

/**
 * Resolves a handle to the keys that it identifies.
 *
 * @throws Problem `invalid`: unknown owner, or not an API key
 */
export async function keyScope(db: Db, handle: KeyHandle): Promise<KeyScope> {
  if ('owner' in handle) return { owner_id: await subjectOf(db, handle.owner) };
  if ('prefix' in handle) return { start: startIn(handle.prefix) };
  if (!('key' in handle)) return handle;
  if (environmentOf(handle.key) !== undefined) return { digest: digest(handle.key) };
  throw invalid('/key', 'This is not an API key: it is malformed or truncated.');
}

/** The part of a prefix that is stored. */
function startIn(prefix: string): string {
  return prefix.slice(0, prefix.indexOf('_', 3) + 1 + 4);
}

/** Counts the active keys in a scope. */
export async function countKeys(db: Db, scope: KeyScope, now: Date): Promise<number> {
  return countLiveKeys(db, scope, now);
}

/**
 * Revokes all keys in a scope, in the transaction of the caller, and records one event for all of them.
 *
 * @returns the number of keys
 */
export async function revokeKeysIn(
  trx: Trx,
  actor: Actor,
  { scope, revoked_at }: { scope: KeyScope; revoked_at: Date },
): Promise<number> {
  const ids = await markKeysRevoked(trx, scope, revoked_at);
  if (ids.length === 0) return 0;
  const [id = ''] = ids;
  const target = ids.length === 1 ? { target: { kind: 'api_key', id } } : {};
  const by = 'digest' in scope ? { by: 'the key itself' } : { by: scope };
  const details = { ...by, count: ids.length, key_ids: ids.slice(0, mostNamed) };
  await appendEvent(trx, { actor, action: 'api_key.revoked', ...target, details, occurred_at: revoked_at });
  return ids.length;
}

/**
 * Sets the expiry of a key's versions with a lower number, unless they expire earlier. The caller decides and records it in its
 * transaction.
 *
 * @returns the number of versions
 */
export async function expireEarlierVersions(
  trx: Trx,
  { id, number, ends_at }: { id: string; number: number; ends_at: Date },
): Promise<number> {
  if (!(await lockKey(trx, { id }))) return 0;
  return expireVersionsBefore(trx, { key_id: id, number, ends_at });
}
