import { json } from 'node:stream/consumers';
import { createGuard, koaGuard } from '@latchkey/guard';
import Koa, { type Context } from 'koa';
import { ownKey } from './own-key.ts';

type Body = { template?: unknown; to?: unknown; entries?: unknown };
type Need = { permission: string; cost?: number; parameters?: Record<string, string> };
type Act = { method: string; path: RegExp; need: (name: string, body: Body) => Need };

const { ISSUER: issuer = 'http://localhost:3000', PORT = '4100' } = process.env;

/** The actions of this API, with their permissions. Each recipient of a message and each log entry counts against the limits. */
const acts: Act[] = [
  { method: 'GET', path: /^\/database\/(\w+)$/, need: (table) => ({ permission: `database:read:${table}` }) },
  { method: 'PUT', path: /^\/database\/(\w+)$/, need: (table) => ({ permission: `database:write:${table}` }) },
  { method: 'PUT', path: /^\/cache\/(\w+)$/, need: (name) => ({ permission: `cache:write:${name}` }) },
  { method: 'POST', path: /^\/apis\/(\w+)$/, need: (name) => ({ permission: `api:call:${name}` }) },
  { method: 'POST', path: /^\/(email|sms)$/, need: toSend },
  { method: 'POST', path: /^\/logs$/, need: (_, { entries }) => ({ permission: 'logs:write', cost: count(entries) }) },
  { method: 'GET', path: /^\/logs$/, need: () => ({ permission: 'logs:read' }) },
];

function toSend(channel: string, { template, to }: Body): Need {
  const parameters = typeof template === 'string' ? { template } : {};
  return { permission: `${channel}:send`, cost: count(to), parameters };
}

function count(list: unknown): number {
  return Array.isArray(list) ? Math.max(1, list.length) : 1;
}

const guard = koaGuard(
  createGuard({ issuer, key: await ownKey(), resource: 'http://localhost:4100', onError: console.error }),
);

// Only behind a proxy that overwrites X-Forwarded-For: a direct caller could claim any address.
const platform = new Koa({ proxy: true });
platform.use(async (ctx, next) => {
  const act = acts.find(({ method, path }) => method === ctx.method && path.test(ctx.path));
  if (!act) return ctx.throw(404);
  const [, name = ''] = act.path.exec(ctx.path) ?? [];
  return guard(act.need(name, await bodyOf(ctx)))(ctx, next);
});
platform.use((ctx) => {
  ctx.body = { done: `${ctx.method} ${ctx.path}`, for: ctx.state.latchkey.subject };
});
platform.listen(Number(PORT), '127.0.0.1', () => process.send?.('ready'));
process.once('disconnect', () => process.exit());

async function bodyOf(ctx: Context): Promise<Body> {
  const hasBody = ctx.get('Transfer-Encoding') !== '' || ctx.get('Content-Length') !== '';
  // A chunked body could have any length.
  const length = hasBody ? (ctx.request.length ?? ctx.throw(411)) : 0;
  if (length > 4_000_000) ctx.throw(413);
  const body = length === 0 ? {} : await json(ctx.req).catch(() => ctx.throw(400));
  return Object(body);
}
