import { type QueryExecutorProvider, sql } from 'kysely';

/** The database's time, by which all nodes judge what they do for good. */
export async function databaseTime(db: QueryExecutorProvider): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select latchkey_now() as now`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('the database did not return its time');
  return row.now;
}
