import type { Context } from 'koa';
import { ambiguous, single } from './credentials.ts';

/** The request that a proxy asks about. */
export type OriginalRequest = {
  method: string;
  /** Decoded, without the empty parts of its ends; undefined where one could be read in two ways. */
  segments: readonly (string | undefined)[];
  /** As it was sent, without the query. */
  path: string;
};

/**
 * The original request as the proxy describes it: `X-Original-URI` and `X-Original-Method` (nginx), or `X-Forwarded-Uri` and
 * `X-Forwarded-Method` (Traefik, Caddy, HAProxy). Proxies pass on what clients send, so that one who sends the other pair is
 * refused instead of believed.
 *
 * @throws Problem 400: two headers disagree
 */
export function originalRequest(ctx: Context): OriginalRequest {
  const uri = agreed(ctx, 'x-original-uri', 'x-forwarded-uri') ?? '/';
  const method = agreed(ctx, 'x-original-method', 'x-forwarded-method') ?? 'GET';
  return describe(method, uri);
}

/** A request of this method and target. */
export function describe(method: string, uri: string): OriginalRequest {
  const [path = '/'] = uri.split(/[?#]/);
  return { method: method.toUpperCase(), path, segments: segmentsOf(path) };
}

function agreed(ctx: Context, one: string, other: string): string | undefined {
  const [a, b] = [single(ctx, one), single(ctx, other)];
  if (a !== undefined && b !== undefined && a !== b) throw ambiguous(`${one} and ${other} disagree.`);
  return a ?? b;
}

function segmentsOf(path: string): (string | undefined)[] {
  return path.replace(/^\//, '').replace(/\/$/, '').split('/').map(decoded);
}

/**
 * `.`, `..` and empty parts are resolved by one server and kept by another, some of which leave out what follows a `;` first
 * (RFC 3986 §3.3); a part may end at a NUL for those written in C.
 */
function decoded(part: string): string | undefined {
  try {
    const text = part.includes('%') ? decodeURIComponent(part) : part;
    return /^\.{0,2}(;|$)/.test(text) || /[/\\\0]/.test(text) ? undefined : text;
  } catch {
    // Not UTF-8: what a server makes of it is its own affair.
    return undefined;
  }
}
