import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../database/index.ts';
import type { Clauses } from './orders.ts';

/** A table, and the text of a row that is searched. There must be an index of `search_vector` of exactly this text (0030_lists.ts). */
export type Searched = { table: string; text: RawBuilder<unknown> };

/** Whether a text has a word beginning with each word of `q`, in any case of letters: the search of every list. */
export function hasWords(text: RawBuilder<unknown>, q: string): RawBuilder<SqlBool> {
  return sql`search_vector(${text}) @@ search_query(${q})`;
}

/**
 * The rows that have a word beginning with each word of `q`, in any case of letters; without `q` every row.
 *
 * @returns the table expression to select from
 */
export function rowsWithWords<Row>({ table, text }: Searched, q: string | undefined): RawBuilder<Row> {
  if (!q) return sql<Row>`${sql.table(table)}`;
  // Separate (`offset 0`): PostgreSQL estimates every word prefix as frequent, and would compute the words of each row.
  return sql<Row>`(select * from ${sql.table(table)} where ${hasWords(text, q)} offset 0)`;
}

/** Up to this number, matches are sorted. More are looked for in the order of the list, first among its next rows. */
const mostSorted = 5000;
const nextRows = 2000;

/** Whether so many rows match that sorting them takes long: for a word that most names contain. */
export async function isCommon(db: Db, searched: Searched, q: string): Promise<boolean> {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count
    from (select from ${rowsWithWords(searched, q)} found limit ${mostSorted + 1}) counted`.execute(db);
  return (rows[0]?.count ?? 0) > mostSorted;
}

/**
 * The matches among the next rows of a list. If they fill the page, they are the page; fewer say nothing of the following rows.
 *
 * @param alias the table's name in the order of the list
 * @returns the table expression to select from
 */
export function nextRowsWithWords<Row>(
  { table, text }: Searched,
  { q, alias, after, orderBy }: Pick<Clauses, 'after' | 'orderBy'> & { q: string; alias: string },
): RawBuilder<Row> {
  const next = sql`select * from ${sql.table(table)} ${sql.ref(alias)} where ${after} order by ${orderBy} limit ${nextRows}`;
  return sql<Row>`(select * from (${next}) next where ${hasWords(text, q)} offset 0)`;
}
