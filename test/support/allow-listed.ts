import { generateCredential } from '../../src/platform/crypto/index.ts';
import { type AdminApi, asOwner } from './admin.ts';
import { Gateway } from './gateway.ts';
import type { Latchkey } from './latchkey.ts';

/** A well-formed key that does not exist. */
export const unknownKey = () => generateCredential('sk_dev_');

/** The status that a proxy gets for a key. */
export async function statusFrom(gateway: Gateway, key: string, headers: Record<string, string>): Promise<number> {
  return (await gateway.forwardAuth('', { 'x-api-key': key, ...headers })).status;
}

/** Verifies keys that may be used from one network only. */
export function allowListed(latchkey: Latchkey) {
  const opened = { owner: undefined as AdminApi | undefined, gateway: undefined as Gateway | undefined };
  const keys = new Map<string, string>();
  beforeAll(async () => {
    opened.owner = await asOwner(latchkey);
    opened.gateway = await Gateway.open(latchkey, opened.owner);
  });
  const gateway = () => {
    if (!opened.gateway) throw new Error('not opened');
    return opened.gateway;
  };
  return {
    gateway,
    owner: () => {
      if (!opened.owner) throw new Error('not opened');
      return opened.owner;
    },
    /** Whether a key of this network works in a request with these headers. */
    works: async (network: string, headers: Record<string, string>) => {
      const key = keys.get(network) ?? (await gateway().mint({ restrictions: { ip_allowlist: [network] } })).key;
      keys.set(network, key);
      return (await statusFrom(gateway(), key, headers)) === 200;
    },
  };
}
