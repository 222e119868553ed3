import { open, readFile, unlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataArgument } from './account.ts';
import type { Folder } from './cluster.ts';
import { EmbeddedPostgresError, ignoring, systemCode } from './embedded-postgres-error.ts';
import { isAlive, isServing } from './liveness.ts';
import { findPrograms } from './programs.ts';
import { runProgram, type ServerPrograms, startProgram } from './run.ts';

/** The main process of a running server. */
export type Postmaster = { pid: number; port: number };

const longestLogBytes = 5_000_000;
const fastStopMs = 15_000;
const immediateStopMs = 5000;

/** The server that runs on the cluster, also that of another process; PostgreSQL's own lock file names it, even after a crash. */
export async function findPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const lockFile = path.join(cluster, 'postmaster.pid');
  const text = await readFile(lockFile, 'utf8').catch(ignoring('ENOENT'));
  if (text === undefined) return undefined;
  const [pid = Number.NaN, , , port = Number.NaN] = text.split('\n').map(Number);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (await isServing(pid, cluster)) return { pid, port };
  // After a power cut another process may have this id, and PostgreSQL would take it for its own and refuse to start.
  if (isAlive(pid)) await unlink(lockFile).catch(ignoring('ENOENT'));
  return undefined;
}

/** Starts a server on a free loopback port; it may not answer yet. `log` is what it has written so far. */
export async function startPostmaster(folder: Folder, place: ServerPrograms, settings: Record<string, string>) {
  const port = await freePort();
  const log = await open(folder.log, 'a', 0o600);
  try {
    if ((await log.stat()).size > longestLogBytes) await log.truncate();
    const { size } = await log.stat();
    const chosen = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: String(port), ...settings };
    const child = await startProgram(
      place,
      {
        name: 'postgres',
        args: [
          '-D',
          await dataArgument(place.account, folder.cluster),
          ...Object.entries(chosen).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
        ],
        cwd: folder.cluster,
      },
      // In a session of its own: Ctrl-C at the terminal is for us, and we stop the server when it is no longer needed.
      { detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    child.unref();
    return {
      pid: child.pid ?? 0,
      port,
      hasEnded: () => child.exitCode !== null || child.signalCode !== null,
      log: async () => (await readFile(folder.log)).subarray(size).toString(),
    };
  } finally {
    await log.close();
  }
}

/**
 * Stops the server and resolves when it has exited: open transactions are rolled back, committed ones are on disk.
 *
 * @throws EmbeddedPostgresError when it does not exit
 */
export async function stopPostmaster(cluster: string, pid: number): Promise<void> {
  if (process.platform === 'win32') return stopOnWindows(cluster, pid);
  if (await endsBy('SIGINT', cluster, pid, fastStopMs)) return;
  if (await endsBy('SIGQUIT', cluster, pid, immediateStopMs)) return;
  throw new EmbeddedPostgresError(`PostgreSQL (process ${pid}) does not stop.`);
}

async function endsBy(signal: 'SIGINT' | 'SIGQUIT', cluster: string, pid: number, withinMs: number): Promise<boolean> {
  if (!(await isServing(pid, cluster))) return true;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
  for (const until = performance.now() + withinMs; performance.now() < until; await sleep(10)) {
    if (!(await isServing(pid, cluster))) return true;
  }
  return false;
}

/** Windows has no signals; PostgreSQL's own command stops the server in another way. */
async function stopOnWindows(cluster: string, pid: number): Promise<void> {
  if (!(await isServing(pid, cluster))) return;
  const place = { account: undefined, programs: await findPrograms(undefined) };
  const args = ['stop', '-D', cluster, '-m', 'fast', '-t', '15'];
  await runProgram(place, { name: 'pg_ctl', args, cwd: cluster });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return typeof address === 'object' && address ? address.port : 0;
}
