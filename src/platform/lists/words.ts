import { type RawBuilder, type SqlBool, sql } from 'kysely';

/** A table, and the text of a row that is searched. There must be an index of `search_vector` of exactly this text (0030_lists.ts). */
export type Searched = { table: string; text: RawBuilder<unknown> };

/** Whether a text has a word beginning with each word of `q`, whatever the case: what every search of a list finds. */
export function hasWords(text: RawBuilder<unknown>, q: string): RawBuilder<SqlBool> {
  return sql`search_vector(${text}) @@ search_query(${q})`;
}

/**
 * The rows that have a word beginning with each word of `q`, whatever the case; without `q` every row.
 *
 * @returns what to select from
 */
export function rowsWithWords<Row>({ table, text }: Searched, q: string | undefined): RawBuilder<Row> {
  if (!q) return sql<Row>`${sql.table(table)}`;
  // Apart (`offset 0`): PostgreSQL takes every beginning of a word for a frequent one, and would compute the words of each row.
  return sql<Row>`(select * from ${sql.table(table)} where ${hasWords(text, q)} offset 0)`;
}
