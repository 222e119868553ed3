// How much memory does a server hold under mixed load, and after it? (docs/performance.md)
// node bench/memory.ts [minutes of load] [connections]
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { usualConnections } from './installation.ts';
import type { Job, Load } from './load/main.ts';
import { openBenchPostgres } from './postgres.ts';
import { ask, startProcess, stopProcess } from './processes.ts';
import { startLatchkey } from './servers.ts';
import { storeKeys } from './stored-keys.ts';
import { storeSecrets } from './stored-secrets.ts';

const minutes = Number(process.argv[2] ?? 60);
const mostAtOnce = Number(process.argv[3] ?? usualConnections);
const stored = 1000;
const roundMilliseconds = 10_000;
const minutesAfterwards = 3;
/** A server refuses sign-ins whose passwords it can't hash in time, as many at once are on a busy machine. */
const signInsAtOnce = 2;
const operations = [
  ...['client_credentials opaque', 'client_credentials jwt', 'refresh', 'introspection', 'code flow'],
  ...['forward-auth', 'verify', 'secret read of random secrets', 'whole sign-in'],
];

const postgres = await openBenchPostgres();
const load = startProcess('bench/load/main.ts');
try {
  const databaseUrl = await postgres.createDatabase('memory');
  const server = await startLatchkey('Latchkey', { databaseUrl });
  try {
    await storeKeys(databaseUrl, stored);
    await storeSecrets(databaseUrl, stored);
    await measure(server.origin, server.child.pid ?? 0);
  } finally {
    await server.stop();
  }
} finally {
  await stopProcess(load);
  await postgres.close();
}

async function measure(origin: string, pid: number): Promise<void> {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 60_000;
  let done = 0;
  for (let round = 0; elapsed() < minutes; round += 1) {
    const operation = operations[round % operations.length] ?? '';
    const sizes = { stored: 0, keys: stored, secrets: stored };
    const connections = operation === 'whole sign-in' ? signInsAtOnce : mostAtOnce;
    const job: Job = { origin, operation, milliseconds: roundMilliseconds, connections, ...sizes };
    // On a busy machine a request may be refused; an hour of load is not lost with it.
    const answer = await ask<Load>(load, job).catch((error: unknown) => process.stdout.write(`${error}\n`));
    if (typeof answer === 'object') done += answer.operations;
    if (round % operations.length === operations.length - 1) print(elapsed(), pid, `${done} operations`);
  }
  print(elapsed(), pid, `load ended after ${done} operations`);
  for (let minute = 0; minute < minutesAfterwards; minute += 1) {
    await sleep(60_000);
    print(elapsed(), pid, 'idle');
  }
}

/** Writes a line: minutes, MB of the process (of which anonymous), its highest so far. */
function print(minute: number, pid: number, what: string): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (name: string) => Math.round(Number(status.match(new RegExp(`${name}:\\s+(\\d+)`))?.[1]) / 1024);
  const figures = `${megabytes('VmRSS')} MB RSS, ${megabytes('RssAnon')} anonymous, at most ${megabytes('VmHWM')}`;
  process.stdout.write(`${minute.toFixed(1)} min: ${figures} (${what})\n`);
}
