import type { Context, Middleware } from 'koa';
import { checked, Problem, readJson } from '../platform/http/index.ts';
import { type CallerDeps, callerOf } from './callers.ts';
import { VerifyBatch, VerifyRequest } from './schemas.ts';
import { judge, type VerdictDeps } from './verdicts.ts';

export const verifyPath = '/gateway/verify';

/** Answers `POST /gateway/verify`: whether credentials are good for requests that services got, one or many at once. */
export function verify(deps: VerdictDeps & CallerDeps): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== verifyPath) return next();
    if (ctx.method !== 'POST') throw notAllowed(ctx);
    const caller = await callerOf(deps, ctx);
    const body = await readJson(ctx);
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'application/json';
    ctx.body = isBatch(body) ? await verifyAll(deps, body, caller) : await verifyOne(deps, body, caller);
    return undefined;
  };
}

async function verifyOne(deps: VerdictDeps, body: unknown, caller: string): Promise<string> {
  const request = checked(VerifyRequest, body);
  return JSON.stringify(await judge(deps, request, request.ip ?? caller));
}

async function verifyAll(deps: VerdictDeps, body: unknown, caller: string): Promise<string> {
  const { requests } = checked(VerifyBatch, body);
  const results = await Promise.all(requests.map((request) => judge(deps, request, request.ip ?? caller)));
  return JSON.stringify({ results });
}

function isBatch(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'requests' in body;
}

function notAllowed({ method }: Context): Problem {
  const detail = `This address does not take ${method}, but POST.`;
  return new Problem(405, 'method_not_allowed', { title: 'Method not allowed', detail, headers: { Allow: 'POST' } });
}
