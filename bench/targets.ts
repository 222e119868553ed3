import { hasCoreForEach, nameAt } from './comparisons.ts';
import type { Figures, Measured } from './measure.ts';
import type { ServerName } from './servers.ts';

type Target = {
  operation: string;
  what: 'requests/s' | 'CPU' | 'server CPU' | 'server capacity' | 'p50' | 'p99';
  /** The measured server; default: Latchkey. */
  of?: ServerName;
  against: ServerName;
  atLeast?: number;
  atMost?: number;
};

/** A figure of one server divided by that of another, and whether it meets its target. */
export type Ratio = { operation: string; name: string; ratio: number; bound: string; isMet: boolean };

const target = (
  operation: string,
  what: Target['what'],
  against: ServerName,
  bound: Pick<Target, 'atLeast' | 'atMost'>,
) => ({
  ...{ operation, what, against },
  ...bound,
});

/** By the number of concurrent requests. */
const atConnections = (
  operation: string,
  what: Target['what'],
  { against, ...bounds }: { against: ServerName; atLeast?: Record<number, number>; atMost?: Record<number, number> },
): Target[] =>
  (['atLeast', 'atMost'] as const).flatMap((bound) =>
    Object.entries(bounds[bound] ?? {}).map(([connections, value]) =>
      target(nameAt(operation, Number(connections)), what, against, { [bound]: value }),
    ),
  );

const peers = 'straightforward';
const tokenTargets: Target[] = [
  ...atConnections('client_credentials opaque', 'requests/s', {
    against: peers,
    atLeast: { 1: 1, 8: 1.5, 32: 2.5, 128: 3 },
  }),
  ...atConnections('client_credentials opaque', 'CPU', { against: peers, atMost: { 1: 1, 8: 0.7, 32: 0.4 } }),
  ...atConnections('client_credentials opaque', 'requests/s', { against: 'in memory', atLeast: { 32: 0.9 } }),
  ...atConnections('client_credentials jwt', 'requests/s', {
    against: 'in memory',
    atLeast: { 1: 0.9, 8: 0.9, 32: 0.9, 128: 0.9 },
  }),
  ...atConnections('refresh', 'requests/s', { against: peers, atLeast: { 1: 1.2, 8: 2, 32: 3, 128: 3.5 } }),
  ...atConnections('refresh', 'CPU', { against: peers, atMost: { 1: 0.9, 8: 0.6, 32: 0.33 } }),
  ...atConnections('refresh', 'requests/s', { against: 'in memory', atLeast: { 32: 0.8 } }),
  ...atConnections('introspection', 'requests/s', { against: peers, atLeast: { 1: 1.5, 8: 2.2, 32: 3.5 } }),
  ...atConnections('introspection', 'requests/s', { against: 'in memory', atLeast: { 32: 1.2 } }),
  ...['client_credentials opaque', 'refresh', 'introspection'].flatMap((operation) =>
    atConnections(operation, 'p50', { against: peers, atMost: { 1: 1 } }),
  ),
  target('code flow', 'requests/s', peers, { atLeast: 1.5 }),
  target('code flow', 'requests/s', 'in memory', { atLeast: 0.6 }),
  target('login', 'requests/s', 'hash alone', { atLeast: 0.8 }),
];

const simple = 'straightforward store';
const secretTargets: Target[] = [
  ...['secret read', 'secret read, one for all'].flatMap((operation): Target[] => [
    ...atConnections(operation, 'requests/s', { against: simple, atLeast: { 1: 1, 8: 1, 32: 1, 128: 1 } }),
    ...atConnections(operation, 'CPU', { against: simple, atMost: { 1: 1, 8: 1, 32: 1, 128: 1 } }),
    ...atConnections(operation, 'p50', { against: simple, atMost: { 1: 1 } }),
    target(operation, 'server CPU', 'empty Koa route', { atMost: 2 }),
    target(operation, 'p99', 'empty Koa route', { atMost: 3 }),
  ]),
  ...Object.entries({
    'secret read': 0.9,
    'secret read of random secrets': 0.9,
    'client_credentials opaque': 0.97,
    refresh: 0.97,
  }).map(
    ([operation, atLeast]): Target => ({
      ...target(`stored secrets, ${operation}`, 'requests/s', 'Latchkey', { atLeast }),
      of: 'secrets stored',
    }),
  ),
];

const targetsWith = (stored: number): Target[] => [
  ...tokenTargets,
  ...['client_credentials opaque', 'refresh'].map((operation) =>
    target(`audit, ${operation}`, 'requests/s', 'without audit', { atLeast: 0.9 }),
  ),
  ...['client_credentials jwt', 'refresh', 'introspection'].map(
    (operation): Target => ({
      ...target(`two workers, ${operation}`, hasCoreForEach ? 'requests/s' : 'server capacity', 'Latchkey', {
        atLeast: 1.5,
      }),
      of: 'two workers',
    }),
  ),
  ...['refresh', 'introspection', 'refresh of random users', 'introspection of random users'].map(
    (operation): Target => ({
      ...target(`stored tokens, ${operation}`, 'requests/s', 'Latchkey', { atLeast: stored > 1_000_000 ? 0.6 : 0.9 }),
      of: 'tokens stored',
    }),
  ),
  ...['forward-auth', 'verify'].flatMap((operation): Target[] => [
    target(operation, 'requests/s', 'empty Koa route', { atLeast: 0.85 }),
    target(operation, 'p99', 'empty Koa route', { atMost: 1.5 }),
    { ...target(operation, 'requests/s', 'Latchkey', { atLeast: 0.9 }), of: 'keys stored' },
  ]),
  target('verify', 'requests/s', 'better-auth', { atLeast: 10 }),
  ...secretTargets,
  target('discovery', 'requests/s', 'in memory', { atLeast: 5 }),
  target('jwks', 'requests/s', 'in memory', { atLeast: 5 }),
];

/** The measured ratios that have a target; targets for stored tokens depend on their number. */
export function ratiosWithTargets(measured: readonly Measured[], stored: number): Ratio[] {
  return targetsWith(stored).flatMap(({ operation, what, of = 'Latchkey', against, atLeast, atMost }) => {
    const figures = measured.find((each) => each.operation === operation)?.figures ?? {};
    const [ours, theirs] = [figures[of], figures[against]];
    if (!ours || !theirs) return [];
    const ratio = figureOf(ours, what) / figureOf(theirs, what);
    const bound = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
    const isMet = ratio >= (atLeast ?? 0) && ratio <= (atMost ?? Number.POSITIVE_INFINITY);
    return [{ operation, name: `${of} ÷ ${against}, ${what}`, ratio, bound, isMet }];
  });
}

const tolerance = 0.1;

/**
 * Compares ratios with those in a committed report: a sentence for each that is worse by more than a tenth.
 */
export function declines(ratios: readonly Ratio[], committed: string): string[] {
  return ratios.flatMap(({ operation, name, ratio, bound }) => {
    const row = committed.split('\n').find((line) => line.startsWith(`| ${operation} | ${name} |`));
    const before = Number(row?.split('|')[3]);
    if (!(before > 0)) return [];
    const isWorse = bound.startsWith('≥') ? ratio < before * (1 - tolerance) : ratio > before * (1 + tolerance);
    return isWorse ? [`${operation}: ${name} is ${ratio.toFixed(2)}, and ${before} in the table.`] : [];
  });
}

function figureOf({ rate, p50, p99, serverCpu, postgresCpu, capacity }: Figures, what: Target['what']): number {
  if (what === 'requests/s') return rate;
  if (what === 'server capacity') return capacity;
  if (what === 'p50' || what === 'p99') return what === 'p50' ? p50 : p99;
  return what === 'CPU' ? serverCpu + postgresCpu : serverCpu;
}
