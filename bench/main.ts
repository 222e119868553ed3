import { readFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { type Comparison, comparisonsWith } from './comparisons.ts';
import { usualConnections } from './installation.ts';
import { measureLists } from './lists/lists.ts';
import { type Bench, type Figures, type Measured, measure, medianOf, ratiosOf } from './measure.ts';
import { openBenchPostgres } from './postgres.ts';
import { ask, pin, startProcess, stopProcess } from './processes.ts';
import { report } from './report.ts';
import { type MeasuredServer, type ServerName, startBetterAuth, startLatchkey, startPeer } from './servers.ts';
import { storeKeys } from './stored-keys.ts';
import { storeSecrets } from './stored-secrets.ts';
import { storeTokens } from './stored-tokens.ts';
import { declines, ratiosWithTargets } from './targets.ts';

const committedReport = 'docs/performance.md';

const usage =
  'npm run bench -- [--quick] [--only <start of an operation> | --only lists]… [--rounds <n>] [--seconds <n>] [--stored <n>] [--keys <n>] [--secrets <n>] [--profile <folder>] [--before <checkout> | --check]';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    // Number of tokens in the database of `tokens stored`.
    stored: { type: 'string', default: '1000000' },
    // Number of API keys in the database of `keys stored`; that of `Latchkey` has a thousand.
    keys: { type: 'string', default: '1000000' },
    // Number of secrets in the database of `secrets stored`; that of `Latchkey` has a thousand.
    secrets: { type: 'string', default: '1000000' },
    // Number of events in the database of `lists`; it has a tenth as many users and keys.
    events: { type: 'string', default: '1000000' },
    // Which lists are measured: the start of a name.
    list: { type: 'string', default: '' },
    // A folder that keeps the database of `lists` for the next run, because filling it takes minutes.
    keep: { type: 'string' },
    // Fails if a ratio is more than a tenth worse than in docs/performance.md.
    check: { type: 'boolean', default: false },
    // Another checkout, with its dependencies installed, that is measured in turn with this one.
    before: { type: 'string' },
    // Only Latchkey, with a CPU profile of its process.
    profile: { type: 'string' },
  },
});
const rounds = Number(values.rounds ?? 3);
const milliseconds = Number(values.seconds ?? (values.quick ? 1 : 4)) * 1000;
const stored = Number(values.stored);
/** Of API keys, and of secrets if they are read. */
const few = 1000;
const areLists = values.only?.includes('lists') === true;
const chosen = comparisonsWith(values.before !== undefined).filter(
  ({ name }) => values.only?.some((only) => name.startsWith(only)) ?? true,
);
if (chosen.length === 0 && !areLists)
  throw new Error(
    `${usage}\n  <operation>: ${comparisonsWith(false)
      .map(({ name }) => name)
      .join('; ')}`,
  );

const readsSecrets = chosen.some(({ operation }) => operation.startsWith('secret read'));

const closing: (() => Promise<void>)[] = [];
let closed: Promise<void> | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void close().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143)));
try {
  const postgres = await openBenchPostgres(values.keep);
  closing.push(postgres.close);
  if (areLists) process.stdout.write(`${machine()}\n${await measureLists(postgres, sizes(), values.list)}\n`);
  if (chosen.length > 0) await compareAll(postgres);
} finally {
  await close();
}

async function compareAll(postgres: Bench['postgres']): Promise<void> {
  const load = startProcess('bench/load/main.ts');
  closing.push(() => stopProcess(load));
  const servers = await startServers({ load, postgres });
  const measured: Measured[] = [];
  for (const comparison of chosen) measured.push(await compare({ load, postgres }, servers, comparison));
  const ratios = ratiosWithTargets(measured, stored);
  process.stdout.write(`${report(measured, facts(postgres.version), ratios)}\n`);
  if (values.check) failOn(declines(ratios, readFileSync(committedReport, 'utf8')));
}

function failOn(faults: readonly string[]): void {
  for (const fault of faults) process.stdout.write(`Worse than ${committedReport}: ${fault}\n`);
  if (faults.length > 0) process.exitCode = 1;
}

function sizes() {
  const events = Number(values.events);
  return { events, users: events / 10, keys: events / 10, clients: events / 100 };
}

/** Starts the servers that the chosen comparisons need. */
async function startServers(bench: Bench): Promise<MeasuredServer[]> {
  const { createDatabase } = bench.postgres;
  const { profile: profileFolder } = values;
  const start: Record<ServerName, () => Promise<MeasuredServer>> = {
    Latchkey: async () =>
      startFilled('Latchkey', { databaseUrl: await createDatabase('latchkey_bench'), profileFolder }),
    before: async () => startFilled('before', { databaseUrl: await createDatabase('before'), checkout: values.before }),
    'keys stored': async () =>
      startFilled('keys stored', { databaseUrl: await createDatabase('keys_stored'), keys: Number(values.keys) }),
    'secrets stored': async () =>
      startFilled('secrets stored', {
        databaseUrl: await createDatabase('secrets_stored'),
        secrets: Number(values.secrets),
      }),
    'two workers': async () =>
      startLatchkey('two workers', { databaseUrl: await createDatabase('two_workers'), workers: 2 }),
    'tokens stored': async () => startFull(bench, await createDatabase('tokens_stored')),
    'without audit': async () =>
      startLatchkey('without audit', {
        databaseUrl: await createDatabase('without_audit'),
        preload: './bench/without-audit.ts',
      }),
    straightforward: async () => startPeer('straightforward', 'main.ts', [await createDatabase('straightforward')]),
    'straightforward store': async () =>
      startPeer('straightforward store', 'secret-store.ts', [await createDatabase('secret_store'), String(few)]),
    'in memory': () => startPeer('in memory', 'main.ts'),
    'hash alone': () => startPeer('hash alone', 'hash.ts'),
    'decision alone': () => startPeer('decision alone', 'decide.ts'),
    'better-auth': async () => startBetterAuth(await createDatabase('better_auth')),
    'empty Koa route': () => startPeer('empty Koa route', 'empty.ts'),
  };
  const needed = profileFolder ? ['Latchkey' as const] : new Set(chosen.flatMap(({ servers }) => servers));
  const started: MeasuredServer[] = [];
  for (const name of needed) {
    const server = await start[name]();
    closing.push(server.stop);
    started.push(server);
  }
  return started;
}

type Filled = {
  databaseUrl: string;
  keys?: number;
  secrets?: number;
  checkout?: string | undefined;
  profileFolder?: string | undefined;
};

/** Latchkey with API keys, and with secrets if they are read. */
async function startFilled(
  name: ServerName,
  { databaseUrl, keys = few, secrets = few, ...options }: Filled,
): Promise<MeasuredServer> {
  const server = await startLatchkey(name, { databaseUrl, ...options });
  closing.push(server.stop);
  await storeKeys(databaseUrl, keys);
  if (readsSecrets) await storeSecrets(databaseUrl, secrets);
  return { ...server, keys, secrets };
}

async function startFull({ load }: Bench, databaseUrl: string): Promise<MeasuredServer> {
  const server = await startLatchkey('tokens stored', { databaseUrl });
  closing.push(server.stop);
  // Signs users in; their rows are then copied.
  await ask(load, {
    origin: server.origin,
    operation: 'refresh',
    milliseconds: 0,
    stored: 0,
    connections: usualConnections,
  });
  return { ...server, stored: await storeTokens(databaseUrl, stored) };
}

/** Rounds in turn, A B C C B A, so that other load on the machine affects all servers equally. */
async function compare(bench: Bench, servers: MeasuredServer[], comparison: Comparison): Promise<Measured> {
  const measuring = servers.filter(({ name }) => comparison.servers.includes(name));
  const all = new Map<ServerName, Figures[]>(measuring.map(({ name }) => [name, []]));
  if (comparison.isPinned) place(bench, measuring, { ofServers: '0', ofOthers: '1' });
  for (let round = 1; round <= rounds; round += 1) {
    for (const server of round % 2 === 1 ? measuring : measuring.toReversed()) {
      const warmUp = milliseconds * (round === 1 ? 1 : 0.25);
      const figures = await measure(bench, server, { ...comparison, milliseconds, warmUp });
      all.get(server.name)?.push(figures);
      const line = `${comparison.name}, round ${round}, ${server.name}: ${Math.round(figures.rate)}/s, ${Math.round(figures.serverCpu)} µs`;
      process.stderr.write(`${line} (load ${Math.round(figures.loadCpu)} µs)\n`);
    }
  }
  if (comparison.isPinned) place(bench, measuring, { ofServers: anyCore(), ofOthers: anyCore() });
  const figures = Object.fromEntries([...all].map(([name, each]) => [name, medianOf(each)]));
  const [now = [], before = []] = [all.get('Latchkey'), all.get('before')];
  return { operation: comparison.name, figures, ratios: before.length > 0 ? ratiosOf(now, before) : undefined };
}

function anyCore(): string {
  return `0-${os.availableParallelism() - 1}`;
}

function place(
  { load, postgres }: Bench,
  servers: readonly MeasuredServer[],
  { ofServers, ofOthers }: { ofServers: string; ofOthers: string },
): void {
  for (const { child } of servers) pin(child.pid ?? 0, ofServers);
  for (const pid of [load.pid ?? 0, postgres.pid]) pin(pid, ofOthers);
}

function machine(): string {
  const [cpu] = os.cpus();
  return `${os.cpus().length} × ${cpu?.model ?? 'unknown'}, ${Math.round(os.totalmem() / 2 ** 30)} GiB; load, server and PostgreSQL share them.`;
}

function facts(postgres: string): string {
  return [
    machine(),
    `Node ${process.version}, PostgreSQL ${postgres} with its default settings; ${usualConnections} connections where no other number is said;`,
    `medians of ${rounds} interleaved rounds of ${milliseconds / 1000} s; tokens stored: ${stored.toLocaleString('en')}.`,
  ].join(' ');
}

/** Runs once: a caller that comes while it runs, such as a signal handler, waits for it. */
function close(): Promise<void> {
  closed ??= closeAll();
  return closed;
}

async function closeAll(): Promise<void> {
  for (const end of closing.splice(0).reverse()) await end();
}
