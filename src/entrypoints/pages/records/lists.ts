import type { Context } from 'koa';
import { Problem } from '../../../platform/http/index.ts';
import { one } from '../signed-in.ts';
import { noticeIn } from './notices.ts';
import type { Cell, Filter, ListPage } from './page-shapes.ts';

export type Rows = { rows: Cell[][]; next: string | null };

/** A list: its words, and the parts of its query that a person may set. */
export type Listing = {
  heading: string;
  intro: string;
  columns: readonly string[];
  /** What `q` looks through. */
  search?: string;
  filters?: readonly Omit<Filter, 'value'>[];
  sorts?: readonly { value: string; text: string }[];
  empty: string;
};

const longest = 300;

/** A list as its address asks for it, which keeps what it is searched for, its order and its page. */
export async function listPage(
  ctx: Context,
  list: Listing & { path: string },
  read: (query: Record<string, string>) => Promise<Rows>,
): Promise<Omit<ListPage, 'actions'>> {
  const { path, heading, intro, columns, search, filters = [], sorts = [], empty } = list;
  const names = [...(search ? ['q'] : []), ...filters.map(({ name }) => name), ...(sorts.length > 0 ? ['sort'] : [])];
  const given = queryIn(ctx.query, names);
  const { sort, ...filtering } = given;
  const cursor = one(ctx.query.cursor);
  const reading = read({ ...given, ...(cursor && { cursor }) });
  const { rows, next, problem } = await reading.then(shown, (error) => refused(error, filters));
  const href = (change: Record<string, string>) => addressOf(path, { ...given, ...change });
  return {
    heading,
    intro,
    path,
    columns,
    search: search ? { label: search, value: given.q ?? '' } : undefined,
    filters: filters.map((filter) => ({ ...filter, value: given[filter.name] ?? '' })),
    sorts: sorts.map(({ value, text }, n) => ({
      text,
      href: href({ sort: value }),
      is_current: sort === undefined ? n === 0 : sort === value,
    })),
    sort: sort ?? '',
    rows,
    next: next === null ? undefined : href({ cursor: next }),
    first: cursor ? href({}) : undefined,
    all: addressOf(path, sort ? { sort } : {}),
    is_filtered: Object.keys(filtering).length > 0,
    empty,
    problem,
    notice: noticeIn(ctx),
  };
}

const shown = (rows: Rows) => ({ ...rows, problem: undefined });

/** A filter or page that cannot be is told beside the filters. */
function refused(error: unknown, filters: readonly Omit<Filter, 'value'>[]): Rows & { problem: string } {
  if (!(error instanceof Problem) || error.status !== 400) throw error;
  const { pointer = '' } = error.options;
  const wrong = filters.find(({ name }) => pointer === `/${name}`);
  const problem = wrong
    ? `${wrong.label}: there is nothing like this to choose.`
    : 'This address asks for a part of the list that is not there. Start again from the first page.';
  return { rows: [], next: null, problem };
}

function queryIn(query: Record<string, string | string[] | undefined>, names: readonly string[]) {
  const given = names.map((name) => [name, one(query[name]).trim().slice(0, longest)] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== '')) as Record<string, string>;
}

/** An address with what is not empty in its query. */
export function addressOf(path: string, query: Record<string, string>): string {
  const search = new URLSearchParams(query).toString();
  return search ? `${path}?${search}` : path;
}
