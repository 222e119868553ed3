import { type Db, inTransaction } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from './events.ts';
import { countPersonalDetails, deletePersonalDetails } from './store.ts';

/**
 * Erases address and user agent of every event whose actor or target is this user (GDPR art. 17). The events stay
 * and can still be proved. Repeating it erases details that were recorded since.
 *
 * @returns the number of events
 */
export async function erasePersonalDetails(
  { db, now }: { db: Db; now: () => Date },
  actor: Actor,
  { kind, id }: { kind: 'user' | 'client'; id: string },
): Promise<{ erased: number }> {
  return inTransaction(db, async (trx) => {
    const events = await countPersonalDetails(trx, id);
    await appendEvent(trx, {
      actor,
      action: 'audit.personal_details_erased',
      target: { kind, id },
      details: { events },
      occurred_at: now(),
    });
    let erased = 0;
    for (let count = -1; count !== 0; erased += Math.max(count, 0)) count = await deletePersonalDetails(trx, id);
    return { erased };
  });
}
