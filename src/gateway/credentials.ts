import type { Context } from 'koa';
import { looksLikeKey } from '../api-keys/index.ts';
import { Problem } from '../platform/http/index.ts';

/** What came in place of a name and password. */
export type Credential = { key: string } | { token: string; scheme: 'bearer' | 'dpop' };

/**
 * The credential of a request, from `X-API-Key` or `Authorization`; undefined: none came.
 *
 * @throws Problem 400: several came, of which two parties on the way could each believe another one
 */
export function credentialOf(ctx: Context): Credential | undefined {
  const key = single(ctx, 'x-api-key');
  const authorization = single(ctx, 'authorization');
  if (key !== undefined && authorization !== undefined) throw ambiguous('Send X-API-Key or Authorization, not both.');
  if (key !== undefined) return key === '' ? undefined : { key };
  if (authorization === undefined) return undefined;
  const [, scheme = '', token = ''] = /^(bearer|dpop) +(\S+)$/i.exec(authorization) ?? [];
  if (token === '') return undefined;
  if (looksLikeKey(token)) return { key: token };
  return { token, scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer' };
}

/**
 * A header that came at most once.
 *
 * @throws Problem 400
 */
export function single(ctx: Context, name: string): string | undefined {
  // What proxies say is taken out of `headers` where they are not believed.
  if (ctx.req.headers[name] === undefined) return undefined;
  const given = ctx.req.headersDistinct[name] ?? [];
  if (given.length > 1) throw ambiguous(`Send one ${name} header.`);
  return given[0];
}

/** Two things that should be one. */
export function ambiguous(detail: string): Problem {
  return new Problem(400, 'invalid_request', { title: 'Invalid request', detail });
}
