import ipaddr from 'ipaddr.js';
import { parseAddress } from '../http/index.ts';

// IANA has assigned nothing else (RFC 4291 §2.4): `::/96` and future ranges are not public until they are assigned.
const globalUnicast = ipaddr.IPv6.parse('2000::');
const globalUnicastBits = 3;

/**
 * Whether an address is a globally reachable unicast one (IANA special-purpose registries, RFC 6890). Addresses with an IPv4 address
 * inside (6to4, Teredo, NAT64) are not: the one inside may be private. An IPv4-mapped address is treated as the IPv4 address.
 */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text);
  if (address?.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast, globalUnicastBits);
}

/** Whether an address is this machine's own. */
export function isLoopback(text: string): boolean {
  return parseAddress(text)?.range() === 'loopback';
}
