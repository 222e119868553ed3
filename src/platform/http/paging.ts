import { z } from 'zod';
import { invalid } from './problems.ts';
import type { Page } from './routes.ts';

/** Where a page ended: the value it is sorted by, and the key that breaks ties. */
export type Position = { value: string; key: string };

const Cursor = z.tuple([z.string(), z.string()]);

/**
 * The position in a cursor.
 *
 * @throws Problem `invalid`: it was not made by `pageFrom`
 */
export function positionIn(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [value, key] = Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { value, key };
  } catch {
    throw invalid('/cursor', 'Use the `next` of the page before; this is none.');
  }
}

/** Makes a page of rows of which one more than asked was read. */
export function pageFrom<Row>(rows: readonly Row[], limit: number, positionOf: (row: Row) => Position): Page<Row> {
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return { items, next: last === undefined ? null : cursorAt(positionOf(last)) };
}

/** The cursor of a page that goes on after a position. */
export function cursorAt({ value, key }: Position): string {
  return Buffer.from(JSON.stringify([value, key])).toString('base64url');
}
