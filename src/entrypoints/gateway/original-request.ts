import { ambiguous, single } from './credentials.ts';
import type { Inquiry } from './inquiry.ts';

const unread: readonly string[] = [];

/** The request that a proxy asks about. */
export class OriginalRequest {
  /** In capitals; undefined: the proxy does not say. */
  readonly method: string | undefined;
  /** As it was sent, without the query. */
  readonly path: string;
  #segments: readonly string[] | undefined = unread;

  constructor(method: string | undefined, uri: string) {
    const end = uri.search(/[?#]/);
    this.method = method?.toUpperCase() || undefined;
    this.path = end < 0 ? uri : uri.slice(0, end);
  }

  /** The parts of the path, decoded, without the empty ones of its ends; undefined where one of them could be read in two ways. */
  get segments(): readonly string[] | undefined {
    // Each placeholder asks.
    if (this.#segments === unread) this.#segments = segmentsOf(this.path);
    return this.#segments;
  }
}

/**
 * The original request as the proxy describes it: `X-Original-URI` and `X-Original-Method` (nginx), or `X-Forwarded-Uri` and
 * `X-Forwarded-Method` (Traefik, Caddy, HAProxy). Proxies pass on what clients send, so that one who sends the other pair is
 * refused instead of believed. A method that no header names stays unknown: a request that changes something must not pass as one
 * that reads.
 *
 * @throws Problem 400: two headers disagree
 */
export function originalRequest(inquiry: Inquiry): OriginalRequest {
  const uri = agreed(inquiry, 'x-original-uri', 'x-forwarded-uri') ?? '/';
  const method = agreed(inquiry, 'x-original-method', 'x-forwarded-method');
  return new OriginalRequest(method, uri);
}

function agreed(inquiry: Inquiry, one: string, other: string): string | undefined {
  const [a, b] = [single(inquiry, one), single(inquiry, other)];
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
