import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accountFor } from './account.ts';
import { type Folder, folderOf, getRecord, hasCluster, makeCluster, removeDrafts } from './cluster.ts';
import { databaseUrl, untilReady } from './connect.ts';
import { EmbeddedPostgresError, systemCode } from './embedded-postgres-error.ts';
import { birthOf, isAlive } from './liveness.ts';
import { takeLock } from './lock.ts';
import { findPostmaster, type Postmaster, startPostmaster, stopPostmaster } from './postmaster.ts';
import { findPrograms } from './programs.ts';
import { type ClusterRecord, readRecord, writeRecord } from './record.ts';
import { failureIn } from './run.ts';

export type EmbeddedPostgres = {
  /** The URL of the database `latchkey`, as its superuser. */
  url: string;
  /** The version of the server, such as `18.4`. */
  version: string;
  /** Stops the server if this process owns it, and resolves when it has exited. May be repeated. */
  close: () => Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** Created if missing. */
  dataDir: string;
  /** Settings of PostgreSQL, for a server that is started; a running one keeps its own. */
  settings?: Record<string, string>;
  /** Whether this process serves from the data folder. Only one may; commands can run at the same time. */
  isServer?: boolean;
};

type Opening = { folder: Folder; settings: Record<string, string>; attempts: number };

const mostAttempts = 10;

/**
 * Opens the PostgreSQL of a data folder, on loopback only: creates it the first time, starts it, or connects to the one that another
 * process owns. If the owner was killed, this process takes the server over. Committed data survives a crash.
 *
 * @throws EmbeddedPostgresError with one sentence for the person at the terminal
 */
export async function openEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = path.resolve(options.dataDir);
  try {
    await mkdir(dataDir, { recursive: true });
    const folder = folderOf(await realpath(dataDir));
    return await locked(folder, async () => {
      if (options.isServer) await mustBeOnlyServer(folder);
      const opened = await joinOrStart({ folder, settings: options.settings ?? {}, attempts: 1 });
      return options.isServer ? servedHere(folder, opened) : opened;
    });
  } catch (error) {
    throw explained(error, dataDir);
  }
}

/** Whether this data folder has a database. */
export async function hasEmbeddedPostgres(dataDir: string): Promise<boolean> {
  return hasCluster(folderOf(path.resolve(dataDir)));
}

/** @throws EmbeddedPostgresError naming the process that serves there */
async function mustBeOnlyServer(folder: Folder): Promise<void> {
  const server = (await readRecord(folder.record))?.server;
  if (!server || server.pid === process.pid || !isAlive(server.pid) || (await birthOf(server.pid)) !== server.born)
    return;
  throw new EmbeddedPostgresError(
    `A server (process ${server.pid}) already uses the data folder ${folder.dataDir}: stop it first, or set LATCHKEY_DATA_DIR to another folder.`,
  );
}

async function servedHere(folder: Folder, opened: EmbeddedPostgres): Promise<EmbeddedPostgres> {
  const server = { pid: process.pid, born: await birthOf(process.pid) };
  await writeRecord(folder.record, { ...(await getRecord(folder)), server });
  return {
    ...opened,
    close: async () => {
      await opened.close();
      await locked(folder, async () => {
        const { server: last, ...record } = await getRecord(folder);
        if (last?.pid === process.pid) await writeRecord(folder.record, record);
      });
    },
  };
}

async function joinOrStart(opening: Opening): Promise<EmbeddedPostgres> {
  const { folder } = opening;
  const postmaster = await findPostmaster(folder.cluster);
  if (!postmaster) return start(opening);
  const record = await getRecord(folder);
  const hasEnded = async () => (await findPostmaster(folder.cluster))?.pid !== postmaster.pid;
  const version = await untilReady({ port: postmaster.port, password: record.password, hasEnded });
  if (version === undefined) return joinOrStart(opening);
  const url = databaseUrl(postmaster.port, record.password);
  if (isKept(record, postmaster)) return { url, version, close: async () => undefined };
  await recordKeeping(folder, record, postmaster);
  return { url, version, close: closing(folder, postmaster.pid) };
}

async function start({ folder, settings, attempts }: Opening): Promise<EmbeddedPostgres> {
  const isNew = !(await hasCluster(folder));
  const account = await accountFor(isNew ? undefined : folder.cluster);
  const place = { account, programs: await findPrograms(account) };
  await removeDrafts(folder);
  if (isNew) await makeCluster(folder, place);
  const record = await getRecord(folder);
  const started = await startPostmaster(folder, place, settings);
  try {
    await recordKeeping(folder, record, started);
    const hasEnded = async () => started.hasEnded();
    const version = await untilReady({ port: started.port, password: record.password, hasEnded });
    const url = databaseUrl(started.port, record.password);
    if (version !== undefined) return { url, version, close: closing(folder, started.pid) };
  } catch (error) {
    await stopPostmaster(folder.cluster, started.pid);
    throw error;
  }

  const failure = failureIn(await started.log());
  if (attempts === mostAttempts || !isPassing(failure)) {
    throw new EmbeddedPostgresError(`PostgreSQL did not start: ${failure} (the rest is in ${folder.log}).`);
  }
  await sleep(200);
  return joinOrStart({ folder, settings, attempts: attempts + 1 });
}

/** The port was taken since we checked, or processes of a killed server are still ending. */
function isPassing(failure: string): boolean {
  return /could not create any TCP\/IP sockets|already exists|pre-existing shared memory/.test(failure);
}

function isKept({ running }: ClusterRecord, { pid }: Postmaster): boolean {
  return running !== undefined && running.postmaster_pid === pid && isAlive(running.owner_pid);
}

async function recordKeeping(
  { record: file }: Folder,
  record: ClusterRecord,
  { port, pid }: Postmaster,
): Promise<void> {
  await writeRecord(file, { ...record, running: { port, postmaster_pid: pid, owner_pid: process.pid } });
}

function closing(folder: Folder, pid: number): () => Promise<void> {
  let closed: Promise<void> | undefined;
  return () => {
    closed ??= stop(folder, pid);
    return closed;
  };
}

// Under the lock: a process that opens in the meantime waits and starts a new server, instead of connecting to one that is stopping.
async function stop(folder: Folder, pid: number): Promise<void> {
  await locked(folder, async () => {
    await stopPostmaster(folder.cluster, pid);
    const { running, ...record } = await getRecord(folder);
    if (running?.postmaster_pid === pid) await writeRecord(folder.record, record);
  });
}

async function locked<T>({ lock }: Folder, work: () => Promise<T>): Promise<T> {
  const giveBack = await takeLock(lock);
  try {
    return await work();
  } finally {
    await giveBack();
  }
}

const reasons: Record<string, string> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it is read-only',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'part of its path is a file',
  EEXIST: 'a file has its name',
  ENOENT: 'it cannot be created there',
};

function explained(error: unknown, dataDir: string): unknown {
  const reason = reasons[systemCode(error) ?? ''];
  return reason === undefined
    ? error
    : new EmbeddedPostgresError(`The data folder ${dataDir} cannot be used: ${reason} (${systemCode(error)}).`, {
        cause: error,
      });
}
