import { looksLikeKey } from '../api-keys/index.ts';
import { Problem, timesSent } from '../platform/http/index.ts';
import type { Inquiry } from './inquiry.ts';

/** What came in place of a name and password. */
export type Credential = { key: string } | { token: string; scheme: 'bearer' | 'dpop' };

/**
 * The credential of a request, from `X-API-Key` or `Authorization`; undefined: none came.
 *
 * @throws Problem 400: several came, of which two parties on the way could each believe another one
 */
export function credentialOf(inquiry: Inquiry): Credential | undefined {
  const key = single(inquiry, 'x-api-key');
  const authorization = single(inquiry, 'authorization');
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
export function single({ req: { headers, rawHeaders } }: Inquiry, name: string): string | undefined {
  // What proxies say is taken out of `headers` where they are not believed.
  const value = headers[name];
  if (value === undefined) return undefined;
  if (timesSent(rawHeaders, name) > 1) throw ambiguous(`Send one ${name} header.`);
  return String(value);
}

/** Two things that should be one. */
export function ambiguous(detail: string): Problem {
  return new Problem(400, 'invalid_request', { title: 'Invalid request', detail });
}
