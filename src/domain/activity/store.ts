import { type RawBuilder, sql } from 'kysely';
import type { Db, Trx } from '../../platform/database/index.ts';
import { otherPermissions } from '../access-records/index.ts';
import { type ActivityKind, type ActivityOutcome, countedActions, keptSteps } from './kinds.ts';

/** A table with rows to count. */
export type Source = 'access_records' | 'audit_events';

export type Position = { recorded_in: string; id: string };

/** Locks the position of a source; undefined while another node counts it. */
export async function lockPosition(trx: Trx, source: Source): Promise<Position | undefined> {
  return trx
    .selectFrom('activity_positions')
    .select(['recorded_in', 'id'])
    .where('source', '=', source)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
}

const steps = sql.join(
  keptSteps.map((step) => sql`(${sql.lit(step.step_seconds)}, ${sql.lit(`${step.kept_days} days`)}::interval)`),
);
const actions = sql.join(
  Object.entries(countedActions).map(([action, [kind, outcome]]) => sql`(${action}, ${kind}, ${outcome})`),
);

// All transactions below a snapshot's `xmin` have ended: they add no more rows.
const reach = sql`(select pg_snapshot_xmin(pg_current_snapshot())::text::bigint + xid_offset from audit_positions)`;

// The text is searched because parsing it as JSON fails for some text that the log may hold. Refusals that follow the first within
// a minute are one event with their number; quotes within values are escaped, so no value can look like this member.
const repeats = sql`coalesce(substring(r.details::text from '"more" *: *([0-9]{1,9})')::bigint, 1)`;
const clientOf = sql`case r.action when 'client.refused' then r.target_id
  else coalesce(substring(r.details::text from '"client_id" *: *"([^"\\\\]+)"'), case r.actor_kind when 'client' then r.actor_id end) end`;

/** The most permissions of one credential on one day; later ones are counted together. */
const mostPermissions = 100;

// Which version of a credential was used with which permission. The lock on the position keeps others from counting, so the bound
// holds. Records of older nodes name no version.
const byPermission = sql`, used as (
      select r.credential, r.credential_version as version, coalesce(p.permission, '') as permission,
          date_trunc('day', r.occurred_at, 'UTC') as day, sum(r.uses)::bigint as uses, max(r.last_at) as last_used_at
        from recorded r left join lateral json_array_elements_text(r.permissions) p(permission) on true
        where r.outcome = 'active' and r.credential_version is not null and r.permissions is not null
          and r.occurred_at > latchkey_now() - interval '400 days'
        group by 1, 2, 3, 4
    ), placed as (
      select u.*, k.credential is not null as is_known,
          row_number() over (partition by u.credential, u.day, k.credential is not null order by u.uses desc, u.version, u.permission)
            + (select count(*) from credential_uses c where c.credential = u.credential and c.day = u.day) as place
        from used u left join credential_uses k on k.credential = u.credential and k.day = u.day and k.version = u.version
          and k.permission = u.permission
    ), by_permission as (
      insert into credential_uses as c (credential, version, permission, day, uses, last_used_at)
        select p.credential, p.version, case when p.is_known or p.place <= ${mostPermissions} then p.permission else ${otherPermissions} end,
            p.day, sum(p.uses), max(p.last_used_at)
          from placed p group by 1, 2, 3, 4
        on conflict (credential, day, version, permission) do update set uses = c.uses + excluded.uses,
          last_used_at = greatest(c.last_used_at, excluded.last_used_at)
    )`;

type Sql = RawBuilder<unknown>;
const sources: Record<Source, { columns: Sql; counted: Sql; alsoCounted: Sql }> = {
  access_records: {
    columns: sql`r.recorded_in, r.id, r.kind, r.outcome, r.credential, r.credential_version, r.permissions, r.uses, r.occurred_at,
      r.last_at`,
    // The id of an API key is a UUID; other credentials are named by a digest or a longer id.
    counted: sql`select r.occurred_at, r.uses::bigint as count, null::text as client_id,
        case when r.kind = 'verification' and length(r.credential) = 36 then 'api_key' else r.kind end as kind,
        case r.outcome when 'active' then 'allowed' else 'refused' end as outcome
      from recorded r where r.kind <> 'exchange' or r.outcome <> 'active'`,
    alsoCounted: byPermission,
  },
  audit_events: {
    columns: sql`r.recorded_in, r.id, r.action, r.actor_kind, r.actor_id, r.target_id, r.details, r.occurred_at`,
    counted: sql`select r.occurred_at, case when a.outcome = 'refused' then ${repeats} else 1 end as count,
        case when a.kind = 'token' then ${clientOf} end as client_id, a.kind, a.outcome
      from recorded r join (values ${actions}) a(action, kind, outcome) on a.action = r.action`,
    alsoCounted: sql``,
  },
};

/**
 * Counts the next rows after a position, and moves the position behind them. The caller has locked the position, so that no other
 * node counts the same rows.
 *
 * @returns how many rows were counted, `limit` at most
 */
export async function countNext(
  trx: Trx,
  { source, after, limit }: { source: Source; after: Position; limit: number },
): Promise<number> {
  const { columns, counted, alsoCounted } = sources[source];
  const { rows } = await sql<{ rows: number }>`
    with recorded as materialized (
      select ${columns} from ${sql.table(source)} r
        where (r.recorded_in, r.id) > (${after.recorded_in}::bigint, ${after.id}::uuid) and r.recorded_in < ${reach}
        order by r.recorded_in, r.id limit ${limit}
    ), counted as materialized (${counted}
    ), moved as (
      update activity_positions p set recorded_in = coalesce(l.recorded_in, p.recorded_in), id = coalesce(l.id, p.id),
          counted_until = case when n.rows < ${limit} then now() + (latchkey_now() - clock_timestamp()) else l.occurred_at end
        from (select count(*) as rows from recorded) n
          left join lateral (select * from recorded r order by r.recorded_in desc, r.id desc limit 1) l on true
        where p.source = ${source}
    ), by_step as (
      insert into activity_counts as c (step_seconds, starts_at, kind, outcome, count)
        select s.seconds, date_bin(make_interval(secs => s.seconds), u.occurred_at, 'epoch'), u.kind, u.outcome, sum(u.count)
          from counted u cross join (values ${steps}) s(seconds, kept)
          where u.occurred_at > latchkey_now() - s.kept
          group by 1, 2, 3, 4
        on conflict (step_seconds, starts_at, kind, outcome) do update set count = c.count + excluded.count
    ), by_client as (
      insert into client_usage as c (client_id, day, allowed, refused, last_used_at)
        select k.id, date_trunc('day', u.occurred_at, 'UTC'), coalesce(sum(u.count) filter (where u.outcome = 'allowed'), 0),
            coalesce(sum(u.count) filter (where u.outcome = 'refused'), 0), max(u.occurred_at) filter (where u.outcome = 'allowed')
          from counted u join clients k on k.client_id = u.client_id
          where u.occurred_at > latchkey_now() - interval '400 days'
          group by 1, 2
        on conflict (client_id, day) do update set allowed = c.allowed + excluded.allowed, refused = c.refused + excluded.refused,
          last_used_at = greatest(c.last_used_at, excluded.last_used_at)
    )${alsoCounted}
    select count(*)::int as rows from recorded`.execute(trx);
  return rows[0]?.rows ?? 0;
}

/** The number of active sessions, up to a bound beyond which counting would take long. */
export async function countActiveSessions(db: Db, most: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from (
    select from standing_sessions s where s.expires_at > (select latchkey_now()) and s.user_id is not null limit ${most}) s`.execute(
    db,
  );
  return rows[0]?.count ?? 0;
}

/** Stores a number for the current periods, unless the shortest of them already has one. */
export async function sample(db: Db, kind: ActivityKind, read: () => Promise<number>): Promise<void> {
  const [{ step_seconds: shortest }] = keptSteps;
  const { rows } = await sql`select from activity_counts where step_seconds = ${shortest} and kind = ${kind}
    and starts_at = date_bin(make_interval(secs => ${shortest}), latchkey_now(), 'epoch')`.execute(db);
  if (rows.length > 0) return;
  await sql`insert into activity_counts (step_seconds, starts_at, kind, outcome, count)
    select s.seconds, date_bin(make_interval(secs => s.seconds), latchkey_now(), 'epoch'), ${kind}, 'allowed', ${await read()}
      from (values ${steps}) s(seconds, kept)
    on conflict (step_seconds, starts_at, kind, outcome) do update set count = excluded.count`.execute(db);
}

/** The number that was stored last, within an hour; 0: none. */
export async function findLastSample(db: Db, kind: ActivityKind): Promise<number> {
  const [{ step_seconds: shortest }] = keptSteps;
  const { rows } = await sql<{ count: number }>`select count::float8 as count from activity_counts
    where step_seconds = ${shortest} and kind = ${kind} and starts_at > latchkey_now() - interval '1 hour'
    order by starts_at desc limit 1`.execute(db);
  return rows[0]?.count ?? 0;
}

export type Counted = { starts_at: Date; kind: ActivityKind; outcome: ActivityOutcome; count: number };

export type CountsQuery = {
  from: Date;
  to: Date;
  /** Length of the stored periods. */
  kept_seconds: number;
  /** Length of the requested periods: a multiple of `kept_seconds`. */
  step_seconds: number;
};

/** The counts of each period between two times (the end exclusive); for sessions, the maximum. Empty periods are left out. */
export async function listCounts(db: Db, { from, to, kept_seconds, step_seconds }: CountsQuery): Promise<Counted[]> {
  const { rows } = await sql<Counted>`
    select date_bin(make_interval(secs => ${step_seconds}), c.starts_at, 'epoch') as starts_at, c.kind, c.outcome,
        (case c.kind when 'session' then max(c.count) else sum(c.count) end)::float8 as count
      from activity_counts c where c.step_seconds = ${kept_seconds} and c.starts_at >= ${from} and c.starts_at < ${to}
      group by 1, 2, 3 order by 1, 2, 3`.execute(db);
  return rows;
}

/** The time up to which everything is counted. */
export async function countedUntil(db: Db): Promise<Date> {
  const { at } = await db
    .selectFrom('activity_positions')
    .select(({ fn }) => fn.min<Date>('counted_until').as('at'))
    .executeTakeFirstOrThrow();
  return at;
}

/**
 * Stores when clients were last used, to the minute. Clients that another transaction is changing are left for the next run, so that
 * a revocation does not wait for this.
 */
export async function noteLastUses(db: Db): Promise<void> {
  await sql`with used as (
      select c.id, max(u.last_used_at) as at from client_usage u join clients c on c.id = u.client_id
        where u.day > latchkey_now() - interval '2 days' and u.last_used_at > coalesce(c.last_used_at, '-infinity') + interval '1 minute'
        group by c.id
    ), free as (select c.id from clients c where c.id in (select id from used) for no key update skip locked)
    update clients c set last_used_at = used.at from used join free using (id) where c.id = used.id`.execute(db);
}

/** When a client last got a token, within the days that are kept; null: never. */
export async function findLastUse(db: Db, client: { id: string }): Promise<Date | null> {
  const { at } = await db
    .selectFrom('client_usage')
    .select(({ fn }) => fn.max<Date | null>('last_used_at').as('at'))
    .where('client_id', '=', client.id)
    .executeTakeFirstOrThrow();
  return at;
}

/** A day on which a version of a credential was used with a permission. */
export type PermissionUse = { day: Date; version: number; permission: string; uses: string; last_used_at: Date };

/** The uses of a credential by permission, the latest day first. */
export async function listPermissionUses(
  db: Db,
  credential: string,
  since: Date,
  most: number,
): Promise<PermissionUse[]> {
  return db
    .selectFrom('credential_uses')
    .select(['day', 'version', 'permission', 'uses', 'last_used_at'])
    .where('credential', '=', credential)
    .where('day', '>=', since)
    .orderBy('day', 'desc')
    .orderBy('version', 'desc')
    .orderBy('permission')
    .limit(most)
    .execute();
}

/** When each version of a credential was last used, within the days that are kept. */
export async function listVersionUses(db: Db, credential: string): Promise<{ version: number; last_used_at: Date }[]> {
  return db
    .selectFrom('credential_uses')
    .select(['version', ({ fn }) => fn.max<Date>('last_used_at').as('last_used_at')])
    .where('credential', '=', credential)
    .groupBy('version')
    .orderBy('version', 'desc')
    .execute();
}

export type DayOfClient = { day: Date; allowed: string; refused: string };

/** The days on which a client asked for tokens, oldest first. */
export async function listDaysOfClient(db: Db, client: { id: string }, since: Date): Promise<DayOfClient[]> {
  return db
    .selectFrom('client_usage')
    .select(['day', 'allowed', 'refused'])
    .where('client_id', '=', client.id)
    .where('day', '>=', since)
    .orderBy('day')
    .execute();
}
