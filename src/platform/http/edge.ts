import type { IncomingMessage } from 'node:http';
import { canonicalAddress, NetworkSet, namedAddress, parseNetwork } from './addresses.ts';

/** Which proxies in front are trusted: none, all, as many as are in front, or those with an address in one of the networks. */
export type ProxyTrust = 'none' | 'all' | { hops: number } | { networks: NetworkSet };

/** How the edge finds out where requests come from. */
export type EdgeRules = {
  trust: ProxyTrust;
  /** The one header that is read for the client's address; the other one is removed. */
  addressHeader: 'x-forwarded-for' | 'forwarded';
  /** Other headers, in lower case, that count from a trusted proxy only, such as the one with a client certificate. */
  proxyHeaders: readonly string[];
};

/** The client's address where a trusted proxy says that it does not know it. */
const unknownAddress = 'unknown';

/**
 * Which proxies a setting trusts: `off`, `on`, a number of proxies, or addresses and networks separated by commas.
 *
 * @returns undefined for anything else
 */
export function parseProxyTrust(text: string): ProxyTrust | undefined {
  if (text === 'off') return 'none';
  if (text === 'on') return 'all';
  if (/^[1-9]\d?$/.test(text)) return { hops: Number(text) };
  const networks = text.split(',').map((part) => parseNetwork(part.trim()));
  const valid = networks.filter((network) => network !== undefined);
  return valid.length === networks.length ? { networks: new NetworkSet(valid) } : undefined;
}

/**
 * The address a request comes from, in its one spelling; `unknown` where a trusted proxy names none that can be read, so that
 * it is never taken for the proxy's own. Removes the headers about proxies that are not to be read: all of them unless the
 * sender is a trusted proxy, and always the header about addresses that is not the configured one.
 */
export function clientAddress(
  rules: EdgeRules,
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
): string {
  const peer = peerAddress(socket.remoteAddress);
  if (!isTrusted(rules.trust, peer)) {
    for (const name of allProxyHeaders) remove(headers, name);
    for (const name of rules.proxyHeaders) remove(headers, name);
    return peer;
  }
  remove(headers, rules.addressHeader === 'forwarded' ? 'x-forwarded-for' : 'forwarded');
  const { [rules.addressHeader]: named } = headers;
  if (typeof named !== 'string') return peer;
  const chain = rules.addressHeader === 'forwarded' ? forwardedFor(named) : named.split(',');
  return chosen(rules.trust, chain) ?? unknownAddress;
}

const allProxyHeaders = ['x-forwarded-for', 'forwarded', 'x-forwarded-host', 'x-forwarded-proto'] as const;

function remove(headers: IncomingMessage['headers'], name: string): void {
  // Most requests have none, and an object from which something is deleted is slow from then on.
  if (headers[name] !== undefined) delete headers[name];
}

/** This machine names the zone of a link-local peer, and knows it: it is no part of the address. */
function peerAddress(remote = ''): string {
  const end = remote.indexOf('%');
  return canonicalAddress(end < 0 ? remote : remote.slice(0, end)) ?? unknownAddress;
}

function isTrusted(trust: ProxyTrust, peer: string): boolean {
  if (trust === 'none') return false;
  return typeof trust === 'string' || 'hops' in trust || trust.networks.has(peer);
}

/** Of the addresses that proxies named, the nearest last: the one that the trusted ones vouch for. */
function chosen(trust: ProxyTrust, chain: readonly string[]): string | undefined {
  if (trust === 'all' || trust === 'none') return namedAddress((chain[0] ?? '').trim());
  if ('hops' in trust) return namedAddress((chain.at(-trust.hops) ?? chain[0] ?? '').trim());
  // What stands before the first address that is no trusted proxy's, its sender may have made up.
  let address: string | undefined;
  for (let n = chain.length - 1; n >= 0; n -= 1) {
    address = namedAddress((chain[n] ?? '').trim());
    if (address === undefined || !trust.networks.has(address)) return address;
  }
  return address;
}

// Of one element of a `Forwarded` header (RFC 7239 §4).
const forPair = /(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^\s";]*))\s*(?=;|$)/i;

/**
 * What the elements of a `Forwarded` header say in `for`, in their order. A comma ends an element even within quotes: a client
 * could otherwise open a quoted string that swallows what the proxies append, and nothing that names an address has a comma.
 */
function forwardedFor(header: string): string[] {
  return header.split(',').map((element) => {
    const [, quoted, plain = ''] = forPair.exec(element) ?? [];
    return quoted ?? plain;
  });
}
