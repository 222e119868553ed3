import type { Context, Middleware } from 'koa';
import { checked, methodNotAllowed, readJson, requestOrigin } from '../../platform/http/index.ts';
import { type CallerDeps, callerOf } from './callers.ts';
import { ambiguous } from './credentials.ts';
import { type RecordDeps, recordUse } from './recorded-uses.ts';
import { type Verdict, VerifyBatch, VerifyRequest } from './schemas.ts';
import { judge, type VerdictDeps } from './verdicts.ts';

export const verifyPath = '/gateway/verify';

type Deps = VerdictDeps & CallerDeps & RecordDeps;

/** Answers `POST /gateway/verify`: whether credentials are good for requests that services got, one or many at once. */
export function verify(deps: Deps): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== verifyPath) return next();
    if (ctx.method !== 'POST') throw methodNotAllowed(ctx.method, 'POST');
    if (ctx.querystring !== '') throw ambiguous('Describe the request in the body: this address takes no query.');
    const caller = await callerOf(deps, ctx);
    const body = await readJson(ctx);
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'application/json';
    ctx.body = isBatch(body)
      ? await verifyAll(deps, ctx, { body, caller })
      : await verifyOne(deps, ctx, { body, caller });
    return undefined;
  };
}

type Asked = { body: unknown; caller: string };

async function verifyOne(deps: Deps, ctx: Context, { body, caller }: Asked): Promise<string> {
  const verdict = await judged(deps, ctx, { request: checked(VerifyRequest, body), caller });
  return JSON.stringify(verdict);
}

async function verifyAll(deps: Deps, ctx: Context, { body, caller }: Asked): Promise<string> {
  const { requests } = checked(VerifyBatch, body);
  const results = await Promise.all(requests.map((request) => judged(deps, ctx, { request, caller })));
  return JSON.stringify({ results });
}

async function judged(
  deps: Deps,
  ctx: Context,
  { request, caller }: { request: VerifyRequest; caller: string },
): Promise<Verdict> {
  const verdict = await judge(deps, request, request.ip === undefined ? { service: caller } : { address: request.ip });
  recordUse(deps, { request, verdict, caller, from: ctx.ip, request_id: requestOrigin(ctx).request_id });
  return verdict;
}

function isBatch(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'requests' in body;
}
