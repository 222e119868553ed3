import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../platform/database/index.ts';
import { deleteExpired, expiringTables } from './store.ts';

const batch = 2000;
const mostBatches = 200;
const pauseMs = 20;

/**
 * Deletes what has expired, table after table, a batch at a time with pauses between, so that traffic does not notice.
 * What is left when it stops goes the next time.
 *
 * @returns rows removed per table
 */
export async function removeExpired({ db, now }: { db: Db; now: () => Date }): Promise<Record<string, number>> {
  const removed: Record<string, number> = {};
  let batches = 0;
  for (const table of expiringTables) {
    for (let count = batch; count === batch && batches < mostBatches; batches += 1) {
      count = await deleteExpired(db, table, { now: now(), limit: batch });
      removed[table.name] = (removed[table.name] ?? 0) + count;
      if (count === batch) await sleep(pauseMs);
    }
  }
  return removed;
}
