import { type RawBuilder, type Selectable, type SqlBool, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db } from '../../platform/database/index.ts';
import type { SearchPage } from '../../platform/http/index.ts';
import {
  type ListOrders,
  type ListRequest,
  pageOfQuery,
  readSearchPage,
  searchedIn,
  unsearched,
  within,
} from '../../platform/lists/index.ts';

export type AccessRecord = Omit<Selectable<Database['access_records']>, 'recorded_in'>;

// All but the number of the transaction, which the database sets.
const columns = [
  ...([
    'id',
    'kind',
    'outcome',
    'caller',
    'credential',
    'client_id',
    'user_id',
    'address',
    'request_id',
    'uses',
  ] as const),
  ...(['occurred_at', 'last_at', 'credential_version', 'permissions'] as const),
] satisfies (keyof AccessRecord)[];
const columnNames = sql.join(columns.map((column) => sql.ref(column)));

/** Writes records in one statement. */
export async function insertAccessRecords(db: Db, records: readonly AccessRecord[]): Promise<void> {
  await sql`insert into access_records (${columnNames})
    select ${columnNames} from json_populate_recordset(null::access_records, ${JSON.stringify(records)}::json)
    on conflict do nothing`.execute(db);
}

export type AccessRecordFilter = {
  kind?: string | undefined;
  outcome?: string | undefined;
  credential?: string | undefined;
  caller?: string | undefined;
  client?: string | undefined;
  user?: string | undefined;
  address?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
};

// UUIDv7 ids grow with time.
const orders: ListOrders = { key: { by: sql`access_records.id`, type: 'uuid' }, orders: { occurred_at: 'key' } };

// The number of records that are searched for one page.
const searchedAtOnce = 10_000;

/** A page of records. A credential and a user are found by an index; records are searched for the other filters (`readSearchPage`). */
export async function listAccessRecords(
  db: Db,
  { limit, cursor, total, sort, from, to, client, ...exact }: AccessRecordFilter & ListRequest,
): Promise<SearchPage<AccessRecord>> {
  const request = { limit, cursor, total, sort };
  const { credential, user, ...others } = exact;
  const indexed = [...equalities({ credential, user_id: user }), ...within(sql.ref('occurred_at'), { from, to })];
  const searched = equalities({ ...others, client_id: client });
  const found = db.selectFrom('access_records').where((eb) => eb.and(indexed));
  if (searched.length === 0)
    return { ...(await pageOfQuery(db, found.select(columns), orders, request)), ...unsearched };
  const isMatch = sql<boolean>`(${sql.join(searched, sql` and `)})`;
  return readSearchPage(request, orders, async ({ after, orderBy, place, limit: most }) => {
    const numbered = found
      .select(columns)
      .select(sql<number>`(row_number() over (order by ${orderBy}))::int`.as('nth'))
      .where(after)
      .orderBy(orderBy)
      .limit(searchedAtOnce);
    const rows = await db
      .selectFrom(numbered.as('access_records'))
      .select(columns)
      .select(['nth', isMatch.as('is_match'), place.as('place')])
      .where((eb) => eb.or([isMatch, eb('nth', '=', searchedAtOnce)]))
      .orderBy(orderBy)
      .limit(most)
      .execute();
    return searchedIn(rows, searchedAtOnce);
  });
}

function equalities(values: Readonly<Record<string, string | undefined>>): RawBuilder<SqlBool>[] {
  return Object.entries(values).flatMap(([column, value]) =>
    value === undefined ? [] : [sql<SqlBool>`${sql.ref(column)} = ${value}`],
  );
}

/** Erases the addresses in the access records of a user's credentials (GDPR art. 17). @returns the number of records */
export async function eraseAddresses(db: Db, user_id: string): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('access_records')
    .set({ address: null })
    .where('user_id', '=', user_id)
    .where('address', 'is not', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}
