/** Requests that go out to addresses others chose (JWKS URIs): to public addresses only, briefly, without redirects. */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

const timeoutMs = 3000;

const special = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  special.addSubnet(net, bits, 'ipv4');
}
for (const [net, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  special.addSubnet(net, bits, 'ipv6');
}

/** Whether an address is not a public unicast one (IANA special-purpose registries). */
function isSpecialAddress(address: string): boolean {
  const family = isIP(address);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return special.check(mapped, 'ipv4');
  return family === 0 || special.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * Makes a `fetch` that resolves the name first and refuses special addresses before anything is sent; the library's dispatcher
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
    if (addresses.length === 0 || (!isHere && addresses.some(({ address }) => isSpecialAddress(address)))) {
      throw new TypeError(`${hostname} is not a public address`);
    }
    // The library's dispatcher refuses every special address.
    const { dispatcher: _, ...withoutDispatcher } = init as RequestInit & { dispatcher?: unknown };
    const options = isHere ? withoutDispatcher : init;
    return fetch(input, { ...options, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
  };
}
