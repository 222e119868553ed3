import { type Db, databaseTime, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, invalid } from '../../platform/http/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import { type Retention, retentionText, signText } from './chain.ts';
import {
  deleteSegments,
  findRetention,
  insertRetention,
  keepPublicKey,
  lastSegmentBefore,
  segmentTotals,
  waitForSealing,
} from './chain-store.ts';
import { deleteCoveredEvents } from './chained-event-store.ts';
import { appendEvent } from './events.ts';
import { currentSealKey } from './seal-keys.ts';

export type RetentionDeps = {
  /** Connected as the role that owns the tables: the role that serves requests cannot delete events. */
  db: Db;
  keys: ServerKeys;
  now: () => Date;
};

export type Removed = { segments: number; events: number };

/**
 * What `removeSegmentsBefore` would remove.
 *
 * @throws Problem `invalid`: a time in the future
 */
export async function countPrunable(db: Db, before: Date): Promise<Removed> {
  await mustBePast(db, before);
  const last = await lastSegmentBefore(db, before);
  return last ? segmentTotals(db, last.number) : { segments: 0, events: 0 };
}

/**
 * Removes whole segments that were sealed before a time, with their events and personal details. A signed record of the last head
 * stays, so that the rest can be verified as before. It is written first, and only events that it covers can be deleted: the next
 * run completes an interrupted one.
 *
 * @throws Problem `invalid`: a time in the future
 */
export async function removeSegmentsBefore(deps: RetentionDeps, actor: Actor, before: Date): Promise<Removed> {
  const { db } = deps;
  await mustBePast(db, before);
  const retention = await inTransaction(db, (trx) => recordRemoval(deps, trx, { actor, before }));
  if (!retention) return { segments: 0, events: 0 };
  const { segments } = await segmentTotals(db, retention.number);
  let events = 0;
  for (let count = -1; count !== 0; events += count)
    count = await inTransaction(db, (trx) => deleteCoveredEvents(trx, retention));
  await inTransaction(db, (trx) => deleteSegments(trx, retention.number));
  return { segments, events };
}

/** Of a wrong year or clock, the whole log would be removed. */
async function mustBePast(db: Db, before: Date): Promise<void> {
  if (before > (await databaseTime(db)))
    throw invalid('/before', 'The time must not be in the future: the whole log would be removed.');
}

async function recordRemoval(
  { keys, now }: RetentionDeps,
  trx: Trx,
  { actor, before }: { actor: Actor; before: Date },
): Promise<Retention | undefined> {
  await waitForSealing(trx);
  const [earlier, last] = [await findRetention(trx), await lastSegmentBefore(trx, before)];
  if (!last || (earlier && last.number <= earlier.number)) return earlier;
  const removed_at = now();
  const key = await currentSealKey(keys);
  const { number, head, seen_below, unfinished, sealed_at } = last;
  const unsigned = { number, head, seen_below, unfinished, sealed_at, removed_at, kid: key.kid };
  const retention = { ...unsigned, signature: signText(key.privateKey, retentionText(unsigned)) };
  const totals = await segmentTotals(trx, number);
  await keepPublicKey(trx, key, removed_at);
  await insertRetention(trx, retention);
  await appendEvent(trx, {
    actor,
    action: 'audit.pruned',
    details: { before, through_segment: number, head, ...totals },
    occurred_at: removed_at,
  });
  return retention;
}
