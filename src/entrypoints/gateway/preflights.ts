import { single } from './credentials.ts';
import type { HeaderSource } from './gateway-request.ts';
import type { OriginalRequest } from './original-request.ts';

const token = /^[!#$%&'*+.^_`|~\w-]+$/;

/** A browser sends no credentials with a preflight (Fetch Standard §4.8). */
const credentials = ['authorization', 'cookie', 'x-api-key'];

/**
 * Whether the request is a CORS preflight of a browser (Fetch Standard §3.3.3): the proxy says that its method is OPTIONS, it has `Origin`
 * and `Access-Control-Request-Method`, and nothing that browsers never send with one.
 *
 * @throws Problem 400: a header is repeated
 */
export function isPreflight(source: HeaderSource, { method, hasMethodOverride }: OriginalRequest): boolean {
  const origin = single(source, 'origin') ?? '';
  const requested = single(source, 'access-control-request-method') ?? '';
  const { headers } = source.req;
  const isAnonymous = credentials.every((name) => !headers[name]);
  return method === 'OPTIONS' && origin !== '' && token.test(requested) && isAnonymous && !hasMethodOverride;
}
