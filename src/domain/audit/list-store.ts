import { type ExpressionBuilder, type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db } from '../../platform/database/index.ts';
import type { SearchPage } from '../../platform/http/index.ts';
import {
  countRows,
  type ListOrders,
  type ListRequest,
  readPage,
  readSearchPage,
  type Slice,
  searchedIn,
  unsearched,
} from '../../platform/lists/index.ts';
import { storedNames } from './actions.ts';
import { isAboutWhen } from './chained-event-store.ts';
import { type Conditions, conditionsOf, type EventFilter, presentAction } from './event-conditions.ts';

/** Address and user agent are null if there was none, or if they were erased. */
export type RecordedEvent = Omit<Selectable<Database['audit_events']>, 'recorded_in' | 'personal_digest'>;

/** The newest events, oldest of them first. */
export async function newestEvents(db: Db, { limit }: { limit: number }): Promise<RecordedEvent[]> {
  return (await recordedEvents(db).limit(limit).orderBy('e.id', 'desc').execute()).reverse();
}

/** One event. */
export async function findEvent(db: Db, id: string): Promise<RecordedEvent | undefined> {
  return recordedEvents(db).where('e.id', '=', id).where(isAboutWhen(id)).executeTakeFirst();
}

const orders: ListOrders = {
  key: { by: sql`e.id`, type: 'uuid' },
  orders: { occurred_at: { by: sql`e.occurred_at`, type: 'timestamptz' } },
};

/**
 * A page of events. An index serves the time and one of the filters by target, actor, action or failure. For the other filters, and a
 * text, events are searched (`readSearchPage`).
 *
 * @throws Problem `invalid`: the cursor is invalid
 */
export async function listEvents(
  db: Db,
  { limit, cursor, sort, total, ...filter }: EventFilter & ListRequest,
): Promise<SearchPage<RecordedEvent>> {
  const request = { limit, cursor, sort, total };
  const { indexed, searched, most } = conditionsOf(filter);
  if (searched.length > 0) {
    return readSearchPage(request, orders, (slice) => searchEvents(db, { ...slice, indexed, searched, most }));
  }
  const page = await readPage(request, orders, {
    read: ({ after, orderBy, place, limit: most }) =>
      recordedEvents(db)
        .select(place.as('place'))
        .where((eb) => eb.and([...indexed, after]))
        .orderBy(orderBy)
        .limit(most)
        .execute(),
    count: (most) => {
      const found = db
        .selectFrom('audit_events as e')
        .select('e.id')
        .where((eb) => eb.and(indexed));
      return countRows(db, sql`${found.limit(most)}`);
    },
  });
  return { ...page, ...unsearched };
}

async function searchEvents(db: Db, { most, indexed, searched, ...slice }: Slice & Conditions) {
  const { after, orderBy, place, limit } = slice;
  const numbered = db
    .selectFrom('audit_events as e')
    .selectAll()
    .select(sql<number>`(row_number() over (order by ${orderBy}))::int`.as('nth'))
    .where((eb) => eb.and([...indexed, after]))
    .orderBy(orderBy)
    .limit(most);
  const isMatch = sql<boolean>`(${sql.join(searched, sql` and `)})`;
  const rows = await db
    .selectFrom(numbered.as('e'))
    .leftJoinLateral(detailsOfEach, (join) => join.onTrue())
    .select(eventColumns)
    .select([presentAction.as('action'), place.as('place'), 'e.nth', isMatch.as('is_match')])
    .where((eb) => eb.or([isMatch, eb('e.nth', '=', most)]))
    .orderBy(orderBy)
    .limit(limit)
    .execute();
  return searchedIn(rows, most);
}

// A separate subquery (`offset 0`): otherwise PostgreSQL would read the details of all events to join those of a few thousand.
const detailsOfEach = (eb: ExpressionBuilder<Database & { e: { id: string } }, 'e'>) =>
  eb
    .selectFrom('audit_personal_details as d')
    .selectAll()
    .whereRef('d.event_id', '=', 'e.id')
    .offset(sql.lit(0))
    .as('p');

const eventColumns = [
  ...(['e.id', 'e.occurred_at', 'e.actor_kind', 'e.actor_id', 'e.target_kind', 'e.target_id'] as const),
  ...(['e.outcome', 'e.reason', 'p.address', 'p.user_agent', 'e.request_id', 'e.details'] as const),
] as const;

/** Events with the details that can be erased. */
export function recordedEvents(db: Db) {
  return db
    .selectFrom('audit_events as e')
    .leftJoin('audit_personal_details as p', 'p.event_id', 'e.id')
    .select(eventColumns)
    .select(presentAction.as('action'));
}

export type EventsOfQuery = {
  actions: readonly string[];
  /** The ids of their API keys: events about these are included; their actions on the keys of others are not. */
  key_ids: readonly string[];
  limit: number;
  before?: string | undefined;
};

/**
 * The actions of a user, and the actions on their account, the newest first; with `before`, only those before that event. Token
 * requests of clients are left out: there would be thousands between two relevant events.
 */
export async function listEventsOf(
  db: Db,
  user_id: string,
  { actions, key_ids, limit, before }: EventsOfQuery,
): Promise<RecordedEvent[]> {
  const newest = recordedEvents(db)
    .where('e.action', 'in', actions.flatMap(storedNames))
    .$if(before !== undefined, (query) => query.where('e.id', '<', before ?? ''))
    .orderBy('e.id', 'desc')
    .limit(limit);
  // The same conditions as in the two partial indexes (0007_events_of_a_person.ts).
  const byThem = newest
    .where(sql<boolean>`e.actor_kind = 'user'`)
    .where('e.actor_id', '=', user_id)
    // Actions of an administrator on other users are in the lists of those users.
    .where(sql<boolean>`(e.target_kind is distinct from 'user' or e.target_id = ${user_id})`)
    .where(sql<boolean>`(not starts_with(e.action, 'api_key.') or e.target_id = any(${key_ids}))`);
  const aboutThem = newest
    .where(
      sql<boolean>`e.target_kind = 'user' and e.action not in ('access_token.issued', 'refresh_token.rotated', 'refresh_token.replayed')`,
    )
    .where('e.target_id', '=', user_id)
    .where(sql<boolean>`(e.actor_kind, e.actor_id) is distinct from ('user', ${user_id})`);
  const aboutKeys = newest
    .where('e.target_kind', '=', 'api_key')
    .where(sql<boolean>`e.target_id = any(${key_ids})`)
    .where(sql<boolean>`(e.actor_kind, e.actor_id) is distinct from ('user', ${user_id})`);
  return db
    .selectFrom(byThem.as('by_them'))
    .selectAll()
    .unionAll(db.selectFrom(aboutThem.as('about_them')).selectAll())
    .$if(key_ids.length > 0, (query) => query.unionAll(db.selectFrom(aboutKeys.as('about_keys')).selectAll()))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}
