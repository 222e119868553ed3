import type { Context, Middleware, Next } from 'koa';
import { methodNotAllowed, notFound, Problem } from '../../platform/http/index.ts';
import { ttlSeconds } from './status-list-token.ts';
import { type StatusLists, statusListsPath } from './status-lists.ts';

const mediaType = 'application/statuslist+jwt';
const methods = 'GET, HEAD, OPTIONS';
const onePath = /^\/status-lists\/([^/]+)$/;
const idShape = /^[1-9]\d{0,8}$/;

/** `/status-lists/{id}`, and `/status-lists`, which lists them all (draft-ietf-oauth-status-list §8, §9). Both are public. */
export function statusListRoutes(lists: StatusLists): Middleware {
  return async (ctx: Context, next: Next) => {
    const [, id] = onePath.exec(ctx.path) ?? [];
    if (id === undefined && ctx.path !== statusListsPath) return next();
    ctx.set({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'ETag, Retry-After' });
    if (ctx.method === 'OPTIONS') return answerPreflight(ctx);
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') throw methodNotAllowed(ctx.method, methods);
    return id === undefined ? answerIndex(ctx, lists) : answerList(ctx, lists, id);
  };
}

/** The template of a list's path, for metrics and traces; undefined for other paths. */
export function statusListTemplate(path: string): string | undefined {
  if (path === statusListsPath) return path;
  return onePath.test(path) ? `${statusListsPath}/:id` : undefined;
}

// `If-None-Match`, and some values of `Accept`, are not CORS-safelisted: browsers send a preflight request.
function answerPreflight(ctx: Context): void {
  ctx.status = 204;
  ctx.set({
    'Access-Control-Allow-Methods': methods,
    'Access-Control-Allow-Headers': 'Accept, If-None-Match',
    'Access-Control-Max-Age': '86400',
  });
}

async function answerIndex(ctx: Context, lists: StatusLists): Promise<void> {
  ctx.body = { status_lists: await lists.uris() };
  ctx.set('Cache-Control', `public, max-age=${ttlSeconds}`);
}

async function answerList(ctx: Context, lists: StatusLists, id: string): Promise<void> {
  if (ctx.query.time !== undefined) throw noHistory();
  if (!ctx.accepts(mediaType)) throw notAcceptable();
  if (!idShape.test(id)) throw notFound('status list', id);
  const { jwt, etag } = await lists.get(Number(id));
  ctx.status = 200;
  ctx.set({ ETag: etag, 'Cache-Control': `public, max-age=${ttlSeconds}` });
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  ctx.set('Content-Type', mediaType);
  ctx.body = jwt;
}

function noHistory(): Problem {
  return new Problem(501, 'not_implemented', {
    title: 'Not implemented',
    detail: 'Only the current status list is available: omit "time".',
  });
}

function notAcceptable(): Problem {
  return new Problem(406, 'not_acceptable', {
    title: 'Not acceptable',
    detail: `Status lists are available as ${mediaType} only.`,
  });
}
