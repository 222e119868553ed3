import type { Figures } from './measure.ts';
import type { ServerName } from './servers.ts';

/** Medians of one operation, by server. */
export type Measured = {
  operation: string;
  figures: Partial<Record<ServerName, Figures>>;
  /** Latchkey ÷ the other checkout, where there is one: medians of the ratios of paired rounds. */
  ratios?: { rate: number; cpu: number } | undefined;
};

type Target = {
  operation: string;
  what: 'requests/s' | 'CPU' | 'server CPU' | 'p99';
  of?: ServerName;
  against: ServerName;
  atLeast?: number;
  atMost?: number;
};

const withoutDatabase = ['in memory', 'hash alone', 'decision alone', 'empty Koa route'];

const targetsWith = (stored: number): Target[] => [
  { operation: 'client_credentials opaque', what: 'requests/s', against: 'straightforward', atLeast: 2 },
  { operation: 'client_credentials opaque', what: 'CPU', against: 'straightforward', atMost: 0.42 },
  { operation: 'client_credentials opaque', what: 'server CPU', against: 'in memory', atMost: 1.3 },
  { operation: 'client_credentials jwt', what: 'requests/s', against: 'in memory', atLeast: 0.7 },
  { operation: 'refresh', what: 'requests/s', against: 'straightforward', atLeast: 2.5 },
  { operation: 'refresh', what: 'CPU', against: 'straightforward', atMost: 0.33 },
  { operation: 'refresh', what: 'server CPU', against: 'in memory', atMost: 1.25 },
  { operation: 'introspection', what: 'requests/s', against: 'straightforward', atLeast: 2 },
  { operation: 'code flow', what: 'requests/s', against: 'straightforward', atLeast: 1.2 },
  { operation: 'login', what: 'requests/s', against: 'hash alone', atLeast: 0.7 },
  ...['client_credentials opaque', 'refresh'].map(
    (operation): Target => ({
      operation: `audit, ${operation}`,
      what: 'requests/s',
      against: 'without audit',
      atLeast: 0.9,
    }),
  ),
  ...['client_credentials jwt', 'refresh', 'introspection'].map(
    (operation): Target => ({
      operation: `two workers, ${operation}`,
      what: 'requests/s',
      of: 'two workers',
      against: 'Latchkey',
      atLeast: 1.5,
    }),
  ),
  ...['refresh', 'introspection', 'refresh of anybody', 'introspection of anybody'].map(
    (operation): Target => ({
      operation: `stored tokens, ${operation}`,
      what: 'requests/s',
      of: 'tokens stored',
      against: 'Latchkey',
      atLeast: stored > 1_000_000 ? 0.6 : 0.9,
    }),
  ),
  ...['forward-auth', 'verify'].flatMap((operation): Target[] => [
    { operation, what: 'requests/s', against: 'empty Koa route', atLeast: 0.7 },
    { operation, what: 'p99', against: 'empty Koa route', atMost: 2 },
    { operation, what: 'requests/s', of: 'keys stored', against: 'Latchkey', atLeast: 0.9 },
  ]),
  { operation: 'verify', what: 'requests/s', against: 'better-auth', atLeast: 10 },
  { operation: 'discovery', what: 'requests/s', against: 'in memory', atLeast: 5 },
  { operation: 'jwks', what: 'requests/s', against: 'in memory', atLeast: 5 },
];

/** The whole result as Markdown; targets among stored tokens depend on how many they are. */
export function report(measured: readonly Measured[], facts: string, stored: number): string {
  const compared = measured.some(({ ratios }) => ratios)
    ? ratiosTable(measured)
    : targetsTable(measured, targetsWith(stored));
  return [facts, '', figuresTable(measured), '', compared, ''].join('\n');
}

function figuresTable(measured: readonly Measured[]): string {
  const rows = measured.flatMap(({ operation, figures }) =>
    Object.entries(figures).map(([server, each]) => [
      operation,
      server,
      whole(each.rate),
      `${each.p50.toFixed(1)} / ${each.p99.toFixed(1)}`,
      whole(each.serverCpu),
      withoutDatabase.includes(server) ? '–' : whole(each.postgresCpu),
      count(each.statements),
      count(each.writes),
      coresOf(each),
    ]),
  );
  const names = [
    'operation',
    'server',
    'requests/s',
    'p50 / p99 ms',
    'server µs',
    'PostgreSQL µs',
    'statements',
    'commits',
    'cores: server + PostgreSQL + load + others',
  ];
  return table(names, rows);
}

function targetsTable(measured: readonly Measured[], targets: readonly Target[]): string {
  const rows = targets.flatMap((target) => {
    const figures = measured.find(({ operation }) => operation === target.operation)?.figures ?? {};
    const [ours, theirs] = [figures[target.of ?? 'Latchkey'], figures[target.against]];
    if (!ours || !theirs) return [];
    const ratio = figureOf(ours, target.what) / figureOf(theirs, target.what);
    const { atLeast, atMost } = target;
    const isMet = ratio >= (atLeast ?? 0) && ratio <= (atMost ?? Number.POSITIVE_INFINITY);
    const bound = atLeast === undefined ? `≤ ${atMost}` : `≥ ${atLeast}`;
    return [
      [
        target.operation,
        `${target.of ?? 'Latchkey'} ÷ ${target.against}, ${target.what}`,
        ratio.toFixed(2),
        bound,
        isMet ? 'met' : '**missed**',
      ],
    ];
  });
  return table(['operation', 'ratio', 'measured', 'target', ''], rows);
}

function ratiosTable(measured: readonly Measured[]): string {
  const rows = measured.map(({ operation, ratios }) => [
    operation,
    ratios?.rate.toFixed(3) ?? '',
    ratios?.cpu.toFixed(3) ?? '',
  ]);
  return table(['operation', 'requests/s, now ÷ before', 'CPU an operation, now ÷ before'], rows);
}

/** Who had the machine, in cores: a server that others leave no room for shows less than it can. */
function coresOf({ rate, serverCpu, postgresCpu, loadCpu, othersCpu }: Figures): string {
  return [serverCpu, postgresCpu, loadCpu, othersCpu].map((cpu) => ((cpu * rate) / 1e6).toFixed(2)).join(' + ');
}

function figureOf({ rate, p99, serverCpu, postgresCpu }: Figures, what: Target['what']): number {
  if (what === 'p99') return p99;
  if (what === 'requests/s') return rate;
  return what === 'CPU' ? serverCpu + postgresCpu : serverCpu;
}

function table(names: string[], rows: string[][]): string {
  return [names, names.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const whole = (value: number) =>
  Number.isNaN(value) ? '–' : Math.round(value).toLocaleString('en').replaceAll(',', ' ');
const count = (value: number) => (value < 0.005 ? '0' : value.toFixed(2));
