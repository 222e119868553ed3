import type { Context } from 'koa';
import { Problem } from '../../../platform/http/index.ts';
import { type Catalogue, en } from '../languages/en.ts';
import { one } from '../signed-in.ts';
import { exactTime } from '../times.ts';
import { counted } from '../words.ts';
import type { ListFilter } from './filters.ts';
import { noticeIn } from './notices.ts';
import type { Cell, Column, Empty, ListPage, TableColumn } from './page-shapes.ts';

/** A page of a list as its route returns it: cursors of the adjacent pages, and the total, counted up to a limit. */
export type Rows = {
  rows: Cell[][];
  next: string | null;
  previous?: string | null | undefined;
  total?: number | null | undefined;
  total_is_capped?: boolean | undefined;
  /** Whether there are more records to search than were searched for this page, and up to which time. */
  is_partial?: boolean | undefined;
  searched_to?: Date | null | undefined;
};

/** A list: its words, and the parts of its query that a user can set. */
export type Listing = {
  heading: string;
  intro: string;
  /** The noun for one record, such as `client`. */
  noun: string;
  /** A symbol of `views/console/icons.eta`. */
  icon: string;
  columns: readonly Column[];
  /** The default sort key, such as `-created_at`. */
  sort?: string;
  /** What `q` searches. */
  search?: string;
  /** How it is searched; default: by word prefixes. */
  searchHint?: string;
  filters?: readonly ListFilter[];
  empty: Empty;
};

type Query = Readonly<Record<string, string>>;

const longest = 300;

/** A list as its address describes it: the address contains the search, the filters, the order and the page. */
export async function listPage(
  ctx: Context,
  list: Listing & { path: string; texts?: Catalogue },
  read: (query: Record<string, string>) => Promise<Rows>,
): Promise<Omit<ListPage, 'actions'>> {
  const { path, heading, intro, icon, noun, columns, search, searchHint, filters = [], empty, texts = en } = list;
  const isSorted = columns.some(({ sort }) => sort !== undefined);
  const names = [...(search ? ['q'] : []), ...filters.map(({ name }) => name), ...(isSorted ? ['sort'] : [])];
  const given = queryIn(ctx.query, names);
  const cursor = one(ctx.query.cursor);
  const reading = read({ ...given, ...(cursor && { cursor }) });
  const { rows, next, previous, problem, ...counts } = await reading.then(shown, (error) =>
    refused(error, filters, texts),
  );
  const pageAt = (at: string) => addressOf(path, { ...given, cursor: at });
  return {
    heading,
    intro,
    icon,
    path,
    columns: tableColumns(columns, { path, given, sort: given.sort ?? list.sort }),
    search: search ? { label: search, hint: searchHint ?? texts.records.searchHint, value: given.q ?? '' } : undefined,
    filters: filters.map((filter) => ({ ...filter, value: given[filter.name] ?? '' })),
    tags: tagsOf(path, given, { filters, texts }),
    sort: given.sort ?? '',
    rows,
    total: totalIn(counts, noun),
    searched: counts.is_partial ? searchedWords(counts.searched_to) : undefined,
    next: next ? pageAt(next) : undefined,
    previous: previousPage(previous, cursor, pageAt, addressOf(path, given)),
    all: addressOf(path, given.sort ? { sort: given.sort } : {}),
    empty,
    problem,
    notice: noticeIn(ctx, texts),
  };
}

/** If the route names no page before this one, the first page is linked. */
function previousPage(previous: Rows['previous'], cursor: string, pageAt: (at: string) => string, first: string) {
  if (previous) return pageAt(previous);
  return cursor && previous === undefined ? first : undefined;
}

function totalIn({ total, total_is_capped }: Pick<Rows, 'total' | 'total_is_capped'>, noun: string) {
  if (total === undefined || total === null) return undefined;
  return total_is_capped ? `More than ${counted(total, noun)}` : counted(total, noun);
}

const searchedWords = (to: Date | null | undefined) =>
  to ? `Searched as far as ${exactTime(to)}.` : 'More records are left to search.';

type Sorting = { path: string; given: Query; sort: string | undefined };

const tableColumns = (columns: readonly Column[], sorting: Sorting): TableColumn[] =>
  columns.map(({ label, is_number = false, sort }) => ({
    label,
    is_number,
    sort: sort === undefined ? undefined : sortLink(sort, sorting),
  }));

/** The key of a column, ascending, or descending where it is ascending now. A key that begins with `-` begins descending. */
function sortLink(key: string, { path, given, sort }: Sorting): TableColumn['sort'] {
  const name = key.replace(/^-/, '');
  const isCurrent = sort?.replace(/^-/, '') === name;
  const other = sort?.startsWith('-') ? name : `-${name}`;
  const href = addressOf(path, { ...given, sort: isCurrent ? other : key });
  const direction = sort?.startsWith('-') ? 'descending' : 'ascending';
  return { href, direction: isCurrent ? direction : undefined };
}

type Tagging = { filters: readonly ListFilter[]; texts: Catalogue };

function tagsOf(path: string, given: Query, { filters, texts: { records } }: Tagging): ListPage['tags'] {
  const { q, ...others } = given;
  const without = (name: string) =>
    addressOf(path, Object.fromEntries(Object.entries(given).filter(([key]) => key !== name)));
  const set = filters.flatMap(({ name, label, options }) => {
    const value = others[name];
    if (value === undefined) return [];
    const text = options.find((option) => option.value === value)?.text ?? value;
    return [{ text: `${label}: ${text}`, href: without(name) }];
  });
  return [...(q ? [{ text: records.searched({ query: q }), href: without('q') }] : []), ...set];
}

const shown = (rows: Rows) => ({ ...rows, problem: undefined });

/** A filter or page that does not exist is reported above the list. */
function refused(error: unknown, filters: readonly ListFilter[], { records }: Catalogue): Rows & { problem: string } {
  if (!(error instanceof Problem) || error.status !== 400) throw error;
  const { pointer = '' } = error.options;
  const wrong = filters.find(({ name }) => pointer === `/${name}`);
  if (pointer === '/sort') return { rows: [], next: null, problem: error.message };
  const problem = wrong ? records.unknownFilter({ filter: wrong.label }) : records.unknownPage;
  return { rows: [], next: null, problem };
}

function queryIn(query: Record<string, string | string[] | undefined>, names: readonly string[]) {
  const given = names.map((name) => [name, one(query[name]).trim().slice(0, longest)] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== '')) as Record<string, string>;
}

/** An address with the non-empty parameters in its query. */
export function addressOf(path: string, query: Query): string {
  const search = new URLSearchParams(query).toString();
  return search ? `${path}?${search}` : path;
}
