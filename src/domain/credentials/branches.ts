import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { invalid, type Place } from '../../platform/http/index.ts';
import type { ListOrders } from '../../platform/lists/index.ts';
import { type Branch, columnNames } from './kind.ts';
import type { CredentialOrder } from './schemas.ts';

type Condition = RawBuilder<SqlBool>;

const typeOf = (order: CredentialOrder) => (order === 'name' ? 'text' : 'timestamptz');

const ordered = (order: CredentialOrder) => ({ by: sql`c.sorted_by`, type: typeOf(order) }) as const;

/** The orders of the rows of all branches, `c`. Each branch is sorted by its own columns before. */
export const orders: ListOrders = {
  key: { by: sql`(c.branch || ' ' || c.id)`, type: 'text' },
  orders: {
    name: ordered('name'),
    created_at: ordered('created_at'),
    expires_at: ordered('expires_at'),
    due_at: ordered('due_at'),
    last_used_at: ordered('last_used_at'),
  },
};

/** An order of all branches, and the direction in which it is read. */
export type Reading = { order: CredentialOrder; isReversed: boolean };

/** The order of the rows of all branches. */
export function orderOfRows({ isReversed }: Reading): RawBuilder<unknown> {
  const direction = isReversed ? sql`desc` : sql`asc`;
  return sql`c.sorted_by ${direction}, c.branch collate "C" ${direction}, c.id ${direction}`;
}

type Part = Reading & { where: readonly Condition[]; limit: number };

/** Further conditions of a branch, each of which must hold. */
export function allOf(conditions: readonly Condition[]): RawBuilder<unknown> {
  return sql.join(
    conditions.map((condition) => sql`and ${condition}`),
    sql` `,
  );
}

/** The first rows of a branch: with every column, or only with those that identify a place. */
export function rowsOf(branch: Branch, part: Part, only?: 'places'): RawBuilder<unknown> {
  const { name, kind, columns, key, orders: sorted } = branch;
  const { order, isReversed, where, limit } = part;
  const direction = isReversed ? sql`desc` : sql`asc`;
  const names = only ? (['id', 'created_at'] as const) : columnNames;
  const selected = names.map((column) => sql`${columns[column]} as ${sql.ref(column)}`);
  return sql`(select ${sql.lit(name)}::text as branch, ${sql.lit(kind)}::text as kind, ${sorted[order]} as sorted_by,
      ${sql.join(selected)}
    ${only ? branch.counted : branch.from} ${allOf(where)}
    order by ${sorted[order]} ${direction}, ${sql.raw(key.column)} ${direction} limit ${limit})`;
}

/**
 * The condition for the rows of a branch after a place, or up to it. Rows with equal values are sorted by branch, and then by id.
 *
 * @throws Problem `invalid`: the place is from a forged cursor
 */
export function comparedWith(
  branch: Branch,
  { order, isReversed }: Reading,
  place: Place,
  side: 'after' | 'upTo',
): Condition {
  const by = branch.orders[order];
  const value = sql`${place.value}::${sql.raw(typeOf(order))}`;
  const isGreater = (side === 'after') !== isReversed;
  const strictly = isGreater ? sql`>` : sql`<`;
  const orEqual = isGreater ? sql`>=` : sql`<=`;
  const [of = '', id = ''] = splitOnce(place.key);
  if (of === branch.name) {
    const edge = branch.key.range(id)?.[isReversed ? 0 : 1];
    if (!edge) throw invalid('/cursor', 'The cursor is invalid: use `next` or `previous` of a page of this list.');
    return sql`(${by}, ${sql.raw(branch.key.column)}) ${side === 'after' ? strictly : orEqual} (${value}, ${edge})`;
  }
  const isLater = branch.name > of !== isReversed;
  return sql`${by} ${isLater === (side === 'after') ? orEqual : strictly} ${value}`;
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(' ');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The condition for the row of a branch with an id; undefined: the id cannot be of this branch. */
export function withId({ key: { column, range } }: Branch, id: string): Condition | undefined {
  const [first, last] = range(id) ?? [];
  return first && last && sql`${sql.raw(column)} between ${first} and ${last}`;
}
