import { type Selectable, sql } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db } from '../../platform/database/index.ts';
import type { Page } from '../../platform/http/index.ts';
import { type ListOrders, type ListRequest, pageOfQuery } from '../../platform/lists/index.ts';

export type AccessRecord = Omit<Selectable<Database['access_records']>, 'recorded_in'>;

// All but the number of the transaction, which the database gives.
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

/** Writes many in one statement. */
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

// Ids are UUIDv7: their order is that of time.
const orders: ListOrders = { key: { by: sql`access_records.id`, type: 'uuid' }, orders: { occurred_at: 'key' } };

/** A page of records. */
export function listAccessRecords(
  db: Db,
  { limit, cursor, total, sort, from, to, client, user, ...exact }: AccessRecordFilter & ListRequest,
): Promise<Page<AccessRecord>> {
  let query = db.selectFrom('access_records').select(columns);
  for (const [column, value] of Object.entries({ ...exact, client_id: client, user_id: user }))
    if (value !== undefined) query = query.where(sql.ref(column), '=', value);
  if (from) query = query.where('occurred_at', '>=', from);
  if (to) query = query.where('occurred_at', '<', to);
  return pageOfQuery(db, query, orders, { limit, cursor, total, sort });
}

/** Erases from where the credentials of a person were used (GDPR art. 17). @returns of how many records */
export async function eraseAddresses(db: Db, user_id: string): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('access_records')
    .set({ address: null })
    .where('user_id', '=', user_id)
    .where('address', 'is not', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}
