import { inTransaction } from '../../platform/database/index.ts';
import { type Actor, conflict } from '../../platform/http/index.ts';
import { earliest } from '../access/index.ts';
import { type ApiKeyDeps, addVersion, lockUsable, record } from './api-keys.ts';
import { askedExpiry, isLiveVersion, stateOf } from './expiry.ts';
import { mustHoldAll } from './rights.ts';
import type { RotationInput } from './schemas.ts';
import { type ApiKey, expireVersionsBefore, type KeyRef, updateKey } from './store.ts';

const mostVersions = 10;

export type RotatedKey = {
  id: string;
  /** Shown once; only a digest is stored. */
  key: string;
  expires_at: Date | null;
  previous_expired_at: Date | null;
  expiry_extended: boolean;
  previous_expires_at: Date;
};

/**
 * Creates a new version of a key, valid at once. The previous version is accepted until the overlap ends. The expiry does not
 * change unless the request sets one, and the response says so.
 *
 * @throws Problem `not_found`; `conflict`: it is revoked or expired, or has too many active versions; `forbidden`: the actor does
 *   not hold a permission of the key
 */
export async function rotateApiKey(
  deps: ApiKeyDeps,
  actor: Actor,
  { id, owner_id, overlap_seconds, ...asked }: RotationInput & KeyRef,
): Promise<RotatedKey> {
  const now = deps.now();
  const expiry = askedExpiry(actor, asked, now);
  return inTransaction(deps.db, async (trx) => {
    const before = await lockUsable(trx, { id, owner_id });
    mustBeRotatable(before, now);
    const expires_at = expiry ?? before.expires_at;
    await mustHoldAll(trx, actor, { owner_id: before.owner_id, powers: [before], expires_at, now });
    const overlapEnd = new Date(now.getTime() + overlap_seconds * 1000);
    const previous_expires_at = earliest([overlapEnd, before.expires_at]) ?? overlapEnd;
    const number = (before.versions[0]?.number ?? 0) + 1;
    await expireVersionsBefore(trx, { key_id: id, number, ends_at: previous_expires_at });
    const key = await addVersion(trx, { id, environment: before.environment, number, issued_at: now });
    await updateKey(trx, id, { expires_at, updated_at: now });
    const expiry_extended = isLater(expires_at, before.expires_at);
    const details = { number, previous_expires_at, previous_expired_at: before.expires_at, expiry_extended };
    await record(trx, actor, { action: 'api_key.rotated', key: { ...before, expires_at }, occurred_at: now, details });
    return { id, key, expires_at, previous_expired_at: before.expires_at, expiry_extended, previous_expires_at };
  });
}

function mustBeRotatable(key: ApiKey, now: Date): void {
  if (stateOf(key, now) === 'expired')
    throw conflict('This key has expired: set a new expiry first, or create another key.');
  if (key.versions.filter((version) => isLiveVersion(version, now)).length >= mostVersions)
    throw conflict(`${mostVersions} versions of this key are active: wait until one expires, or revoke the key.`);
}

/** Whether an expiry is later than another; null: never. */
function isLater(expires_at: Date | null, before: Date | null): boolean {
  return before !== null && (expires_at === null || expires_at > before);
}
