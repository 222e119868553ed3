import type { IncomingMessage } from 'node:http';
import { canonicalAddress, NetworkSet, nodeAddress, parseNetwork, unknownAddress } from './addresses.ts';
import { Problem } from './problems.ts';

/** Which proxies in front are trusted: none, all, as many as are in front, or those with an address in one of the networks. */
export type ProxyTrust = 'none' | 'all' | { hops: number } | { networks: NetworkSet };

/** How the edge determines where requests come from. */
export type EdgeRules = {
  trust: ProxyTrust;
  /** The one header that is read for the client's address; the others are removed. */
  addressHeader: 'x-forwarded-for' | 'forwarded';
  /** Other headers, in lower case, that are accepted from a trusted proxy only, such as the one with a client certificate. */
  proxyHeaders: readonly string[];
};

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
 * The address a request comes from, in its one spelling; `unknown` if a trusted proxy does not name it, so that it is never taken for the
 * proxy's own. Removes the forwarding headers that must not be read: all of them unless the sender is a trusted proxy, and always the
 * address header that is not the configured one.
 *
 * @returns undefined: the header of the trusted proxies has another syntax than RFC 7239 §4 and §6, so that no one can tell who wrote which
 *   part of it; the request is to be refused (`malformedChain`)
 */
export function clientAddress(
  rules: EdgeRules,
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
): string | undefined {
  const peer = peerAddress(socket.remoteAddress);
  if (!isTrusted(rules.trust, peer)) {
    for (const name of allProxyHeaders) remove(headers, name);
    for (const name of rules.proxyHeaders) remove(headers, name);
    return peer;
  }
  const isForwarded = rules.addressHeader === 'forwarded';
  remove(headers, isForwarded ? 'x-forwarded-for' : 'forwarded');
  const { [rules.addressHeader]: named } = headers;
  if (typeof named !== 'string') return peer;
  // A comma ends an element even within quotes: a client could otherwise open a quoted string that swallows what the proxies
  // append, and nothing that names an address has a comma.
  return addressIn(rules.trust, named.split(','), isForwarded ? nodeInElement : nodeInList);
}

/** The refusal of a request whose trusted proxies send something other than a list of addresses. */
export function malformedChain({ addressHeader }: EdgeRules): Problem {
  const header = addressHeader === 'forwarded' ? 'Forwarded' : 'X-Forwarded-For';
  const detail = `${header} is malformed: each trusted proxy must name one IP address, with a port up to 65535 or none.`;
  return new Problem(400, 'invalid_request', { title: 'Invalid request', detail });
}

const allProxyHeaders = ['x-forwarded-for', 'forwarded', 'x-forwarded-host', 'x-forwarded-proto'] as const;

function remove(headers: IncomingMessage['headers'], name: string): void {
  // Most requests have none, and an object is slower after the deletion of a member.
  if (headers[name] !== undefined) delete headers[name];
}

/** This machine adds the zone of a link-local peer: it is not part of the address. */
function peerAddress(remote = ''): string {
  const end = remote.indexOf('%');
  return canonicalAddress(end < 0 ? remote : remote.slice(0, end)) ?? unknownAddress;
}

function isTrusted(trust: ProxyTrust, peer: string): boolean {
  if (trust === 'none') return false;
  return typeof trust === 'string' || 'hops' in trust || trust.networks.has(peer);
}

type ReadNode = (element: string) => string | undefined;

/**
 * The address that the trusted proxies vouch for, of those that they named, the nearest last. Everything before it may be made up by its
 * sender and is ignored.
 */
function addressIn(trust: ProxyTrust, chain: readonly string[], read: ReadNode): string | undefined {
  let address: string | undefined;
  for (let hops = 1; hops <= chain.length; hops += 1) {
    address = read(chain[chain.length - hops] ?? '');
    if (address === undefined || isClient(trust, address, hops)) return address;
  }
  return address;
}

/** Whether no trusted proxy vouches for what precedes this address. */
function isClient(trust: ProxyTrust, address: string, hops: number): boolean {
  if (typeof trust === 'string') return false;
  return 'hops' in trust ? hops === trust.hops : !trust.networks.has(address);
}

const nodeInList = (element: string) => nodeAddress(element.trim());

// RFC 7239 §4; colons and brackets are accepted outside of quotes, too, as some proxies write them.
const pair = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:"([^"\\]*)"|([^\s"\\;]+))[ \t]*(?:;|$)/y;

/** The value of `for` in an element of a `Forwarded` header; it names each parameter once (RFC 7239 §4). */
function nodeInElement(element: string): string | undefined {
  const parameters = new Map<string, string>();
  pair.lastIndex = 0;
  while (pair.lastIndex < element.length) {
    const match = pair.exec(element);
    if (!match) return undefined;
    const [, name = '', quoted, plain = ''] = match;
    if (parameters.has(name.toLowerCase())) return undefined;
    parameters.set(name.toLowerCase(), quoted ?? plain);
  }
  if (parameters.size === 0) return undefined;
  return nodeAddress(parameters.get('for') ?? unknownAddress);
}
