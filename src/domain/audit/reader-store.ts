import { type SqlBool, sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';
import { type AuditAction, storedNames } from './actions.ts';

/** Who performed an action on one version of a target: how often, when last, and from which address the last time. */
export type ActorOfVersion = {
  version: number;
  actor_kind: string;
  actor_id: string | null;
  count: number;
  count_24h: number;
  last_at: Date;
  /** Null: it was not recorded, or was erased. */
  address: string | null;
};

export type ActorsOfVersions = {
  items: ActorOfVersion[];
  /** Whether there are earlier events that were not counted. */
  is_partial: boolean;
  counted_from: Date;
};

type Asked = {
  action: AuditAction;
  target: { kind: string; id: string };
  from: Date;
  now: Date;
  version?: number | undefined;
};

// Bounds the cost for a target that is read all the time.
const mostCounted = 20_000;
const mostListed = 500;

/** Who performed an action on a target since a time, by version, the latest first. Only the newest events are counted. */
export async function actorsOfVersions(
  db: Db,
  { action, target, from, now, version }: Asked,
): Promise<ActorsOfVersions> {
  const isAsked = version === undefined ? sql<SqlBool>`true` : sql<SqlBool>`version = ${version}`;
  const { rows } = await sql<
    { items: (Omit<ActorOfVersion, 'last_at'> & { last_at: number })[] } & Omit<ActorsOfVersions, 'items'>
  >`
    with newest as materialized (
      select e.id, e.occurred_at, e.actor_kind, e.actor_id, e.target_kind, e.action, e.outcome, (e.details ->> 'version')::int as version,
          coalesce((e.details ->> 'uses')::int, 1) as uses
        from audit_events e where e.target_id = ${target.id} and e.occurred_at >= ${from}
        order by e.occurred_at desc limit ${mostCounted}
    ), found as (
      select version, actor_kind, actor_id, sum(uses)::int as count,
          coalesce(sum(uses) filter (where occurred_at > ${now}::timestamptz - interval '1 day'), 0)::int as count_24h,
          max(occurred_at) as last_at, (array_agg(id order by occurred_at desc))[1] as last_id
        from newest where target_kind = ${target.kind} and action = any(${storedNames(action)}) and outcome = 'success'
          and version is not null and ${isAsked}
        group by 1, 2, 3 order by last_at desc limit ${mostListed}
    )
    select (select count(*) from newest) >= ${mostCounted} as is_partial,
      case when (select count(*) from newest) >= ${mostCounted} then (select min(occurred_at) from newest) else ${from}::timestamptz end
        as counted_from,
      (select coalesce(json_agg(json_build_object('version', f.version, 'actor_kind', f.actor_kind, 'actor_id', f.actor_id,
          'count', f.count, 'count_24h', f.count_24h, 'last_at', extract(epoch from f.last_at) * 1000, 'address', d.address)
          order by f.last_at desc), '[]')
        from found f left join audit_personal_details d on d.event_id = f.last_id) as items`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('nothing was counted');
  return { ...row, items: row.items.map(({ last_at, ...item }) => ({ ...item, last_at: new Date(last_at) })) };
}
