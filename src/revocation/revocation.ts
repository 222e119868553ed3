import { appendEvent } from '../audit/index.ts';
import type { Db } from '../platform/database/index.ts';
import { type Actor, invalid } from '../platform/http/index.ts';
import { countIssuedBefore, type IssuedBefore, markAllOwners } from './store.ts';

export type RevocationDeps = { db: Db; now: () => Date };
export type RevokedBefore = IssuedBefore & { before: Date };

/** What `revokeIssuedBefore` would end now. */
export async function whatWasIssuedBefore({ db, now }: RevocationDeps, before: Date): Promise<RevokedBefore> {
  return { before, ...(await countIssuedBefore(db, { before, now: now() })) };
}

/**
 * Ends every token, code and session issued up to a moment, of everybody: after a restore, which brings back to life what was
 * revoked since the backup, or after a leak of unknown size. One mark a person and client; no token row is touched, and each is
 * refused from the next request on. Secrets, passwords and consents stay.
 *
 * @throws Problem `invalid`: the moment is in the future
 */
export async function revokeIssuedBefore(
  { db, now }: RevocationDeps,
  actor: Actor,
  before: Date,
): Promise<RevokedBefore> {
  const occurred_at = now();
  if (before > occurred_at)
    throw invalid('/before', 'The moment must not be in the future: what is issued after it would be born dead.');
  return db.transaction().execute(async (trx) => {
    const counts = await countIssuedBefore(trx, { before, now: occurred_at });
    await markAllOwners(trx, before);
    await appendEvent(trx, { actor, action: 'tokens.revoked', details: { before, ...counts }, occurred_at });
    return { before, ...counts };
  });
}
