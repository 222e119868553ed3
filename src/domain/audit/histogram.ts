import { type SqlBool, sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';
import { conditionsOf, type EventFilter } from './event-conditions.ts';

/** The number of events in a period, by outcome. */
type Period = { starts_at: Date; success: number; failure: number };

export type Histogram = {
  from: Date;
  to: Date;
  step_seconds: number;
  /** Whether there may be earlier events that were not counted. */
  is_partial: boolean;
  /** Empty periods are left out. */
  items: Period[];
};

const minute = 60;
const day = 86_400;
const steps = [minute, 5 * minute, 15 * minute, 3600, 6 * 3600, day, 7 * day, 30 * day];
const mostPeriods = 60;
// The shortest default range.
const shortest = '30 minutes';
// The most periods of the longest step; older events are not shown.
const longest = '1800 days';
const mostCounted = 10_000;

/**
 * The number of events that match a filter, in periods whose length follows from the range. Only the newest events are counted, as
 * many as one page of the list searches, so that the cost does not depend on the length of the log.
 */
export async function histogramOf(db: Db, filter: EventFilter, now: Date): Promise<Histogram> {
  const { indexed, searched, most: mostSearched } = conditionsOf(filter);
  const most = searched.length > 0 ? mostSearched : mostCounted;
  const conditions = searched.length > 0 ? sql<SqlBool>`(${sql.join(searched, sql` and `)})` : sql<SqlBool>`true`;
  const details = sql`left join lateral (select * from audit_personal_details d where d.event_id = e.id offset 0) p on true`;
  const { rows } = await sql<Omit<Histogram, 'items'> & { items: (Omit<Period, 'starts_at'> & { at: number })[] }>`
    with newest as materialized (
      select e.occurred_at, e.outcome, ${conditions} as is_match
        from (select * from audit_events e where ${sql.join([...indexed, sql`true`], sql` and `)}
          order by e.occurred_at desc, e.id desc limit ${most}) e ${filter.text === undefined ? sql`` : details}
    ), counted as (select min(occurred_at) as first, count(*) >= ${most} as is_partial from newest
    ), range as (
      select case when is_partial then first
          else greatest(to_at - ${longest}::interval, coalesce(${filter.from ?? null}::timestamptz, least(first, to_at - ${shortest}::interval))) end
          as from_at, to_at, is_partial
        from counted, (select least(coalesce(${filter.to ?? null}::timestamptz, ${now}), ${now}) as to_at) t
    ), step as (
      select coalesce(min(s), ${sql.lit(steps.at(-1))}) as seconds from range, unnest(${steps}::int[]) s
        where s * ${sql.lit(mostPeriods)} >= extract(epoch from to_at - from_at)
    ), periods as (
      select date_bin(make_interval(secs => s.seconds), n.occurred_at, 'epoch') as at,
          count(*) filter (where n.outcome = 'success') as success, count(*) filter (where n.outcome = 'failure') as failure
        from newest n cross join step s where n.is_match group by 1
    )
    select date_bin(make_interval(secs => s.seconds), r.from_at, 'epoch') as "from", r.to_at as "to", r.is_partial, s.seconds as step_seconds,
        (select coalesce(json_agg(json_build_object('at', extract(epoch from at) * 1000, 'success', success, 'failure', failure) order by at), '[]')
          from periods) as items
      from range r cross join step s`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('no histogram was made');
  return { ...row, items: row.items.map(({ at, ...counts }) => ({ starts_at: new Date(at), ...counts })) };
}
