import type { ChildProcess } from 'node:child_process';
import type { Load } from './load/main.ts';
import type { BenchPostgres } from './postgres.ts';
import { ask, cpuOf, cpuOfMachine } from './processes.ts';
import { isAlone, type MeasuredServer, type ServerName } from './servers.ts';

/** One round: rates a second, times in milliseconds, CPU in microseconds an operation. */
export type Figures = {
  rate: number;
  p50: number;
  p99: number;
  serverCpu: number;
  /** The requests/s that its processes could answer if each had a core to itself. */
  capacity: number;
  postgresCpu: number;
  loadCpu: number;
  /** CPU time of everything else on the machine meanwhile. */
  othersCpu: number;
  statements: number;
  writes: number;
};

/** Medians of one operation, by server. */
export type Measured = {
  operation: string;
  figures: Partial<Record<ServerName, Figures>>;
  /** Latchkey ÷ the other checkout, if there is one: medians of the ratios of paired rounds. */
  ratios?: { rate: number; cpu: number } | undefined;
};

export type Bench = { load: ChildProcess; postgres: BenchPostgres };
type Round = { operation: string; connections: number; milliseconds: number; warmUp: number };

/** Warms the server up, long enough that compiled code is measured, then measures one round. */
export async function measure(bench: Bench, server: MeasuredServer, round: Round): Promise<Figures> {
  await run(bench, server, { ...round, milliseconds: round.warmUp });
  const before = await sample(bench, server);
  const load = await run(bench, server, round);
  const after = await sample(bench, server);
  const each = (of: keyof typeof before) => (after[of] - before[of]) / load.operations;
  const loadCpu = load.cpuMicroseconds / load.operations;
  return {
    rate: load.operations / load.seconds,
    p50: load.p50,
    p99: load.p99,
    serverCpu: each('serverCpu'),
    capacity: ((server.workers ?? 1) * 1_000_000) / each('serverCpu'),
    postgresCpu: each('postgresCpu'),
    loadCpu,
    othersCpu: Math.max(0, each('machineCpu') - each('serverCpu') - each('postgresCpu') - loadCpu),
    statements: each('statements'),
    writes: each('writes'),
  };
}

function run(
  { load }: Bench,
  { name, origin, child, stored = 0, keys = 0, secrets = 0 }: MeasuredServer,
  { operation, connections, milliseconds }: Round,
): Promise<Load> {
  if (!isAlone(name)) return ask<Load>(load, { origin, operation, connections, milliseconds, stored, keys, secrets });
  return ask<Load>(child, { milliseconds });
}

async function sample({ postgres }: Bench, { name, child }: MeasuredServer) {
  const { statements } = isAlone(name) ? { statements: 0 } : await ask<{ statements: number }>(child, 'statements');
  return {
    statements,
    writes: await postgres.writingTransactions(),
    serverCpu: cpuOf(child.pid ?? 0),
    postgresCpu: cpuOf(postgres.pid),
    machineCpu: cpuOfMachine(),
  };
}

/** The medians of the ratios of consecutive rounds. */
export function ratiosOf(now: readonly Figures[], before: readonly Figures[]): { rate: number; cpu: number } {
  const cpu = ({ serverCpu, postgresCpu }: Figures) => serverCpu + postgresCpu;
  const middle = (of: (figures: Figures) => number) => {
    const ratios = now.flatMap((figures, round) => {
      const other = before[round];
      return other ? [of(figures) / of(other)] : [];
    });
    return medianOfNumbers(ratios);
  };
  return { rate: middle(({ rate }) => rate), cpu: middle(cpu) };
}

/** The median of several rounds, figure by figure. */
export function medianOf(rounds: readonly Figures[]): Figures {
  const middle = (of: keyof Figures) => medianOfNumbers(rounds.map((round) => round[of]));
  return {
    rate: middle('rate'),
    p50: middle('p50'),
    p99: middle('p99'),
    serverCpu: middle('serverCpu'),
    capacity: middle('capacity'),
    postgresCpu: middle('postgresCpu'),
    loadCpu: middle('loadCpu'),
    othersCpu: middle('othersCpu'),
    statements: middle('statements'),
    writes: middle('writes'),
  };
}

function medianOfNumbers(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(half)] ?? 0) + (sorted[Math.ceil(half)] ?? 0)) / 2;
}
