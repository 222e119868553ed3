import { sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';
import { currentSnapshot, type Snapshot } from './chain-store.ts';
import { afterTransaction, type ChainPlace, isBehind } from './chained-event-store.ts';
import { newestEvents, type RecordedEvent, recordedEvents } from './list-store.ts';

/** What a follower has received: every event up to this place, except those of the unfinished transactions. */
export type FollowPlace = ChainPlace & { unfinished: readonly number[] };
export type Followed = { events: RecordedEvent[]; place: FollowPlace };

/** The newest events, oldest of them first, and the place from which `eventsSince` continues. */
export async function newestToFollow(db: Db, limit: number): Promise<Followed> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => ({
      place: behind(await currentSnapshot(trx)),
      events: await newestEvents(trx, { limit }),
    }));
}

/**
 * The events that were committed since a place, and the next place: at most `limit`, and all of transactions that were unfinished then,
 * because a place does not say how far one of these was read. Neither the time of an event nor its id decides: a transaction may commit
 * after later ones, and nodes have different clocks.
 */
export async function eventsSince(db: Db, place: FollowPlace, limit: number): Promise<Followed> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => {
      const snapshot = await currentSnapshot(trx);
      const inOrder = recordedEvents(trx).select('e.recorded_in').orderBy('e.recorded_in').orderBy('e.id');
      const late = await inOrder.where(sql<boolean>`e.recorded_in = any(${place.unfinished}::bigint[])`).execute();
      const fresh = await inOrder.where(isBehind(place)).limit(sql.lit(limit)).execute();
      const last = fresh.length === limit ? fresh.at(-1) : undefined;
      const events = [...late, ...fresh].map(({ recorded_in: _, ...event }) => event);
      return { events, place: last ? upTo(last, snapshot) : behind(snapshot) };
    });
}

function behind({ seen_below, unfinished }: Snapshot): FollowPlace {
  return { ...afterTransaction(seen_below - 1), unfinished };
}

/** A place within a snapshot: later transactions are read next, whether they are finished or not. */
function upTo({ recorded_in, id }: { recorded_in: string; id: string }, { unfinished }: Snapshot): FollowPlace {
  const reached = Number(recorded_in);
  return { recorded_in: reached, id, unfinished: unfinished.filter((transaction) => transaction < reached) };
}
