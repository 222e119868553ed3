import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

export type Resolved = { address: string; family: number };

export type LookUpBounds = {
  timeoutMs: number;
  /** The name servers; undefined: those of this machine. */
  nameServers?: readonly string[] | undefined;
};

const tries = 2;

/** Names of this machine (RFC 6761 §6.3): no server is asked for them. */
const loopback: readonly Resolved[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

/**
 * The addresses of a host, from the configured name servers. Nothing continues after the timeout: `getaddrinfo` would wait as long as the
 * name servers of others are slow, and occupy one of the few threads that also read files and hash passwords.
 *
 * @throws Error: the name has no address, or none was found in time
 */
export async function lookUp(hostname: string, { timeoutMs, nameServers }: LookUpBounds): Promise<readonly Resolved[]> {
  const name = hostname.replace(/\.$/, '');
  const family = isIP(name);
  if (family !== 0) return [{ address: name, family }];
  if (name === 'localhost' || name.endsWith('.localhost')) return loopback;
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / tries), tries });
  if (nameServers) resolver.setServers(nameServers);
  const timer = setTimeout(() => resolver.cancel(), timeoutMs);
  try {
    const asked = [asking(resolver.resolve4(name), 4), asking(resolver.resolve6(name), 6)];
    const answers = await Promise.allSettled(asked);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    throw answers.find((answer) => answer.status === 'rejected')?.reason ?? new Error(`${hostname} has no address`);
  } finally {
    clearTimeout(timer);
  }
}

async function asking(answer: Promise<string[]>, family: number): Promise<Resolved[]> {
  return (await answer).map((address) => ({ address, family }));
}
