import os from 'node:os';
import { parseArgs } from 'node:util';
import { connections } from './installation.ts';
import { operations } from './load/operations.ts';
import { type Bench, type Figures, measure, medianOf } from './measure.ts';
import { openBenchPostgres } from './postgres.ts';
import { startProcess, stopProcess } from './processes.ts';
import { type Measured, report } from './report.ts';
import { type MeasuredServer, type ServerName, startLatchkey, startPeer } from './servers.ts';

const usage = 'npm run bench -- [--quick] [--only <operation>]… [--rounds <n>] [--seconds <n>] [--profile <folder>]';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    // Latchkey alone, with a CPU profile of its process.
    profile: { type: 'string' },
  },
});
const rounds = Number(values.rounds ?? 3);
const milliseconds = Number(values.seconds ?? (values.quick ? 1 : 4)) * 1000;
const chosen = Object.keys(operations).filter((name) => values.only?.some((only) => name.includes(only)) ?? true);
if (chosen.length === 0) throw new Error(`${usage}\n  <operation>: ${Object.keys(operations).join(', ')}`);

const closing: (() => Promise<void>)[] = [];
process.on('SIGINT', () => void close().finally(() => process.exit(130)));
try {
  const postgres = await openBenchPostgres();
  closing.push(postgres.close);
  const load = startProcess('bench/load/main.ts');
  closing.push(() => stopProcess(load));
  const servers = await startServers(await postgres.createDatabase('latchkey_bench'), () =>
    postgres.createDatabase('straightforward'),
  );
  const measured: Measured[] = [];
  for (const operation of chosen) measured.push(await compare({ load, postgres }, servers, operation));
  process.stdout.write(`${report(measured, facts(postgres.version))}\n`);
} finally {
  await close();
}

async function startServers(latchkeyUrl: string, createOther: () => Promise<string>): Promise<MeasuredServer[]> {
  const started: MeasuredServer[] = [];
  const add = (server: MeasuredServer) => {
    started.push(server);
    closing.push(server.stop);
  };
  add(await startLatchkey(latchkeyUrl, values.profile));
  if (values.profile) return started;
  add(await startPeer('straightforward', 'main.ts', [await createOther()]));
  add(await startPeer('in memory', 'main.ts'));
  add(await startPeer('hash alone', 'hash.ts'));
  return started;
}

/** Rounds in turn, A B C A B C, so that what else the machine does hits all alike. */
async function compare(bench: Bench, servers: MeasuredServer[], operation: string): Promise<Measured> {
  const measuring = servers.filter(({ name }) => takesPart(name, operation));
  const all = new Map<ServerName, Figures[]>(measuring.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const server of measuring) {
      const warmUp = milliseconds * (round === 1 ? 1 : 0.25);
      const figures = await measure(bench, server, { operation, milliseconds, warmUp });
      all.get(server.name)?.push(figures);
      const line = `${operation}, round ${round}, ${server.name}: ${Math.round(figures.rate)}/s, ${Math.round(figures.serverCpu)} µs`;
      process.stderr.write(`${line} (load ${Math.round(figures.loadCpu)} µs)\n`);
    }
  }
  return { operation, figures: Object.fromEntries([...all].map(([name, each]) => [name, medianOf(each)])) };
}

/** Only Latchkey has passwords; what it is compared with there is the hash alone. */
function takesPart(name: ServerName, operation: string): boolean {
  if (name === 'Latchkey') return true;
  return (name === 'hash alone') === ['login', 'whole sign-in'].includes(operation);
}

function facts(postgres: string): string {
  const [cpu] = os.cpus();
  return [
    `${os.cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(os.totalmem() / 2 ** 30)} GiB; load, server and PostgreSQL share them.`,
    `Node ${process.version}, PostgreSQL ${postgres} with its default settings; ${connections} connections;`,
    `medians of ${rounds} interleaved rounds of ${milliseconds / 1000} s.`,
  ].join(' ');
}

async function close(): Promise<void> {
  for (const end of closing.splice(0).reverse()) await end();
}
