import { type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../database/index.ts';
import { cursorAt, type Page, type Place, pageFrom, type SearchPage, type Start, startIn } from '../http/index.ts';
import { type Clauses, clausesOf, type ListOrders, orderNamed } from './orders.ts';
import { isCommon, nextRowsWithWords, rowsWithWords, type Searched as SearchedTable } from './words.ts';

/** The requested page: the members of `PageQuery`, and `sort`. */
export type ListRequest = {
  cursor?: string | undefined;
  limit: number;
  sort: string;
  total?: boolean | undefined;
};

/** What to read for a page: rows after the start of the page, in its order, each with its position. */
export type Slice = Clauses & { limit: number; direction: Start['direction']; start: Start | undefined };

/** The highest total that is counted: counting takes time in proportion. */
const mostCountedOfMost = 10_000;

/**
 * A page of a list, and the total if requested. Records that are created or deleted meanwhile shift nothing: paged in either direction, a
 * list shows each of its records once.
 *
 * @param reads `read` returns the rows of a slice; `count` the number of rows, up to a limit
 * @throws Problem `invalid`: the cursor is not of this list in this order
 */
export async function readPage<Row extends { place: Place }>(
  request: ListRequest,
  orders: ListOrders,
  { read, count }: { read: (slice: Slice) => Promise<Row[]>; count: (most: number) => Promise<number> },
): Promise<Page<Omit<Row, 'place'>>> {
  const { sort, limit, total } = request;
  const { mostCounted = mostCountedOfMost } = orders;
  const named = orderNamed(orders, sort);
  const start = startIn(request.cursor, named.cursor);
  const direction = start?.direction ?? 'after';
  const rows = await read({ ...clausesOf(orders, named, start), limit: limit + 1, direction, start });
  // The records before the page were deleted: it is the first one.
  if (rows.length === 0 && start?.direction === 'before')
    return readPage({ ...request, cursor: undefined }, orders, { read, count });
  // A first page that has all records needs no further statement.
  const hasAll = start === undefined && rows.length <= limit;
  const totalOf = async () => (hasAll ? rows.length : count(mostCounted + 1));
  const counted = total ? await totalOf() : null;
  return {
    ...pageFrom(rows, { sort, limit, start }),
    total: counted && Math.min(counted, mostCounted),
    total_is_capped: counted !== null && counted > mostCounted,
  };
}

/** The last record that a page searches, and its time where the order is one of time. */
export type SearchEnd = { place: Place; at: Date | null };

/** The results of a search after the start of a page; `end`: where it stopped, if there may be more to search. */
type Searched<Row> = { rows: Row[]; end: SearchEnd | undefined };

/** For a page that an index serves. */
export const unsearched = { is_partial: false, searched_to: null };

/**
 * A page of a search that no index serves. Each page searches a limited number of records in the order of the list, so that its cost does
 * not depend on the length of the list. If there are more, the page may be short, or empty, although there is a next one; there is no
 * total.
 */
export async function readSearchPage<Row extends { place: Place }>(
  request: ListRequest,
  orders: ListOrders,
  search: (slice: Slice) => Promise<Searched<Row>>,
): Promise<SearchPage<Omit<Row, 'place'>>> {
  let rest: (SearchEnd & { direction: Start['direction'] }) | undefined;
  const page = await readPage({ ...request, total: false }, orders, {
    read: async (slice) => {
      const { rows, end } = await search(slice);
      rest = end && { ...end, direction: slice.direction };
      return rows;
    },
    count: async () => 0,
  });
  const side = rest?.direction === 'before' ? 'previous' : 'next';
  const hasRest = rest !== undefined && (page.items.length < request.limit || page[side] === null);
  if (!rest || !hasRest) return { ...page, ...unsearched };
  return { ...page, [side]: cursorAt(request.sort, rest), is_partial: true, searched_to: rest.at };
}

type Numbered = { place: Place; occurred_at: Date; nth: number; is_match: boolean };

/**
 * The results of a search in one statement, which numbers the records that it searches and selects the matches and the last.
 *
 * @param most the number of the last record
 */
export function searchedIn<Row extends Numbered>(
  rows: readonly Row[],
  most: number,
): Searched<Omit<Row, 'nth' | 'is_match'>> {
  const last = rows.at(-1);
  const end = last?.nth === most ? { place: last.place, at: last.occurred_at } : undefined;
  const found = rows.filter(({ is_match }) => is_match).map(({ nth: _, is_match: __, ...row }) => row);
  return { rows: found, end };
}

/** The conditions of a range of time; `to` is exclusive. */
export function within(
  column: RawBuilder<unknown>,
  { from, to }: { from?: Date | undefined; to?: Date | undefined },
): RawBuilder<SqlBool>[] {
  return [...(from ? [sql<SqlBool>`${column} >= ${from}`] : []), ...(to ? [sql<SqlBool>`${column} < ${to}`] : [])];
}

/** How many rows a query has; it should be limited, because counting takes time in proportion. */
export async function countRows(db: Db, query: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ total: number }>`select count(*)::int as total from (${query}) counted`.execute(db);
  return rows[0]?.total ?? 0;
}

function rowsOf<Schema, Tables extends keyof Schema, Row extends object>(
  query: SelectQueryBuilder<Schema, Tables, Row>,
  { after, orderBy, place, limit }: Slice,
): Promise<(Row & { place: Place })[]> {
  const page = query.select(place.as('place')).where(after).orderBy(orderBy).limit(limit);
  return page.execute() as Promise<unknown> as Promise<(Row & { place: Place })[]>;
}

/**
 * A page of the rows of a query: `readPage` for a list that is a Kysely query.
 *
 * @param next selects some of the next rows of the list: if they fill the page, the others are not read
 */
export async function pageOfQuery<Schema, Tables extends keyof Schema, Row extends object>(
  db: Db,
  query: SelectQueryBuilder<Schema, Tables, Row>,
  orders: ListOrders,
  request: ListRequest,
  next?: (slice: Slice) => SelectQueryBuilder<Schema, Tables, Row>,
): Promise<Page<Row>> {
  const page = await readPage(request, orders, {
    read: async (slice) => {
      const found = next && (await rowsOf(next(slice), slice));
      return found?.length === slice.limit ? found : rowsOf(query, slice);
    },
    count: async (most) => {
      const unsorted = query.clearSelect().select(sql`1`.as('one')).limit(most);
      // Joined tables are read whole unless rows are wanted in the order of an index.
      const { orderBy } = clausesOf(orders, orderNamed(orders, request.sort), undefined);
      const counted = orders.mostCounted === undefined ? unsorted : unsorted.orderBy(orderBy);
      return countRows(db, sql`${counted}`);
    },
  });
  return page as unknown as Page<Row>;
}

/**
 * A page of the rows of a table that have a word beginning with each word of `q`. Few are sorted; where there are many, the next rows
 * of the list are tried first, which nearly always have enough.
 *
 * @param listed the query of the list, given what to select from: the rows of the table, under its name
 */
export async function pageOfSearch<Schema, Tables extends keyof Schema, Row extends object, TableRow>(
  db: Db,
  { searched, q }: { searched: SearchedTable; q: string | undefined },
  listed: (from: RawBuilder<TableRow>) => SelectQueryBuilder<Schema, Tables, Row>,
  list: { orders: ListOrders; request: ListRequest },
): Promise<Page<Row>> {
  const { orders, request } = list;
  const all = listed(rowsWithWords(searched, q));
  if (!q || !(await isCommon(db, searched, q))) return pageOfQuery(db, all, orders, request);
  const { table: alias } = searched;
  return pageOfQuery(db, all, orders, request, (slice) => listed(nextRowsWithWords(searched, { q, alias, ...slice })));
}
