import { z } from 'zod';
import type { Actor } from './actor.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a handler is given: everything parsed, the actor known and allowed. */
export type RouteInput<Params, Query, Body> = {
  actor: Actor;
  params: Params;
  query: Query;
  body: Body;
  /** The version in `If-Match`; undefined: the caller does not care. */
  ifVersion: number | undefined;
};

/** What is known of a route without what its handler works with: for OpenAPI, the reference, the command line and the console. */
export type RouteShape = {
  method: Method;
  /** Below the entrance's prefix, with `{names}`. */
  path: string;
  summary: string;
  /** What the caller must hold; the judgement in the verb guards all other callers. */
  permission: string;
  params: z.ZodType;
  query: z.ZodType;
  body: z.ZodType | undefined;
  /** The most bytes of its body; undefined: as many as of any. */
  bodyBytes?: number | undefined;
  response: z.ZodType | undefined;
  status: number;
};

/** A route as data: authentication, permission, parsing, problems, encoding and OpenAPI follow from it. */
export type Route<Deps = never> = RouteShape & {
  /** `deps` are given when the routes are served. */
  handle: (input: RouteInput<never, never, never>, deps: Deps) => Promise<unknown>;
};

const nothing = z.strictObject({});
type Nothing = typeof nothing;

/** The builder of the routes of one module, whose handlers work with `Deps`. It checks that a handler fits the schemas of its route. */
export function routesWith<Deps>() {
  return <
    const M extends Method,
    const Path extends string,
    Params extends z.ZodType = Nothing,
    Query extends z.ZodType = Nothing,
    Body extends z.ZodType = z.ZodUndefined,
    Response extends z.ZodType = z.ZodVoid,
  >(spec: {
    method: M;
    path: Path;
    summary: string;
    permission: string;
    params?: Params;
    query?: Query;
    body?: Body;
    bodyBytes?: number;
    response?: Response;
    /** Of success; 200, or 204 without a response. */
    status?: number;
    handle: (
      input: RouteInput<z.output<Params>, z.output<Query>, z.output<Body>>,
      deps: Deps,
    ) => Promise<z.output<Response>>;
  }) => {
    const { params, query, body, response, status = response ? 200 : 204, handle, ...rest } = spec;
    return {
      ...rest,
      params: (params ?? nothing) as Params,
      query: (query ?? nothing) as Query,
      body,
      response,
      status,
      handle: handle as Route<Deps>['handle'],
    };
  };
}

/** An instant: RFC 3339 text in UTC on the wire, a `Date` in the program. */
export const Timestamp = z.codec(z.iso.datetime({ offset: true }), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

/**
 * What every rotation answers: until when the version works that was used so far.
 *
 * @param formerly the name of the version before, answered as well for one release
 */
export function previousExpiry<Name extends string>(formerly: Name) {
  const old = Timestamp.meta({ deprecated: true, description: 'deprecated: the same as `previous_expires_at`' });
  return {
    previous_expires_at: Timestamp.meta({ description: 'when the previous version expires' }),
    ...({ [formerly]: old } as Record<Name, typeof Timestamp>),
  };
}

/** A rotation's answer with the end of the version before under its former name, too. */
export function alsoAs<Name extends string, Result extends { previous_expires_at: Date }>(
  formerly: Name,
  result: Result,
): Result & Record<Name, Date> {
  return { ...result, ...({ [formerly]: result.previous_expires_at } as Record<Name, Date>) };
}

/** An answer of any length, sent as it is made: one JSON value a line (`application/x-ndjson`). */
export const JsonLines = z.custom<AsyncIterable<string>>();

/** Yes or no in a query. */
export const Flag = z.stringbool({ truthy: ['true'], falsy: ['false'] });

/** What a schema takes on the wire, as JSON Schema: for OpenAPI, the reference and the command line. */
export function wireSchema(schema: z.ZodType): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

const mostOnAPage = 200;

/** Members of every list's query. */
export const PageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(mostOnAPage)
    .default(50)
    .meta({ description: 'the maximum number of items on a page' }),
  cursor: z
    .string()
    .max(4096)
    .optional()
    .meta({ description: '`next` or `previous` of another page; valid with the same filters and order only' }),
  total: Flag.optional().meta({ description: 'true: count the matching records, too' }),
};

/** A page of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: '`cursor` of the next page; null on the last' }),
    previous: z.string().nullable().meta({ description: '`cursor` of the previous page; null on the first' }),
    total: z.int().nullable().meta({
      description:
        'the number of matching records, up to 10,000, or 500 of sessions, consents and grants; null: not requested (`total=true`)',
    }),
    total_is_capped: z.boolean().meta({ description: 'true: there are more than `total`' }),
  });
}

export type Page<Item> = {
  items: Item[];
  next: string | null;
  previous: string | null;
  total: number | null;
  total_is_capped: boolean;
};

/** A page of a list in which only so many records are searched for each page, where no index serves the filters. */
export function searchPageOf<Item extends z.ZodType>(item: Item) {
  return pageOf(item).extend({
    is_partial: z.boolean().meta({
      description:
        'true: no index serves the filters, and only so many records were searched; the next page searches further',
    }),
    searched_to: Timestamp.nullable().meta({
      description:
        'up to when records were searched, in an order of time; null: the page is not partial, or sorted by something else',
    }),
  });
}

export type SearchPage<Item> = Page<Item> & { is_partial: boolean; searched_to: Date | null };

/** A page without any record. */
export function emptyPage({ total }: { total?: boolean | undefined }): Page<never> {
  return { items: [], next: null, previous: null, total: total ? 0 : null, total_is_capped: false };
}

/** A page with each of its records as the API shows it. */
export function pageWith<Row, Item>(page: Page<Row>, shown: (row: Row) => Item): Page<Item> {
  return { ...page, items: page.items.map(shown) };
}

const actsOnAll: Record<string, string> = { POST: 'create' };
const actsOnOne: Record<string, string> = { GET: 'get', PATCH: 'update', PUT: 'put', DELETE: 'delete' };

/**
 * A route's name in words, for generated clients and commands: the nouns of its path, then the act. What ends in a verb of its
 * own (`…/disable`) has it there already.
 */
export function wordsOf({ method, path }: RouteShape, routes: readonly RouteShape[]): string[] {
  const parts = path.split('/').filter(Boolean);
  const nouns = parts.filter((part) => !part.startsWith('{'));
  const last = parts.at(-1) ?? '';
  const act = method.toLowerCase();
  if (last.startsWith('{')) return [...nouns, actsOnOne[method] ?? act];
  if (method === 'GET') return [...nouns, last.endsWith('s') ? 'list' : 'get'];
  const isCollection = parts.length === 1 || routes.some((route) => route.path === path && route.method === 'GET');
  return isCollection ? [...nouns, actsOnAll[method] ?? act] : nouns;
}
