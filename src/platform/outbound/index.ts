/** Requests that go out to addresses others chose (JWKS URIs): to public addresses only, briefly, without redirects. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isLoopback, isPublicAddress } from './addresses.ts';

export { type DomainRules, isAllowedDomain, parseDomainRules } from './domain-rules.ts';
export { freshSeconds } from './freshness.ts';
export { type Getting, guardedGet, UnexpectedStatus } from './get.ts';
export { guardedPost, type Posting } from './post.ts';

const timeoutMs = 3000;

/**
 * Makes a `fetch` that resolves the name first and refuses addresses that are not public before anything is sent; the library's dispatcher
 * checks the connected address once more, so a name that resolves differently the second time gets nowhere either.
 * `allowLoopback` is for development, where apps run on the same machine.
 *
 * The fetch throws TypeError for a refused address, a redirect or a timeout.
 */
export function guardedFetch({ allowLoopback }: { allowLoopback: boolean }) {
  return async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const { hostname, protocol } = new URL(input instanceof Request ? input.url : input);
    if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError('only http and https addresses are fetched');
    const name = hostname.replace(/^\[|\]$/g, '');
    const addresses = isIP(name) ? [{ address: name }] : await lookup(name, { all: true });
    const isHere = allowLoopback && addresses.every(({ address }) => isLoopback(address));
    if (addresses.length === 0 || (!isHere && !addresses.every(({ address }) => isPublicAddress(address)))) {
      throw new TypeError(`${hostname} is not a public address`);
    }
    // The library's dispatcher refuses every special address.
    const { dispatcher: _, ...withoutDispatcher } = init as RequestInit & { dispatcher?: unknown };
    const options = isHere ? withoutDispatcher : init;
    return fetch(input, { ...options, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
  };
}
