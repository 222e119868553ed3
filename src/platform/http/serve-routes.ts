import { Readable } from 'node:stream';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { Actor } from './actor.ts';
import { encodeAnswer } from './answers.ts';
import { readJson } from './json-body.ts';
import { pointerTo } from './json-pointer.ts';
import { methodNotAllowed, Problem } from './problems.ts';
import { JsonLines, type Route, type RouteShape } from './routes.ts';
import { type Issue, issuesIn, validationWords } from './validation-words.ts';

export type ServeOptions<Deps> = {
  /** The dependencies of the handlers. */
  deps: Deps;
  /** The prefix of the routes, e.g. `/admin/v1`. */
  prefix: string;
  /** Authenticates the caller. @throws Problem 401 */
  authenticate: (ctx: Context) => Promise<Actor>;
  /** Whether the actor may use the route. @throws Problem 403 that names the permission */
  authorize: (ctx: Context, actor: Actor, permission: string) => Promise<void>;
  /** Executes a repeated request only once, and repeats the first response. Passes the handler's dependencies to the work. */
  once: (ctx: Context, call: Call, work: (deps: Deps) => Promise<Answer>) => Promise<Answer>;
};

/** A request with known route, actor and body. */
export type Call = { actor: Actor; route: RouteShape; body: unknown };

export type Answer = { status: number; body: string | undefined; etag: string | undefined };

type Compiled<Deps> = { route: Route<Deps>; shape: RegExp; names: string[] };

/** Serves routes below the prefix: input parsed, caller authenticated and allowed, response encoded, refusals as problems. */
export function serve<Deps>(routes: readonly Route<Deps>[], options: ServeOptions<Deps>): Middleware {
  const compiled = routes.map((route) => compile(route));
  return async (ctx, next) => {
    if (!ctx.path.startsWith(`${options.prefix}/`)) return next();
    ctx.set('Cache-Control', 'no-store');
    const path = ctx.path.slice(options.prefix.length);
    const here = compiled.filter(({ shape }) => shape.test(path));
    // Unauthenticated callers get 401 before any lookup, so they cannot probe for ids.
    const actor = await options.authenticate(ctx);
    if (here.length === 0) return undefined;
    const found = here.find(({ route: { method } }) => method === (ctx.method === 'HEAD' ? 'GET' : ctx.method));
    if (!found) throw methodNotAllowed(ctx.method, here.map(({ route }) => route.method).join(', '));
    ctx._matchedRoute = `${options.prefix}${found.route.path}`;
    await options.authorize(ctx, actor, found.route.permission);
    await answer(ctx, options, found, { actor, path });
    return undefined;
  };
}

async function answer<Deps>(
  ctx: Context,
  { once, deps }: ServeOptions<Deps>,
  { route, shape, names }: Compiled<Deps>,
  { actor, path }: { actor: Actor; path: string },
): Promise<void> {
  const given = Object.fromEntries(names.map((name, n) => [name, decoded(shape.exec(path)?.[n + 1] ?? '')]));
  const params = paramsIn(route, given);
  const query = checked(route.query, { ...ctx.query });
  const sent = ctx.method === 'GET' || ctx.method === 'HEAD' ? undefined : await readJson(ctx.req, route);
  if (sent !== undefined && !route.body) throw invalidAt([{ path: [], message: 'takes no body' }]);
  const body = route.body ? checked(route.body, sent ?? {}) : undefined;
  const input = { actor, params, query, body, ifVersion: versionIn(ctx.get('If-Match')) };
  if (route.response === JsonLines) {
    sendLines(ctx, (await route.handle(input as never, deps)) as AsyncIterable<string>);
    return;
  }
  const work = async (given: Deps) => encoded(route, await route.handle(input as never, given));
  const {
    status,
    body: text,
    etag,
  } = route.method === 'POST' ? await once(ctx, { actor, route, body: sent }, work) : await work(deps);
  ctx.status = status;
  if (etag) ctx.set('ETag', etag);
  if (text !== undefined) {
    ctx.type = 'application/json';
    ctx.body = text;
    linkPages(ctx, text, route);
  }
  // Not `ctx.fresh`: clients that send `If-None-Match` by `fetch` also send `Cache-Control: no-cache`.
  if (ctx.method === 'GET' && etag && ctx.get('If-None-Match') === etag) ctx.status = 304;
}

const idleMs = 30_000;

/** Streams lines as fast as they are read. A client that stops reading is disconnected, and the source of the lines is closed. */
export function sendLines(ctx: Context, lines: AsyncIterable<string>): void {
  ctx.type = 'application/x-ndjson';
  ctx.body = Readable.from(lines);
  ctx.res.setTimeout(idleMs, () => ctx.res.destroy());
}

function encoded({ response, status }: RouteShape, result: unknown): Answer {
  if (!response) return { status, body: undefined, etag: undefined };
  const value = encodeAnswer(response, result) as { version?: unknown };
  const etag = typeof value.version === 'number' ? entityTag(value.version) : undefined;
  return { status, body: JSON.stringify(value), etag };
}

/** The next and the previous page, for clients that follow links (RFC 8288). */
function linkPages(ctx: Context, text: string, { response }: RouteShape): void {
  if (!(response instanceof z.ZodObject) || !('next' in response.shape)) return;
  const { next, previous } = JSON.parse(text) as Partial<Record<'next' | 'previous', string | null>>;
  const links = Object.entries({ next, prev: previous }).flatMap(([relation, cursor]) => {
    if (typeof cursor !== 'string') return [];
    const query = new URLSearchParams(ctx.querystring);
    query.set('cursor', cursor);
    return [`<${ctx.path}?${query}>; rel="${relation}"`];
  });
  if (links.length > 0) ctx.set('Link', links.join(', '));
}

function compile<Deps>(route: Route<Deps>): Compiled<Deps> {
  const names = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const pattern = route.path.replaceAll(/[.]/g, '\\.').replaceAll(/\{\w+\}/g, '([^/]+)');
  return { route, names, shape: new RegExp(`^${pattern}$`) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not the id of any record.
    return '';
  }
}

/** The parameters of a path. @throws Problem 404: no record could have such an id */
export function paramsIn({ params }: RouteShape, given: Record<string, string>): unknown {
  const result = params.safeParse(given);
  if (result.success && !Object.values(given).some((each) => /\p{Cc}/u.test(each))) return result.data;
  // A rule of the module for its ids says what to change; others would describe a shape.
  const broken = result.error?.issues.find(({ code, message }) => code === 'custom' && message.startsWith('must '));
  const reason = broken ? `: its ${broken.path.join('.')} ${broken.message}` : '';
  throw new Problem(404, 'not_found', { title: 'Not found', detail: `This record does not exist${reason}.` });
}

/**
 * A value parsed by a schema.
 *
 * @throws Problem 400 `invalid` that names every invalid member by its pointer (RFC 6901)
 */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value, { error: validationWords });
  if (result.success) return result.data;
  throw invalidAt(issuesIn(result.error));
}

function invalidAt(issues: readonly Issue[]): Problem {
  const errors = issues.map(({ path, message }) => ({ pointer: pointerTo(path), detail: message }));
  const [first = { pointer: '', detail: 'is wrong' }] = errors;
  const detail = `${first.pointer || 'The input'}: ${first.detail}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''}.`;
  return new Problem(400, 'invalid', { title: 'Invalid input', detail, pointer: first.pointer, members: { errors } });
}

/** A record's version as its ETag. */
export const entityTag = (version: number): string => `"${version}"`;

/** @throws Problem 400: only our own ETags and `*` can be compared */
function versionIn(ifMatch: string): number | undefined {
  if (ifMatch === '' || ifMatch === '*') return undefined;
  const version = /^"(\d{1,9})"$/.exec(ifMatch)?.[1];
  if (!version)
    throw new Problem(400, 'invalid', {
      title: 'Invalid input',
      detail: 'If-Match: send the ETag of the last response unchanged.',
    });
  return Number(version);
}
