import { type ChildProcess, fork } from 'node:child_process';
import { createSecretKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, rm, statfs, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ensureSigningKeys } from '../../src/domain/signing-keys/index.ts';
import { migrate, openDatabase } from '../../src/platform/database/index.ts';
import { openEmbeddedPostgres } from '../../src/platform/embedded-postgres/index.ts';
import { installJobs } from '../../src/platform/jobs/index.ts';
import { openServerKeys } from '../../src/platform/keys/index.ts';
import { createTestDatabase, queryOnce } from './database.ts';
import { applyInHost, hostRoles, socketOfHost } from './hosted-server.ts';
import { standardInstallation } from './installation.ts';
import { testRootKey } from './server.ts';

type Run = { stopTests?: () => Promise<void> };

/**
 * One PostgreSQL cluster for the whole run. Every test file gets its own database, copied from one that is already migrated, or that
 * also has the standard installation. The copies include the keys of a first start: creating RSA keys takes as long as the rest.
 */
export default async function setUp({ maxWorkers }: { maxWorkers: number }): Promise<void> {
  process.env.TMPDIR = await temporaryFolder();
  const cluster = await openCluster();
  process.env.LATCHKEY_TEST_ADMIN_URL = cluster.url;
  const migrated = await createTestDatabase(cluster.url);
  await migrate(migrated.url, undefined, (db) => installJobs(db, migrated.url));
  await makeKeys(migrated.url);
  await dropEmptyMonths(migrated.url);
  process.env.LATCHKEY_TEST_MIGRATED = new URL(migrated.url).pathname.slice(1);
  const hosts = await openHosts(maxWorkers);
  const standard = await createTestDatabase(cluster.url, process.env.LATCHKEY_TEST_MIGRATED);
  await applyStandard(standard.url);
  process.env.LATCHKEY_TEST_STANDARD = new URL(standard.url).pathname.slice(1);
  (globalThis as Run).stopTests = async () => {
    await hosts.close();
    await standard.drop();
    await migrated.drop();
    await cluster.close();
  };
}

/** In memory if there is enough: a database has nine hundred files, and copying it on a disk takes a second of kernel time. */
async function temporaryFolder(): Promise<string> {
  const inMemory = '/dev/shm';
  const needed = 8 * 1024 ** 3;
  const free = await statfs(inMemory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return Math.min(free, process.availableMemory()) > needed ? inMemory : os.tmpdir();
}

/** Applies the standard installation, with which most tests start, once. */
async function applyStandard(url: string): Promise<void> {
  const folder = process.env.LATCHKEY_TEST_HOSTS ?? '';
  const file = path.join(folder, 'standard.json');
  await writeFile(file, JSON.stringify(standardInstallation));
  const settings = { LATCHKEY_ROOT_KEY: testRootKey, DATABASE_URL: url, LATCHKEY_APPLY: file };
  await applyInHost(socketOfHost(folder, 1, 'first'), settings);
}

/**
 * Most connections of tests are new, and plan queries of the audit log first. This opens each partition: with 24 of them a query took
 * 140 ms, with three 30 ms. The partitions of this month, the next one and the one that a start checks stay; the default partition has
 * the rest.
 */
async function dropEmptyMonths(url: string): Promise<void> {
  const { rows } = await queryOnce(
    url,
    `select relname as name from pg_class where relname ~ '^audit_events_\\d{4}_\\d\\d$' and relkind = 'r' order by 1`,
  );
  const empty = rows.filter((_, month) => month > 1 && month !== 12);
  await queryOnce(url, `drop table ${empty.map(({ name }) => name).join(', ')}`);
  await queryOnce(
    url,
    'vacuum pg_class, pg_attribute, pg_index, pg_constraint, pg_depend, pg_trigger, pg_type, pg_attrdef',
  );
}

async function makeKeys(url: string): Promise<void> {
  const { db, close } = openDatabase({ url, poolSize: 1, preparedStatements: true });
  const deps = { db, rootKey: createSecretKey(testRootKey, 'base64'), now: () => new Date() };
  await openServerKeys(deps);
  await ensureSigningKeys(deps);
  await close();
}

/** The server hosts for each worker of Jest; they load the program with their first server. */
async function openHosts(workers: number): Promise<{ close: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-hosts-'));
  process.env.LATCHKEY_TEST_HOSTS = folder;
  const log = await open(path.join(folder, 'log'), 'w');
  const hosts = new Set<ChildProcess>();
  let isOpen = true;
  const start = async (socket: string): Promise<void> => {
    const host = startHost(socket, log.fd);
    hosts.add(host);
    host.once('exit', () => {
      hosts.delete(host);
      // Only the test whose server ended the host fails; later ones get a new host.
      if (isOpen) void start(socket);
    });
    await Promise.race([once(host, 'message'), once(host, 'exit')]);
  };
  const numbers = Array.from({ length: workers }, (_, n) => n + 1);
  const sockets = numbers.flatMap((worker) => hostRoles.map((role) => socketOfHost(folder, worker, role)));
  await Promise.all(sockets.map(start));
  return {
    close: async () => {
      isOpen = false;
      for (const host of hosts) host.disconnect();
      await Promise.all([...hosts].map((host) => once(host, 'exit')));
      await log.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function startHost(socket: string, log: number): ChildProcess {
  return fork(path.join(import.meta.dirname, 'server-host.ts'), [socket], {
    // The same value as in bin/latchkey.js.
    env: { PATH: process.env.PATH ?? '', UV_THREADPOOL_SIZE: '8' },
    // It serves many installations, so rare garbage collection pays off.
    execArgv: ['--no-warnings', '--max-semi-space-size=32'],
    stdio: ['ignore', log, log, 'ipc'],
  });
}

/** Its data is deleted after the run, and a test that needs statistics of its tables runs `analyze` itself. */
const clusterSettings = {
  max_connections: '400',
  fsync: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  jit: 'off',
  io_method: 'sync',
  max_parallel_workers_per_gather: '0',
};

async function openCluster(): Promise<{ url: string; close: () => Promise<void> }> {
  const given = process.env.LATCHKEY_TEST_DATABASE_URL;
  if (given) return { url: given, close: async () => undefined };
  const dataDir = await mkdtemp(path.join(os.tmpdir(), 'latchkey-test-'));
  const { url, close } = await openEmbeddedPostgres({ dataDir, settings: clusterSettings });
  return {
    url,
    close: async () => {
      await close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
