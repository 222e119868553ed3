import { z } from 'zod';
import { invalid } from './problems.ts';
import type { Page } from './routes.ts';

/** Where a page ended: the value it is sorted by, and the key that breaks ties. */
export type Position = { value: string; key: string };

/** What a cursor may hold where nothing closer is known: PostgreSQL refuses NUL. */
const PlainText = z
  .string()
  .max(512)
  .regex(/^\P{Cc}*$/u);

const noPosition = () => invalid('/cursor', 'The cursor is invalid: use the `next` of the previous page.');

/**
 * The position in a cursor.
 *
 * @throws Problem `invalid`: it was not made by `pageFrom` of this list
 */
export function positionIn(
  cursor: string | undefined,
  { value, key }: { value: z.ZodType<string>; key: z.ZodType<string> },
): Position | undefined {
  if (cursor === undefined) return undefined;
  try {
    const parts = z.tuple([value, key]).parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { value: parts[0], key: parts[1] };
  } catch {
    throw noPosition();
  }
}

/**
 * The key in a cursor of a list whose order is that of its keys.
 *
 * @throws Problem `invalid`: it was not made by `pageByKey` of this list
 */
export function keyIn(cursor: string | undefined, key: z.ZodType<string> = PlainText): string | undefined {
  return positionIn(cursor, { value: z.literal(''), key })?.key;
}

/** Makes a page from rows that were read with one more than the limit. */
export function pageFrom<Row>(rows: readonly Row[], limit: number, positionOf: (row: Row) => Position): Page<Row> {
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return { items, next: last === undefined ? null : cursorAt(positionOf(last)) };
}

/** Makes a page of a list whose order is that of its keys. */
export function pageByKey<Row>(rows: readonly Row[], limit: number, keyOf: (row: Row) => string): Page<Row> {
  return pageFrom(rows, limit, (row) => ({ value: '', key: keyOf(row) }));
}

/** The cursor of the page that starts after a position. */
export function cursorAt({ value, key }: Position): string {
  return Buffer.from(JSON.stringify([value, key])).toString('base64url');
}
