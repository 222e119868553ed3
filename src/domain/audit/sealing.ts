import type { Db, Trx } from '../../platform/database/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import { type ChainEvent, type Checkpoint, eventDigest, type Segment, segmentText, sha256, signText } from './chain.ts';
import { beginSealing, insertSegment, type Snapshot } from './chain-store.ts';
import { afterTransaction, eventsToSeal } from './chained-event-store.ts';
import { currentSealKey, type SealKey } from './seal-keys.ts';

export type SealDeps = { db: Db; keys: ServerKeys };

/** The head of the chain after sealing, and the number of newly sealed events; the head covers all of them. */
export type ChainHead = { number: number; head: string; events: number; sealed_at: Date };

const mostInSegment = 500;
// Keeps several nodes from making more segments together than one node would.
const shortestMs = 150;

/**
 * Seals every event that was committed before the call and is not sealed yet; also one of a long transaction, after later ones were
 * sealed.
 *
 * @returns undefined when another node seals, or has just done so
 */
export async function sealNewEvents({ db, keys }: SealDeps): Promise<ChainHead | undefined> {
  const key = await currentSealKey(keys);
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => {
      const begun = await beginSealing(trx);
      if (!begun) return undefined;
      const { last, snapshot } = begun;
      if (snapshot.taken_at.getTime() - last.sealed_at.getTime() < shortestMs) return undefined;
      return sealAll(trx, { last, snapshot, key });
    });
}

type Sealing = { last: Checkpoint; snapshot: Snapshot; key: SealKey };

async function sealAll(trx: Trx, { last, snapshot, key }: Sealing): Promise<ChainHead> {
  let sealed = last;
  let events = 0;
  const batches = newEvents(trx, last, snapshot);
  let { value: rows } = await batches.next();
  while (rows) {
    const { value: following } = await batches.next();
    const segment = sealedSegment(sealed, rows, { snapshot, key, is_complete: !following });
    await insertSegment(trx, segment, key);
    sealed = segment;
    events += rows.length;
    rows = following;
  }
  const { number, head, sealed_at } = sealed;
  return { number, head, events, sealed_at };
}

/** Events that are visible in this snapshot but were not in that of the last seal, in the order of their transactions. */
async function* newEvents(
  trx: Trx,
  last: Checkpoint,
  { seen_below }: Snapshot,
): AsyncGenerator<ChainEvent[], undefined> {
  const late = { among: last.unfinished, start: -1 };
  const fresh = { among: undefined, start: last.seen_below - 1 };
  for (const { among, start } of last.unfinished.length > 0 ? [late, fresh] : [fresh]) {
    let place = afterTransaction(start);
    for (let count = mostInSegment; count === mostInSegment; ) {
      const rows = await eventsToSeal(trx, place, { limit: mostInSegment, below: seen_below, among });
      count = rows.length;
      const end = rows.at(-1);
      if (!end) break;
      place = { recorded_in: end.recorded_in, id: end.id };
      yield rows;
    }
  }
}

function sealedSegment(
  { number, head: previous_head }: Checkpoint,
  events: readonly ChainEvent[],
  { snapshot, key, is_complete }: Omit<Sealing, 'last'> & { is_complete: boolean },
): Segment {
  const { seen_below, unfinished, taken_at: sealed_at } = snapshot;
  const members = events.map((event) => ({ id: event.id, digest: eventDigest(event) }));
  const place = { number: number + 1, previous_head, members, is_complete };
  const unsigned = { ...place, seen_below, unfinished, sealed_at, kid: key.kid };
  const text = segmentText(unsigned);
  return { ...unsigned, head: sha256(text), signature: signText(key.privateKey, text) };
}
