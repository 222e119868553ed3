import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A network of addresses: one IPv4 or IPv6 prefix. */
export type Network = readonly [address: Address, bits: number];

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether the host name of an address, as `URL` writes it, is one of the three by which this machine is usually named (RFC 8252 §7.3). */
export function isLoopbackName(hostname: string): boolean {
  return loopbackNames.has(hostname);
}

/** Whether credentials may be sent to an address: only over https or to this machine, where no one can read them. */
export function isSafeForCredentials({ protocol, hostname }: Pick<URL, 'protocol' | 'hostname'>): boolean {
  return protocol === 'https:' || isLoopbackName(hostname);
}

const longestAddress = 45;
const mappedBits = 96;
const parsedAddresses = new LRUCache<string, string>({ max: 1000 });

/**
 * The one spelling of an IP address: IPv4 in four decimal parts, IPv6 as RFC 5952 writes it, an IPv4-mapped address
 * (`::ffff:10.1.1.1`) as the IPv4 address. `::10.1.1.1` stays IPv6: it is another address than 10.1.1.1.
 *
 * @returns undefined for anything else, such as a port, brackets, leading zeros or a zone (`fe80::1%eth0`), which has a
 *   meaning on one machine only (RFC 4007 §11.2)
 */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (text.length > longestAddress || !text.includes(':')) return undefined;
  const known = parsedAddresses.get(text);
  if (known !== undefined) return known;
  const address = parseIPv6(text)?.toString();
  if (address !== undefined) parsedAddresses.set(text, address);
  return address;
}

/** The address of a client where a proxy does not know or state it. */
export const unknownAddress = 'unknown';

const mostPort = 65_535;
const namedNode = /^(?:\[([^\]]*)\]|([\d.]+)|(?:unknown|_[\w.-]+))(?::(?:(\d{1,5})|_[\w.-]+))?$/i;

/**
 * The address of a node that a proxy names in a header, without port and brackets: `203.0.113.7:50123`, `[2001:db8::5]`,
 * `[2001:db8::5]:443`, or a plain address; `unknownAddress` for `unknown` and for an obfuscated name (RFC 7239 §6).
 *
 * @returns undefined for anything else, such as a name, or a port above 65535
 */
export function nodeAddress(text: string): string | undefined {
  const plain = canonicalAddress(text);
  if (plain !== undefined || text.length > 2 * longestAddress) return plain;
  const match = namedNode.exec(text);
  if (!match) return undefined;
  const [, bracketed, dotted, port] = match;
  if (port !== undefined && Number(port) > mostPort) return undefined;
  // Brackets are for IPv6 only (RFC 3986 §3.2.2).
  if (bracketed !== undefined) return isIPv4(bracketed) ? undefined : canonicalAddress(bracketed);
  return dotted === undefined ? unknownAddress : canonicalAddress(dotted);
}

/** A network such as `10.0.0.0/8` or `2001:db8::/32`, or a single address; undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const [written = '', prefix, ...more] = text.split('/');
  const address = parseAddress(written);
  if (!address || more.length > 0) return undefined;
  const most = address.kind() === 'ipv4' ? 32 : 128;
  if (prefix === undefined) return [address, most];
  if (!/^(?:0|[1-9]\d{0,2})$/.test(prefix)) return undefined;
  // An IPv4 network that is written as IPv6 (`::ffff:10.0.0.0/104`).
  const bits = Number(prefix) - (address.kind() === 'ipv4' && written.includes(':') ? mappedBits : 0);
  return bits >= 0 && bits <= most ? [address, bits] : undefined;
}

// The same few addresses are used repeatedly.
const remembered = 64;

/** Networks that many addresses are compared with. */
export class NetworkSet {
  readonly #networks: readonly Network[];
  readonly #known = new LRUCache<string, boolean>({ max: remembered });

  constructor(networks: readonly Network[]) {
    this.#networks = networks;
  }

  /** Whether an address is within one of the networks; false for an invalid address. A new one is compared with each network once. */
  has(text: string): boolean {
    const before = this.#known.get(text);
    if (before !== undefined) return before;
    const address = text.length > longestAddress ? undefined : parseAddress(text);
    const answer = address !== undefined && this.#networks.some((network) => contains(network, address));
    if (text.length <= longestAddress) this.#known.set(text, answer);
    return answer;
  }

  /** Whether a network lies within a single one of the networks. */
  covers([address, bits]: Network): boolean {
    return this.#networks.some((network) => network[1] <= bits && contains(network, address));
  }
}

/** A group of addresses that are counted as one, and how many times the bound of a single address it may use up. */
export type AddressGroup = { name: string; times: number };

// The smallest network of a customer is a /64, common ones are /56 and /48 (RFC 6177): the customer has all addresses in it. The bounds
// grow more slowly than the networks, and faster than one customer of a provider could use up.
const prefixes = [
  { bits: 64, times: 1 },
  { bits: 56, times: 4 },
  { bits: 48, times: 8 },
];

// RFC 6052: IPv4 clients as they reach a server that has IPv6 only.
const translated = ipaddr.IPv6.parse('64:ff9b::');

/**
 * The groups by which an address is counted, the smallest first: an IPv4 address by itself, an IPv6 address by its /64, /56 and /48. An
 * invalid address is a group of its own.
 */
export function addressGroups(text: string): readonly AddressGroup[] {
  const address = text.includes(':') ? parseAddress(text) : undefined;
  if (!(address instanceof ipaddr.IPv6)) return [{ name: address?.toString() ?? text, times: 1 }];
  if (address.match(translated, mappedBits)) return [{ name: address.toString(), times: 1 }];
  const bytes = address.toByteArray();
  return prefixes.map(({ bits, times }) => {
    const kept = bytes.map((byte, n) => (n < bits / 8 ? byte : 0));
    return { name: `${ipaddr.fromByteArray(kept)}/${bits}`, times };
  });
}

/** An address, an IPv4-mapped one as the IPv4 address; undefined for anything else, an address with a zone included. */
export function parseAddress(text: string): Address | undefined {
  return isIPv4(text) ? ipaddr.IPv4.parse(text) : parseIPv6(text);
}

const dottedEnd = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/;

/** Node decides what is an address; ipaddr.js accepts more, and takes `::10.1.1.1` for an IPv4-mapped address. */
function parseIPv6(text: string): Address | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const inHex = text.replace(dottedEnd, (_, ...parts) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const address = ipaddr.IPv6.parse(inHex);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function contains([network, bits]: Network, address: Address): boolean {
  if (address instanceof ipaddr.IPv4 && network instanceof ipaddr.IPv4) return address.match(network, bits);
  return address instanceof ipaddr.IPv6 && network instanceof ipaddr.IPv6 && address.match(network, bits);
}
