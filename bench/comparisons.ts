import { availableParallelism } from 'node:os';
import { usualConnections } from './installation.ts';
import type { ServerName } from './servers.ts';

/** Servers that are measured in turn with one operation. */
export type Comparison = {
  name: string;
  operation: string;
  servers: readonly ServerName[];
  connections: number;
  /** Whether the processes of the server share one core, and PostgreSQL and the load another one. */
  isPinned?: boolean;
};

/**
 * Whether two workers, PostgreSQL and the load can each have a core. On a smaller machine two workers are compared with one by the CPU time of
 * a request, on one core that both workers share: if all processes ran on both cores, each would evict the caches of the others.
 */
export const hasCoreForEach = availableParallelism() >= 4;

const providers = ['Latchkey', 'straightforward', 'in memory'] as const;
const workers = ['Latchkey', 'two workers'] as const;
const amounts = ['Latchkey', 'tokens stored'] as const;
const audits = ['Latchkey', 'without audit'] as const;
const gateways = ['Latchkey', 'keys stored', 'empty Koa route'] as const;
const secrets = ['Latchkey', 'straightforward store', 'empty Koa route'] as const;
const sizes = ['Latchkey', 'secrets stored'] as const;
const passwords = ['Latchkey', 'hash alone'] as const;

const of = (operation: string, servers: readonly ServerName[], before = ''): Comparison => ({
  name: `${before}${operation}`,
  operation,
  servers,
  connections: usualConnections,
});

/** With one, with a few, and with many more concurrent requests than usual. */
const atOtherConnections = (operation: string, servers: readonly ServerName[]): Comparison[] =>
  otherConnections.map((connections) => ({
    ...of(operation, servers),
    name: nameAt(operation, connections),
    connections,
  }));
const otherConnections = [1, 8, 128];

/** The name of an operation in reports. */
export const nameAt = (operation: string, connections: number): string =>
  connections === usualConnections ? operation : `${operation}, ${connections} at once`;

const comparisons: readonly Comparison[] = [
  of('client_credentials opaque', providers),
  of('client_credentials jwt', providers),
  of('refresh', providers),
  of('refresh RS256', providers),
  of('refresh during sign-ins', ['Latchkey']),
  of('refresh RS256 during sign-ins', ['Latchkey']),
  of('introspection', providers),
  ...['client_credentials opaque', 'client_credentials jwt', 'refresh', 'introspection'].flatMap((operation) =>
    atOtherConnections(operation, providers),
  ),
  of('code flow', providers),
  of('login', passwords),
  of('whole sign-in', passwords),
  of('discovery', providers),
  of('jwks', providers),
  of('client_credentials opaque', audits, 'audit, '),
  of('refresh', audits, 'audit, '),
  ...['client_credentials jwt', 'refresh', 'introspection'].map((operation) => ({
    ...of(operation, workers, 'two workers, '),
    isPinned: !hasCoreForEach,
  })),
  of('refresh', amounts, 'stored tokens, '),
  of('introspection', amounts, 'stored tokens, '),
  of('refresh of random users', amounts, 'stored tokens, '),
  of('introspection of random users', amounts, 'stored tokens, '),
  of('forward-auth', gateways),
  of('verify', [...gateways, 'better-auth']),
  of('forward-auth, never met', ['keys stored']),
  ...['secret read', 'secret read, one for all'].flatMap((operation) => [
    of(operation, secrets),
    ...atOtherConnections(operation, secrets),
  ]),
  of('secret read', sizes, 'stored secrets, '),
  of('secret read of random secrets', sizes, 'stored secrets, '),
  of('client_credentials opaque', sizes, 'stored secrets, '),
  of('refresh', sizes, 'stored secrets, '),
  of('decision', ['decision alone']),
];

/** All comparisons; with another checkout of Latchkey, only those with Latchkey, between these two. */
export function comparisonsWith(hasBefore: boolean): readonly Comparison[] {
  if (!hasBefore) return comparisons;
  const ofLatchkey = comparisons.filter(
    ({ name, operation, servers, connections }) => name === nameAt(operation, connections) && servers[0] === 'Latchkey',
  );
  return ofLatchkey.map((comparison) => ({ ...comparison, servers: ['Latchkey', 'before'] }));
}
