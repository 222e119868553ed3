import { z } from 'zod';
import { NetworkSet, parseNetwork } from '../../platform/http/index.ts';
import { listForm, restriction } from './restriction.ts';

const networksIn = (written: readonly string[]) => written.map(parseNetwork).filter((network) => network !== undefined);
const isNetwork = (text: string) => parseNetwork(text) !== undefined;

/** The addresses from which a key may be used. */
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
  refusal: { code: 'ip_not_allowed', status: 403 },
  form: listForm(
    {
      name: 'ip_allowlist',
      label: { en: 'Allowed networks', de: 'Erlaubte Netze' },
      hint: {
        en: 'One address or network per line, such as 10.0.1.50 or 2001:db8::/32. Empty: any network.',
        de: 'Eine Adresse oder ein Netz pro Zeile, wie 10.0.1.50 oder 2001:db8::/32. Leer: jedes Netz.',
      },
      refused: { de: 'Geben Sie pro Zeile eine IP-Adresse oder ein Netz ein, wie 10.0.0.0/8.' },
      input: 'lines',
    },
    {
      position: 1,
      summary: {
        label: { en: 'From', de: 'Von' },
        none: { en: 'Any network', de: 'Jedes Netz' },
        say: (written) => written,
      },
    },
  ),
  compile: (written) => {
    const networks = new NetworkSet(networksIn(written));
    return { check: ({ ip }) => (ip !== undefined && networks.has(ip) ? undefined : reasonFor(ip, written)) };
  },
  contains: (written, other) => {
    const networks = new NetworkSet(networksIn(written));
    return networksIn(other).every((network) => networks.covers(network));
  },
  explain: {
    en: (written) => `only from ${written.join(', ')}`,
    de: (written) => `nur von ${written.join(', ')}`,
  },
});

function reasonFor(ip: string | undefined, written: readonly string[]): string {
  const from =
    ip === undefined ? 'The request does not say from which address it comes' : `The request comes from ${ip}`;
  return `${from}; the key may be used from ${written.join(', ')} only.`;
}
