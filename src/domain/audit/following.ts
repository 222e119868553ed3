import { sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';
import { currentSnapshot, type Snapshot } from './chain-store.ts';
import { newestEvents, type RecordedEvent, recordedEvents } from './list-store.ts';

/** What a follower has received: every event up to `recorded_in` and `id`, except those of the unfinished transactions. */
export type FollowPlace = { recorded_in: number; id: string; unfinished: readonly number[] };
export type Followed = { events: RecordedEvent[]; place: FollowPlace };

const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

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
 * The events that were committed since a place, at most `limit` of them, and the next place. Neither the time of an event nor its id
 * decides: a transaction may commit after later ones, and nodes have different clocks.
 */
export async function eventsSince(db: Db, place: FollowPlace, limit: number): Promise<Followed> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (trx) => {
      const snapshot = await currentSnapshot(trx);
      const rows = await committedSince(trx, place, limit);
      const last = rows.length === limit ? rows.at(-1) : undefined;
      const events = rows.map(({ recorded_in: _, ...event }) => event);
      return { events, place: last ? upTo(last, snapshot) : behind(snapshot) };
    });
}

function behind({ seen_below, unfinished }: Snapshot): FollowPlace {
  return { recorded_in: seen_below - 1, id: lastId, unfinished };
}

/** A place within a snapshot: later transactions are read next, whether they are finished or not. */
function upTo({ recorded_in, id }: { recorded_in: string; id: string }, { unfinished }: Snapshot): FollowPlace {
  const reached = Number(recorded_in);
  return { recorded_in: reached, id, unfinished: unfinished.filter((transaction) => transaction < reached) };
}

// Two queries, because each is a range of the index by transaction.
function committedSince(db: Db, { recorded_in, id, unfinished }: FollowPlace, limit: number) {
  const inOrder = () =>
    recordedEvents(db).select('e.recorded_in').orderBy('e.recorded_in').orderBy('e.id').limit(sql.lit(limit));
  const late = inOrder().where(sql<boolean>`e.recorded_in = any(${unfinished}::bigint[])`);
  const fresh = inOrder().where(sql<boolean>`(e.recorded_in, e.id) > (${recorded_in}::bigint, ${id}::uuid)`);
  return db
    .selectFrom(late.as('late'))
    .selectAll()
    .unionAll(db.selectFrom(fresh.as('fresh')).selectAll())
    .orderBy('recorded_in')
    .orderBy('id')
    .limit(sql.lit(limit))
    .execute();
}
