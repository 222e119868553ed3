import type { Figures, Measured } from './measure.ts';
import type { Ratio } from './targets.ts';

const withoutDatabase = ['in memory', 'hash alone', 'decision alone', 'empty Koa route'];

/** The whole result as Markdown. */
export function report(measured: readonly Measured[], facts: string, targets: readonly Ratio[]): string {
  const compared = measured.some(({ ratios }) => ratios) ? ratiosTable(measured) : targetsTable(targets);
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

function targetsTable(ratios: readonly Ratio[]): string {
  const rows = ratios.map(({ operation, name, ratio, bound, isMet }) => [
    ...[operation, name, ratio.toFixed(2), bound],
    isMet ? 'met' : '**missed**',
  ]);
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

/** The cores that each process used: with too little CPU, a server shows less than it can do. */
function coresOf({ rate, serverCpu, postgresCpu, loadCpu, othersCpu }: Figures): string {
  return [serverCpu, postgresCpu, loadCpu, othersCpu].map((cpu) => ((cpu * rate) / 1e6).toFixed(2)).join(' + ');
}

function table(names: string[], rows: string[][]): string {
  return [names, names.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const whole = (value: number) =>
  Number.isNaN(value) ? '–' : Math.round(value).toLocaleString('en').replaceAll(',', ' ');
const count = (value: number) => (value < 0.005 ? '0' : value.toFixed(2));
