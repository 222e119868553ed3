import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { z } from 'zod';
import { type Place, PlainText, type Start } from '../http/index.ts';

/** How values of a type are written in a cursor, and which of them a cursor may hold. */
const types = {
  text: { written: (by: RawBuilder<unknown>) => by, read: PlainText },
  uuid: { written: (by: RawBuilder<unknown>) => by, read: z.uuid() as z.ZodType<string> },
  // A `Date` has no microseconds; a cursor that lost them would skip or repeat records.
  timestamptz: {
    written: (by: RawBuilder<unknown>) =>
      sql`case when isfinite(${by}) then to_char(${by} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') else (${by})::text end`,
    read: z.union([z.iso.datetime(), z.enum(['infinity', '-infinity'])]),
  },
} as const;

/** What a list is sorted by: an expression that is never null, with an index of it and the key of the list. */
export type Order = { by: RawBuilder<unknown>; type: 'text' | 'timestamptz' };

/** The orders of a list by the names that `sort` takes. `key` is unique and breaks ties; an order may be the key itself. */
export type ListOrders = {
  key: { by: RawBuilder<unknown>; type: 'text' | 'uuid' };
  orders: Readonly<Record<string, Order | 'key'>>;
  /** The highest total that is counted; default: 10,000. Lower if each row joins several tables. */
  mostCounted?: number;
};

/** The `sort` of a list's query: each name ascending, and descending with a `-` before it. */
export function SortBy<const Name extends string>(names: readonly Name[], initially: Name | `-${Name}`) {
  const both = names.flatMap((name): (Name | `-${Name}`)[] => [name, `-${name}`]);
  return z
    .enum(both)
    .default(initially as never)
    .meta({ description: 'what to sort by; with `-`: descending' });
}

/** A part of a statement for each thing that a page needs. */
export type Clauses = {
  after: RawBuilder<SqlBool>;
  /** The opposite of `after`: the rows up to and including a position. */
  upTo: (place: Place) => RawBuilder<SqlBool>;
  orderBy: RawBuilder<unknown>;
  place: RawBuilder<Place>;
  /** Whether it is read in descending order. */
  isReversed: boolean;
};

/** The order that `sort` names, and the shapes of its cursors. */
export function orderNamed({ key, orders }: ListOrders, sort: string) {
  const order = orders[sort.replace(/^-/, '')];
  if (order === undefined) throw new Error(`The list has no order "${sort}".`);
  const value = order === 'key' ? z.literal('') : types[order.type].read;
  return { order, isDescending: sort.startsWith('-'), cursor: { sort, value, key: types[key.type].read } };
}

/** How a list is read in an order from a start on. */
export function clausesOf(
  { key }: ListOrders,
  { order, isDescending }: { order: Order | 'key'; isDescending: boolean },
  start: Start | undefined,
): Clauses {
  const isReversed = isDescending !== (start?.direction === 'before');
  const direction = isReversed ? sql`desc` : sql`asc`;
  const keyAt = (place: Place) => sql`${place.key}::${sql.raw(key.type)}`;
  const [later, earlier] = isReversed ? [sql`<`, sql`>=`] : [sql`>`, sql`<=`];
  const compared = (operator: RawBuilder<unknown>, place: Place): RawBuilder<SqlBool> =>
    order === 'key'
      ? sql`${key.by} ${operator} ${keyAt(place)}`
      : sql`(${order.by}, ${key.by}) ${operator} (${place.value}::${sql.raw(order.type)}, ${keyAt(place)})`;
  const value = order === 'key' ? sql`''` : types[order.type].written(order.by);
  return {
    after: start ? compared(later, start.place) : sql`true`,
    upTo: (place) => compared(earlier, place),
    orderBy: order === 'key' ? sql`${key.by} ${direction}` : sql`${order.by} ${direction}, ${key.by} ${direction}`,
    place: sql`json_build_object('value', ${value}, 'key', ${key.by})`,
    isReversed,
  };
}
