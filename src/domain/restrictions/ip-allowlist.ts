import { z } from 'zod';
import { NetworkSet, parseNetwork } from '../../platform/http/index.ts';
import { type Refusal, restriction } from './restriction.ts';

const networksIn = (written: readonly string[]) => written.map(parseNetwork).filter((network) => network !== undefined);
const isNetwork = (text: string) => parseNetwork(text) !== undefined;

/** From which addresses a key may be used. */
export const ipAllowlist = restriction({
  schema: z
    .array(
      z
        .string()
        .max(64)
        .refine(
          isNetwork,
          'must be an IPv4 or IPv6 address, or a network such as 10.0.0.0/8 or 2001:db8::/32, without port, brackets or zone',
        ),
    )
    .min(1)
    .max(100)
    .meta({ description: 'addresses and networks it may be used from', examples: [['10.0.1.50', '2001:db8::/32']] }),
  compile: (written) => {
    const networks = new NetworkSet(networksIn(written));
    return { check: ({ ip }) => (ip !== undefined && networks.has(ip) ? undefined : refusal(ip, written)) };
  },
  contains: (written, other) => {
    const networks = new NetworkSet(networksIn(written));
    return networksIn(other).every((network) => networks.covers(network));
  },
  explain: (written) => `only from ${written.join(', ')}`,
});

function refusal(ip: string | undefined, written: readonly string[]): Refusal {
  const from = ip === undefined ? 'The request does not say from which address it comes' : `It comes from ${ip}`;
  return { code: 'ip_not_allowed', reason: `${from}; the key may be used from ${written.join(', ')} only.` };
}
