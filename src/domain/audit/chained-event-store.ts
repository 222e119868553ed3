import { sql } from 'kysely';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { ChainEvent, Checkpoint } from './chain.ts';
import { margin } from './chain-store.ts';
import type { PersonalDetails } from './personal-details.ts';

/** An event with its details that can be erased. */
export type ChainRow = { event: ChainEvent; personal_details: PersonalDetails | null };

const removedAtOnce = 2000;

/** Deletes a batch of the events that a record covers, with their personal details. @returns the number; 0 when there are no more */
export async function deleteCoveredEvents(trx: Trx, { seen_below, unfinished }: Checkpoint): Promise<number> {
  await sql`select audit_allow_erasure(true)`.execute(trx);
  const { rows } = await sql<{ count: number }>`
    with covered as materialized (select occurred_at, id from audit_events
        where recorded_in < ${seen_below}::bigint and recorded_in <> all(${unfinished}::bigint[]) order by recorded_in limit ${removedAtOnce}),
      gone as (delete from audit_events e using covered c where e.occurred_at = c.occurred_at and e.id = c.id returning e.id),
      details as (delete from audit_personal_details p using gone where p.event_id = gone.id)
    select count(*)::int as count from gone`.execute(trx);
  return rows[0]?.count ?? 0;
}

const latest = Date.UTC(9999, 0);

/** A condition on the time of events `e` that the event with this id meets: the id contains a time (UUIDv7). */
export const isAboutWhen = (id: string) => {
  // Other ids contain an arbitrary time, which may be out of range.
  const at = new Date(Math.min(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), latest));
  return sql<boolean>`e.occurred_at between ${at}::timestamptz - ${margin}::interval and ${at}::timestamptz + ${margin}::interval`;
};

/** An event as the chain contains it. */
export async function findEventRow(db: Db, id: string): Promise<ChainRow | undefined> {
  const { rows } = await sql<StoredEvent & StoredDetails>`
    select ${eventColumns}, p.salt, p.address, p.user_agent
    from audit_events e left join audit_personal_details p on p.event_id = e.id
    where e.id = ${id} and ${isAboutWhen(id)}`.execute(db);
  return rows.map(chainRowOf)[0];
}

/** A place in the order of transactions and ids. */
export type ChainPlace = { recorded_in: number; id: string };

/** The place after every event of a transaction. */
export const afterTransaction = (recorded_in: number): ChainPlace => ({
  recorded_in,
  id: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
});

const eventColumns = sql`e.id, e.recorded_in,
  to_char(e.occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as occurred_at,
  e.actor_kind, e.actor_id, e.action, e.target_kind, e.target_id, e.outcome, e.reason, e.request_id,
  e.details::text as details, encode(e.personal_digest, 'hex') as personal_digest`;
/** A condition on events `e`: they come after a place. */
export const isBehind = ({ recorded_in, id }: ChainPlace) =>
  sql<boolean>`(e.recorded_in, e.id) > (${recorded_in}::bigint, ${id}::uuid)`;

/** Events to seal, without their personal details, which only verification needs. */
export async function eventsToSeal(
  trx: Trx,
  after: ChainPlace,
  { limit, below, among }: { limit: number; below: number; among: readonly number[] | undefined },
): Promise<ChainEvent[]> {
  // Planning a read of all partitions takes longer than the read: the function keeps its plan.
  const found = among
    ? sql`audit_events e where ${isBehind(after)} and e.recorded_in < ${below}::bigint
      and e.recorded_in = any(${among}::bigint[])`
    : sql`audit_events_behind(${after.recorded_in}::bigint, ${after.id}::uuid, ${below}::bigint, ${limit}) e`;
  const { rows } = await sql<StoredEvent>`
    select ${eventColumns} from ${found} order by e.recorded_in, e.id limit ${limit}`.execute(trx);
  return rows.map(eventOf);
}

export async function eventsAfter(db: Db, after: ChainPlace, limit: number): Promise<ChainRow[]> {
  const { rows } = await sql<StoredEvent & StoredDetails>`
    select ${eventColumns}, p.salt, p.address, p.user_agent
    from audit_events e left join audit_personal_details p on p.event_id = e.id
    where ${isBehind(after)} order by e.recorded_in, e.id limit ${limit}`.execute(db);
  return rows.map(chainRowOf);
}

const chainRowOf = ({ salt, address, user_agent, ...event }: StoredEvent & StoredDetails): ChainRow => ({
  event: eventOf(event),
  personal_details: salt === null ? null : { salt, address, user_agent },
});

type StoredEvent = Omit<ChainEvent, 'recorded_in'> & { recorded_in: string };
type StoredDetails = { salt: string | null; address: string | null; user_agent: string | null };

const eventOf = (row: StoredEvent): ChainEvent => ({ ...row, recorded_in: Number(row.recorded_in) });
