import { z } from 'zod';
import type { Actor } from './actor.ts';
import type { JsonBounds } from './json-body.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The input of a handler: everything parsed, the actor authenticated and allowed. */
export type RouteInput<Params, Query, Body> = {
  actor: Actor;
  params: Params;
  query: Query;
  body: Body;
  /** The version in `If-Match`; undefined: any version is accepted. */
  ifVersion: number | undefined;
};

/** A route without its handler: for OpenAPI, the reference, the command line and the console. */
export type RouteShape = JsonBounds & {
  method: Method;
  /** Below the prefix of the API, with `{names}`. */
  path: string;
  summary: string;
  /** The permission that the caller needs; the judgement in the verb checks all other callers. */
  permission: string;
  params: z.ZodType;
  query: z.ZodType;
  body: z.ZodType | undefined;
  response: z.ZodType | undefined;
  status: number;
};

/** A route as data: authentication, permission, parsing, problems, encoding and OpenAPI follow from it. */
export type Route<Deps = never> = RouteShape & {
  /** `deps` are given when the routes are mounted. */
  handle: (input: RouteInput<never, never, never>, deps: Deps) => Promise<unknown>;
};

const nothing = z.strictObject({});
type Nothing = typeof nothing;

/** The builder of the routes of one module, whose handlers use `Deps`. It checks that a handler fits the schemas of its route. */
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
    bodyOpaque?: string;
    response?: Response;
    /** The status on success; 200, or 204 without a response. */
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
 * The response of every rotation: until when the previous version works.
 *
 * @param formerly the former name of the field, returned as well for one release
 */
export function previousExpiry<Name extends string>(formerly: Name) {
  const old = Timestamp.meta({ deprecated: true, description: 'deprecated: the same as `previous_expires_at`' });
  return {
    previous_expires_at: Timestamp.meta({ description: 'when the previous version expires' }),
    ...({ [formerly]: old } as Record<Name, typeof Timestamp>),
  };
}

/** The response of a rotation, with the end of the previous version under its former name, too. */
export function alsoAs<Name extends string, Result extends { previous_expires_at: Date }>(
  formerly: Name,
  result: Result,
): Result & Record<Name, Date> {
  return { ...result, ...({ [formerly]: result.previous_expires_at } as Record<Name, Date>) };
}

/** A response of any length, sent while it is produced: one JSON value a line (`application/x-ndjson`). */
export const JsonLines = z.custom<AsyncIterable<string>>();

/** A boolean in a query. */
export const Flag = z.stringbool({ truthy: ['true'], falsy: ['false'] });

/** The input of a schema on the wire, as JSON Schema: for OpenAPI, the reference and the command line. */
export function wireSchema(schema: z.ZodType): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

const mostOnAPage = 200;

/** The query parameters of every list. */
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

/** A page of a list in which each page searches a limited number of records, if no index serves the filters. */
export function searchPageOf<Item extends z.ZodType>(item: Item) {
  return pageOf(item).extend({
    is_partial: z.boolean().meta({
      description:
        'true: no index serves the filters, and a limited number of records was searched; the next page continues',
    }),
    searched_to: Timestamp.nullable().meta({
      description: 'the time up to which records were searched; null: the page is not partial, or not sorted by time',
    }),
  });
}

export type SearchPage<Item> = Page<Item> & { is_partial: boolean; searched_to: Date | null };

/** A page without records. */
export function emptyPage({ total }: { total?: boolean | undefined }): Page<never> {
  return { items: [], next: null, previous: null, total: total ? 0 : null, total_is_capped: false };
}

/** A page with each record as the API shows it. */
export function pageWith<Row, Item>(page: Page<Row>, shown: (row: Row) => Item): Page<Item> {
  return { ...page, items: page.items.map(shown) };
}

const actsOnAll: Record<string, string> = { POST: 'create' };
const actsOnOne: Record<string, string> = { GET: 'get', PATCH: 'update', PUT: 'put', DELETE: 'delete' };

/**
 * A route's name in words, for generated clients and commands: the nouns of its path, then the action. A path that ends in a verb
 * (`…/disable`) has it already.
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
