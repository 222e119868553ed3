import { z } from 'zod';
import { invalid } from './problems.ts';
import type { Page } from './routes.ts';

/** The position of a record in an order: the value it is sorted by, and the key that breaks ties. */
export type Place = { value: string; key: string };

/** Where a page begins: after a position, or, read backwards, before it. */
export type Start = { direction: 'after' | 'before'; place: Place };

/** What a cursor may contain if no narrower schema is given: PostgreSQL refuses NUL. */
export const PlainText = z
  .string()
  .max(2048)
  .regex(/^\P{Cc}*$/u);

/**
 * Where the page of a cursor begins; undefined without a cursor: at the first record.
 *
 * @throws Problem `invalid`: the cursor was not made by this list in this order
 */
export function startIn(
  cursor: string | undefined,
  { sort, value, key }: { sort: string; value: z.ZodType<string>; key: z.ZodType<string> },
): Start | undefined {
  if (cursor === undefined) return undefined;
  const shape = z.tuple([z.literal(sort), z.enum(['after', 'before']), value, key]);
  try {
    const [, direction, ...place] = shape.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { direction, place: { value: place[0], key: place[1] } };
  } catch {
    throw invalid(
      '/cursor',
      'The cursor is invalid: use `next` or `previous` of a page with the same filters and order.',
    );
  }
}

/** The cursor of the page that begins there. */
export function cursorAt(sort: string, { direction, place }: Start): string {
  return Buffer.from(JSON.stringify([sort, direction, place.value, place.key])).toString('base64url');
}

/**
 * Builds a page from rows that were read in the direction of its start, one more than the limit.
 *
 * @returns without the total, which is counted separately
 */
export function pageFrom<Row extends { place: Place }>(
  rows: readonly Row[],
  { sort, limit, start }: { sort: string; limit: number; start: Start | undefined },
): Omit<Page<Omit<Row, 'place'>>, 'total' | 'total_is_capped'> {
  const isBackwards = start?.direction === 'before';
  const found = isBackwards ? rows.slice(0, limit).reverse() : rows.slice(0, limit);
  const hasMore = rows.length > limit;
  const cursor = (direction: Start['direction'], row: Row | undefined) => {
    const place = row?.place ?? start?.place;
    return place ? cursorAt(sort, { direction, place }) : null;
  };
  return {
    items: found.map(({ place: _, ...item }) => item),
    next: isBackwards || hasMore ? cursor('after', found.at(-1)) : null,
    previous: start && (!isBackwards || hasMore) ? cursor('before', found[0]) : null,
  };
}
