import type { IncomingHttpHeaders } from 'node:http';
import { ambiguous, single } from './credentials.ts';
import type { HeaderSource } from './gateway-request.ts';

const unread: readonly string[] = [];

type Described = { method: string | undefined; uri: string };
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY']);

/** The request that a proxy describes. */
export class OriginalRequest {
  /** In capitals; undefined: the proxy does not send it. */
  readonly method: string | undefined;
  /** Unchanged, without the query. */
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

  /** The parts of the path, decoded, without the empty ones of its ends; undefined if one of them is ambiguous. */
  get segments(): readonly string[] | undefined {
    // Called for each placeholder.
    if (this.#segments === unread) this.#segments = segmentsOf(this.path);
    return this.#segments;
  }

  /** Whether an API may read the request as one with another method: some servers accept it from a header or the query. */
  get hasMethodOverride(): boolean {
    return this.#overridden().length > 0 || /(?:^|&)(?:_method|x-http-method(?:-override)?)=/i.test(this.#query);
  }

  /** The method in lower case; undefined: it is unknown, or an API may read another one. */
  get certainMethod(): string | undefined {
    const { method } = this;
    return this.#overridden().every((other) => other === method) ? method?.toLowerCase() : undefined;
  }

  /** Whether it reads or writes, by its method; undefined if that is unknown or an API may read another one. */
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

// The method of the request itself, as the proxy sends it, and the one that a preflight requests.
const notOverrides = new Set(['x-original-method', 'x-forwarded-method', 'access-control-request-method']);

/** Whether some servers read a header of this name as the method (`X-HTTP-Method-Override` and the like); some read `_` as `-`. */
function isOverride(name: string): boolean {
  return /(?:^|[-_])method(?:[-_]|$)/.test(name) && !notOverrides.has(name);
}

/** The pair of headers in which a proxy describes the request. */
export type DescribedBy = 'x-original' | 'x-forwarded';

/**
 * The original request as the proxy describes it: `X-Original-URI` and `X-Original-Method` (nginx), or `X-Forwarded-Uri` and
 * `X-Forwarded-Method` (Traefik, Caddy, HAProxy). If the proxy's configuration names the pair, only that one is read. Otherwise both are,
 * and they must agree: proxies pass on what clients send, so a client that sends the other pair is refused instead of believed. A method
 * without a header stays unknown: a request that changes something must not pass as one that reads.
 *
 * @throws Problem 400: two headers disagree
 */
export function originalRequest(source: HeaderSource, describedBy: DescribedBy | undefined): OriginalRequest {
  const stated = (what: 'uri' | 'method') =>
    describedBy === undefined
      ? agreed(source, `x-original-${what}`, `x-forwarded-${what}`)
      : single(source, `${describedBy}-${what}`);
  return new OriginalRequest(source.req.headers, { uri: stated('uri') ?? '/', method: stated('method') });
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

// It has nothing to decode, and nothing ambiguous.
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
    // Not UTF-8: servers interpret it differently.
    return undefined;
  }
}
