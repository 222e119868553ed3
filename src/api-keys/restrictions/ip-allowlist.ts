import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { type Refusal, restriction } from './restriction.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

// A key is used from few addresses, again and again.
const remembered = 64;
const mappedBits = 96;

/** A network of one address or of a prefix; an IPv4 one that is written as IPv6 (`::ffff:10.0.0.0/104`) is the IPv4 one. */
function parseNetwork(text: string): Network | undefined {
  if (text.includes('/')) {
    if (!ipaddr.isValidCIDR(text)) return undefined;
    const [address, bits] = ipaddr.parseCIDR(text);
    if (!(address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress())) return [address, bits];
    return bits < mappedBits ? undefined : [address.toIPv4Address(), bits - mappedBits];
  }
  const address = parseAddress(text);
  return address && [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** Only four decimal parts count as IPv4: others read `010.0.0.1` and `10.1` each in their own way. */
function parseAddress(text: string): Address | undefined {
  const isClear = ipaddr.IPv4.isValidFourPartDecimal(text) || (text.includes(':') && ipaddr.IPv6.isValid(text));
  return isClear ? ipaddr.process(text) : undefined;
}

const isClearNetwork = (text: string) => {
  const [address = ''] = text.split('/');
  return parseAddress(address) !== undefined && parseNetwork(text) !== undefined;
};

/** From which addresses a key may be used. */
export const ipAllowlist = restriction({
  schema: z
    .array(
      z
        .string()
        .max(64)
        .refine(isClearNetwork, 'must be an IPv4 or IPv6 address, or a network such as 10.0.0.0/8 or 2001:db8::/32'),
    )
    .min(1)
    .max(100)
    .meta({ description: 'addresses and networks it may be used from', examples: [['10.0.1.50', '2001:db8::/32']] }),
  compile: (written) => {
    const networks = written.map(parseNetwork).filter((network) => network !== undefined);
    const known = new LRUCache<string, boolean>({ max: remembered });
    const isInside = (ip: string): boolean => {
      const before = known.get(ip);
      if (before !== undefined) return before;
      const address = parseAddress(ip);
      const answer = address !== undefined && networks.some((network) => isWithin(address, network));
      if (ip.length <= remembered) known.set(ip, answer);
      return answer;
    };
    return { check: ({ ip }) => (ip !== undefined && isInside(ip) ? undefined : refusal(ip, written)) };
  },
  explain: (written) => `only from ${written.join(', ')}`,
});

function isWithin(address: Address, [network, bits]: Network): boolean {
  if (address instanceof ipaddr.IPv4 && network instanceof ipaddr.IPv4) return address.match(network, bits);
  return address instanceof ipaddr.IPv6 && network instanceof ipaddr.IPv6 && address.match(network, bits);
}

function refusal(ip: string | undefined, written: readonly string[]): Refusal {
  const from = ip === undefined ? 'The request does not say from which address it comes' : `It comes from ${ip}`;
  return { code: 'ip_not_allowed', reason: `${from}; the key may be used from ${written.join(', ')} only.` };
}
