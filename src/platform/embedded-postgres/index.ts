/** Real PostgreSQL from npm packages, for development and tests: no installation, no Docker, no root. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { digest } from '../crypto/index.ts';
import { type Account, canReach, findBinaries, systemFolder } from './binaries.ts';
import { answers, type Cluster, clusterUrl, databaseName, ensureDatabase, initCluster, startCluster, stopCluster } from './cluster.ts';
import { EmbeddedPostgresError } from './error.ts';
import { isAlive, whileLocked } from './start-lock.ts';

export { EmbeddedPostgresError } from './error.ts';

export type EmbeddedPostgres = {
  url: string;
  version: string;
  /** Stops the server, if it is ours to stop: who joined a running one leaves it running. */
  close: () => Promise<void>;
};

export type EmbeddedPostgresOptions = { dataDir: string; settings?: Record<string, string> };

/** `postgres.json` in the data folder (mode 0600). */
type State = { folder: string; password: string; port?: number; pid?: number; owner?: number };

/**
 * Opens the PostgreSQL of a data folder: joins the running one, adopts one whose owner was killed, or starts it, making its
 * files the first time. As root it runs under the account `nobody`; where that account cannot reach the data folder, the
 * files lie under /var/lib/latchkey, and `postgres.json` says where.
 *
 * @throws EmbeddedPostgresError with one sentence for the operator
 */
export async function openEmbeddedPostgres({ dataDir, settings = {} }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  await makeFolder(dataDir);
  return whileLocked(path.join(dataDir, 'postgres.lock'), async () => {
    const account = unprivilegedAccount();
    const state = (await readState(dataDir)) ?? (await newState(dataDir, account));
    const binaries = await findBinaries(account);
    const version = binaries.version.replace(/-.*/, '');
    const isRunning = state.port !== undefined && (await answers(state.port, state.password));
    if (isRunning && state.owner !== undefined && isAlive(state.owner)) {
      return { url: urlOf(state), version, close: async () => undefined };
    }
    const cluster: Cluster = { ...state, log: path.join(dataDir, 'postgres.log'), account, settings };
    if (!isRunning && !existsSync(path.join(state.folder, 'PG_VERSION'))) await initCluster(binaries, cluster);
    const running = isRunning ? { pid: state.pid ?? 0, port: state.port ?? 0 } : await startCluster(binaries, cluster);
    await ensureDatabase(running.port, state.password);
    const owned = { ...state, ...running, owner: process.pid };
    await writeState(dataDir, owned);
    return { url: urlOf(owned), version, close: () => stopCluster(running.pid) };
  });
}

function urlOf({ port = 0, password }: State): string {
  return clusterUrl(port, password, databaseName);
}

async function makeFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
    const probe = path.join(dataDir, `.writable.${process.pid}`);
    await writeFile(probe, '');
    await rm(probe);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new EmbeddedPostgresError(`Cannot write to the data folder ${dataDir} (${code}); choose another with LATCHKEY_DATA_DIR.`);
  }
}

async function newState(dataDir: string, account: Account | undefined): Promise<State> {
  const isReachable = !account || (await canReach(dataDir, account));
  const name = `cluster-${digest(path.resolve(dataDir)).toString('hex').slice(0, 16)}`;
  const folder = isReachable ? path.join(path.resolve(dataDir), 'postgres') : path.join(systemFolder, name);
  if (!isReachable) await mkdir(systemFolder, { recursive: true, mode: 0o755 });
  const state = { folder, password: randomBytes(24).toString('hex') };
  // A cluster whose password is lost could not be opened again: the password is on disk before there is a cluster.
  await writeState(dataDir, state);
  return state;
}

async function readState(dataDir: string): Promise<State | undefined> {
  const text = await readFile(path.join(dataDir, 'postgres.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as State);
}

async function writeState(dataDir: string, state: State): Promise<void> {
  const file = path.join(dataDir, 'postgres.json');
  await writeFile(`${file}.${process.pid}`, JSON.stringify(state, null, 2), { mode: 0o600 });
  await rename(`${file}.${process.pid}`, file);
}

/** PostgreSQL refuses to run as root, and initdb wants an account that exists. */
function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [, uid = '65534', gid = '65534'] = /^nobody:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
