import { execFile, spawn } from 'node:child_process';
import { chown, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Account, Binaries } from './binaries.ts';
import { EmbeddedPostgresError } from './error.ts';
import { isAlive } from './start-lock.ts';

export type Cluster = { folder: string; password: string; log: string; account: Account | undefined; settings: Record<string, string> };

export const superuser = 'latchkey';
export const databaseName = 'latchkey';
const startMs = 60_000;
const stopMs = 15_000;

/** Makes the cluster's files; killed in the middle, nothing is left that a later start would take for a cluster. */
export async function initCluster(binaries: Binaries, cluster: Cluster): Promise<void> {
  const { folder, password, account } = cluster;
  const draft = `${folder}.new`;
  const pwfile = `${folder}.password`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  await writeFile(pwfile, password, { mode: 0o600 });
  if (account) for (const file of [draft, pwfile]) await chown(file, account.uid, account.gid);
  const options = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--auth=scram-sha-256'];
  try {
    await promisify(execFile)(path.join(binaries.bin, 'initdb'), ['-D', draft, '-U', superuser, `--pwfile=${pwfile}`, ...options], {
      ...account,
      cwd: path.dirname(binaries.bin),
    });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? lastLine(String(error.stderr)) : String(error);
    throw new EmbeddedPostgresError(`The embedded PostgreSQL could not make its files in ${folder}: ${output}.`);
  } finally {
    await rm(pwfile, { force: true });
  }
  await rename(draft, folder);
}

/** Starts the server on a free loopback port and waits until it answers. */
export async function startCluster(binaries: Binaries, cluster: Cluster): Promise<{ pid: number; port: number }> {
  const port = await freePort();
  const log = await open(cluster.log, 'a', 0o600);
  const fixed = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port), ...cluster.settings };
  const settings = Object.entries(fixed).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // Detached: Ctrl-C in a terminal reaches the whole process group, and only we may stop it, after the last request.
  const child = spawn(path.join(binaries.bin, 'postgres'), ['-D', cluster.folder, ...settings], {
    ...cluster.account,
    cwd: path.dirname(binaries.bin),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  child.on('error', () => undefined);
  await log.close();
  const pid = child.pid ?? 0;
  const deadline = performance.now() + startMs;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || pid === 0) break;
    if (await answers(port, cluster.password)) return { pid, port };
    await pause(20);
  }
  const reason = lastLine(await readFile(cluster.log, 'utf8').catch(() => ''));
  throw new EmbeddedPostgresError(`The embedded PostgreSQL did not start: ${reason || 'it said nothing'} (see ${cluster.log}).`);
}

/** Stops the server after its clients: fast, then at once. */
export async function stopCluster(pid: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (!isAlive(pid)) return;
    process.kill(pid, signal);
    for (let waited = 0; waited < stopMs && isAlive(pid); waited += 20) await pause(20);
  }
}

/** Makes the database when it is not there yet. */
export async function ensureDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: clusterUrl(port, password, 'postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(databaseName)}`);
  } finally {
    await client.end();
  }
}

/** Whether our server answers on this port with this password. */
export async function answers(port: number, password: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: clusterUrl(port, password, 'postgres'), connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    // Not yet, no longer, or another's: the caller starts one or waits.
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

export function clusterUrl(port: number, password: string, database: string): string {
  return `postgres://${superuser}:${password}@127.0.0.1:${port}/${database}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (!address || typeof address === 'string') throw new EmbeddedPostgresError('No free loopback port was found.');
  return address.port;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.replace(/\.$/, '') ?? '';
}
