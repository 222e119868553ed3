import type { IncomingHttpHeaders } from 'node:http';

/** By what a server recognizes an answer that it gave earlier (RFC 9110 §8.8), as it said it. */
export type Validators = { etag?: string; last_modified?: string };

// RFC 9110 §8.8.3, without the bytes that no text has. Longer ones are not kept.
const entityTag = /^(?:W\/)?"[\x21\x23-\x7e]{0,200}"$/;
/** Every form of RFC 9110 §5.6.7. */
const httpDate = /^[A-Za-z0-9 ,:-]{20,40}$/;

/** By what a server recognizes this answer; whatever cannot be sent back is left out. */
export function validatorsOf(headers: IncomingHttpHeaders): Validators {
  const { etag, 'last-modified': last_modified } = headers;
  return {
    ...(etag !== undefined && entityTag.test(etag) && { etag }),
    ...(last_modified !== undefined && isDate(last_modified) && { last_modified }),
  };
}

function isDate(text: string): boolean {
  return httpDate.test(text) && !Number.isNaN(Date.parse(text));
}

/** The headers that ask whether an answer is still the one with these validators; both, because servers may know only one (RFC 9110 §13.1.3). */
export function conditionsOf({ etag, last_modified }: Validators): Record<string, string> {
  return {
    ...(etag !== undefined && { 'if-none-match': etag }),
    ...(last_modified !== undefined && { 'if-modified-since': last_modified }),
  };
}

/** Whether "not modified" is said of another answer than the one that was asked about (RFC 9111 §4.3.4). */
export function isOtherAnswer({ etag }: IncomingHttpHeaders, known: Validators): boolean {
  return etag !== undefined && known.etag !== undefined && opaque(etag) !== opaque(known.etag);
}

// If-None-Match compares weakly (RFC 9110 §8.8.3.2).
const opaque = (tag: string) => tag.replace(/^W\//, '');
