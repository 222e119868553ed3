import type { IncomingHttpHeaders } from 'node:http';
import { ambiguous, single } from './credentials.ts';
import type { HeaderSource } from './gateway-request.ts';

const unread: readonly string[] = [];

type Described = { method: string | undefined; uri: string };
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY']);

/** The request that a proxy asks about. */
export class OriginalRequest {
  /** In capitals; undefined: the proxy does not say. */
  readonly method: string | undefined;
  /** As it was sent, without the query. */
  readonly path: string;
  readonly #query: string;
  readonly #headers: IncomingHttpHeaders;
  #segments: readonly string[] | undefined = unread;
  #overrides: readonly string[] | undefined;

  constructor(headers: IncomingHttpHeaders, { method, uri }: Described) {
    const end = uri.search(/[?#]/);
    this.method = method?.toUpperCase() || undefined;
    this.path = end < 0 ? uri : uri.slice(0, end);
    this.#query = end < 0 ? '' : uri.slice(end + 1);
    this.#headers = headers;
  }

  /** The parts of the path, decoded, without the empty ones of its ends; undefined where one of them could be read in two ways. */
  get segments(): readonly string[] | undefined {
    // Each placeholder asks.
    if (this.#segments === unread) this.#segments = segmentsOf(this.path);
    return this.#segments;
  }

  /** Whether an API may take it for a request of another method: a header or the query says so, as some servers believe. */
  get hasMethodOverride(): boolean {
    return this.#overridden().length > 0 || /(?:^|&)(?:_method|x-http-method(?:-override)?)=/i.test(this.#query);
  }

  /** The method, in small letters; undefined: it is not known, or an API may take it for another one. */
  get certainMethod(): string | undefined {
    const { method } = this;
    return this.#overridden().every((other) => other === method) ? method?.toLowerCase() : undefined;
  }

  /** Whether it reads or writes, by its method; undefined where that is not known or an API may see it otherwise. */
  get certainAction(): 'read' | 'write' | undefined {
    const { method } = this;
    if (method === undefined) return undefined;
    const isRead = safeMethods.has(method);
    if (!this.#overridden().every((other) => safeMethods.has(other) === isRead)) return undefined;
    return isRead ? 'read' : 'write';
  }

  #overridden(): readonly string[] {
    this.#overrides ??= Object.entries(this.#headers).flatMap(([name, value]) =>
      value && isOverride(name) ? String(value).toUpperCase() : [],
    );
    return this.#overrides;
  }
}

// The method of the request itself, as proxies say it, and what a browser asks about in a preflight.
const notOverrides = new Set(['x-original-method', 'x-forwarded-method', 'access-control-request-method']);

/** Whether some servers take a header of this name for the method (`X-HTTP-Method-Override` and the like); some read `_` as `-`. */
function isOverride(name: string): boolean {
  return /(?:^|[-_])method(?:[-_]|$)/.test(name) && !notOverrides.has(name);
}

/** The pair of headers in which a proxy describes the request. */
export type DescribedBy = 'x-original' | 'x-forwarded';

/**
 * The original request as the proxy describes it: `X-Original-URI` and `X-Original-Method` (nginx), or `X-Forwarded-Uri` and
 * `X-Forwarded-Method` (Traefik, Caddy, HAProxy). Where the proxy's configuration names the pair, only that one is read. Otherwise
 * either is, and both must agree: proxies pass on what clients send, so that one who sends the other pair is refused instead of
 * believed. A method that no header names stays unknown: a request that changes something must not pass as one that reads.
 *
 * @throws Problem 400: two headers disagree
 */
export function originalRequest(source: HeaderSource, describedBy: DescribedBy | undefined): OriginalRequest {
  const told = (what: 'uri' | 'method') =>
    describedBy === undefined
      ? agreed(source, `x-original-${what}`, `x-forwarded-${what}`)
      : single(source, `${describedBy}-${what}`);
  return new OriginalRequest(source.req.headers, { uri: told('uri') ?? '/', method: told('method') });
}

function agreed(source: HeaderSource, one: string, other: string): string | undefined {
  const [a, b] = [single(source, one), single(source, other)];
  if (a !== undefined && b !== undefined && a !== b) throw ambiguous(`${one} and ${other} disagree.`);
  return a ?? b;
}

function segmentsOf(path: string): readonly string[] | undefined {
  const segments = path.replace(/^\//, '').replace(/\/$/, '').split('/').map(decoded);
  const certain = segments.filter((segment) => segment !== undefined);
  return certain.length === segments.length ? certain : undefined;
}

// Nothing in it to decode, and nothing that is read in two ways.
const plain = /^[\w~-][\w.~-]*$/;

/**
 * `.`, `..` and empty parts are resolved by one server and kept by another, some of which leave out what follows a `;` first
 * (RFC 3986 §3.3); a part may end at a NUL for those written in C.
 */
function decoded(part: string): string | undefined {
  if (plain.test(part)) return part;
  try {
    const text = part.includes('%') ? decodeURIComponent(part) : part;
    return /^\.{0,2}(;|$)/.test(text) || /[/\\\0]/.test(text) ? undefined : text;
  } catch {
    // Not UTF-8: what a server makes of it is its own affair.
    return undefined;
  }
}
