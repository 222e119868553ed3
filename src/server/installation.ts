import cluster from 'node:cluster';
import { createSecretKey, type KeyObject } from 'node:crypto';
import path from 'node:path';
import type { Config } from '../config.ts';
import { ensureSigningKeys } from '../domain/signing-keys/index.ts';
import { WrongKeyError } from '../platform/crypto/index.ts';
import {
  ChangeFeed,
  type Database,
  DatabaseClock,
  type Db,
  isMigrated,
  migrate,
  openDatabase,
  type Patience,
  persistently,
  reasonOf,
  waitForDatabase,
} from '../platform/database/index.ts';
import { hasEmbeddedPostgres, openEmbeddedPostgres } from '../platform/embedded-postgres/index.ts';
import { installJobs } from '../platform/jobs/index.ts';
import { hasRootKey, openServerKeys, rootKeyFromFolder, type ServerKeys } from '../platform/keys/index.ts';

/** The common parts of the server and the CLI: the database, migrated, and the keys, unsealed. */
export type Installation = {
  database: Database;
  databaseUrl: string;
  /** The location of the data, for display: the embedded folder, or host and name. */
  databaseName: string;
  rootKey: KeyObject;
  keys: ServerKeys;
  /** Used by processes that serve requests. */
  changes: ChangeFeed;
  /** The database's time; `now` reads it. */
  clock: DatabaseClock;
  now: () => Date;
  close: () => Promise<void>;
};

/** How a server waits for its database at the start: where it reports the reason, and what aborts it. */
export type Waiting = { report: (line: string) => void; signal?: AbortSignal | undefined };

const commandPatienceMs = 10_000;

/** The start failed; the message is one sentence for the operator. */
export class StartError extends Error {
  override name = 'StartError';
}

export type DatabaseLocation = { url: string; migrateUrl: string; name: string; close: () => Promise<void> };

/** Whether an installation exists; otherwise opening it creates one. An unreadable one counts as existing. */
export async function hasInstallation({ databaseUrl, dataDir }: Config): Promise<boolean> {
  return databaseUrl ? isMigrated(databaseUrl).catch(() => true) : hasEmbeddedPostgres(dataDir);
}

/** The location of the data, for display. */
export function nameOfPlace({ databaseUrl, dataDir }: Pick<Config, 'databaseUrl' | 'dataDir'>): string {
  if (!databaseUrl) return `the data folder ${dataDir}`;
  const { host, pathname } = new URL(databaseUrl);
  return `PostgreSQL at ${host}${pathname}`;
}

/**
 * The configured database, or the embedded one, started if it is not running.
 *
 * @param as a data folder has one server; commands and workers of the server are clients
 * @throws StartError, EmbeddedPostgresError with one sentence for the operator
 */
export async function openDatabaseServer(config: Config, as: 'server' | 'guest'): Promise<DatabaseLocation> {
  const { databaseUrl, migrateDatabaseUrl, dataDir } = config;
  if (databaseUrl) {
    const name = nameOfPlace(config);
    return { url: databaseUrl, migrateUrl: migrateDatabaseUrl ?? databaseUrl, name, close: async () => undefined };
  }
  await mustBeMeant(config);
  const embedded = await openEmbeddedPostgres({ dataDir, isServer: as === 'server' });
  const name = `PostgreSQL ${embedded.version}, embedded in ${dataDir}`;
  return { url: embedded.url, migrateUrl: embedded.url, name, close: embedded.close };
}

/** @throws StartError if the current folder has a data folder, too: either one could be meant */
async function mustBeMeant({ dataDir, isDataDirChosen }: Config): Promise<void> {
  const here = path.resolve('.latchkey');
  if (isDataDirChosen || here === dataDir || !(await hasEmbeddedPostgres(here))) return;
  throw new StartError(
    `There are two data folders: ${here} in this folder, and ${dataDir} in the checkout. Set LATCHKEY_DATA_DIR to one of them.`,
  );
}

/**
 * Opens the installation: database, migrations, root key, server keys, signing keys.
 *
 * @param waiting set by a server, which waits for a database that starts late; a command fails
 * @throws StartError, EmbeddedPostgresError with one sentence for the operator; the reason of the signal
 */
export async function openInstallation(config: Config, waiting?: Waiting): Promise<Installation> {
  const clock = new DatabaseClock();
  const { now } = clock;
  const location = await openDatabaseServer(config, waiting && cluster.isPrimary ? 'server' : 'guest');
  const database = openDatabase({
    url: location.url,
    poolSize: config.databasePoolSize,
    preparedStatements: config.preparedStatements,
    timeoutMs: config.databaseTimeoutMs,
    // A user at a terminal prefers waiting for a busy database to a refusal.
    ...(waiting ? {} : { poolTimeoutMs: commandPatienceMs }),
  });
  const close = async () => {
    await database.close();
    await location.close();
  };
  try {
    await migrateDatabase(config, location, waiting);
    const { rootKey, keys } = await persistently(patienceOf(config, waiting), async () => {
      await clock.measure(database.db);
      const rootKey = await rootKeyOf(config, database.db);
      const opened = await openServerKeys({ db: database.db, rootKey, now }).catch(explainRootKey);
      await ensureSigningKeys({ db: database.db, rootKey, now });
      return { rootKey, keys: opened };
    }).catch((error: unknown) => {
      explainRights(location.url)(error);
      throw error;
    });
    const changes = new ChangeFeed(database.watch, location.url, clock);
    const closeAll = async () => {
      await changes.close();
      await close();
    };
    return {
      database,
      databaseUrl: location.url,
      databaseName: location.name,
      rootKey,
      keys,
      changes,
      clock,
      now,
      close: closeAll,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function waitForLateDatabase(
  { databaseWaitSeconds: seconds }: Config,
  { name, migrateUrl, url }: DatabaseLocation,
  { report, signal }: Waiting,
): Promise<void> {
  let isReported = false;
  const announce = (reason: string) => {
    if (!isReported) report(`Waiting for ${name}, at most ${seconds} seconds: ${reason}.`);
    isReported = true;
  };
  const until = performance.now() + seconds * 1000;
  // The two may be different roles, one of which may only read.
  for (const each of new Set([migrateUrl, url]))
    await waitForDatabase(each, { seconds: Math.max(0, (until - performance.now()) / 1000), signal }, announce);
}

/**
 * Migrates the database to this version.
 *
 * @param waiting as for `openInstallation`
 * @returns names of the migrations applied now
 * @throws StartError when it cannot be reached or changed
 */
export async function migrateDatabase(
  config: Config,
  location: DatabaseLocation,
  waiting?: Waiting,
): Promise<string[]> {
  try {
    if (waiting) await waitForLateDatabase(config, location, waiting);
    const [url, role] = [location.migrateUrl, runningRole(config)];
    return await persistently(patienceOf(config, waiting), () =>
      migrate(url, role, (db) => installJobs(db, url, role)),
    );
  } catch (error) {
    waiting?.signal?.throwIfAborted();
    explainRights(location.migrateUrl)(error);
    return explainDatabase(location.name)(error);
  }
}

function patienceOf({ databaseWaitSeconds }: Config, waiting: Waiting | undefined): Patience {
  return { seconds: waiting ? databaseWaitSeconds : 0, signal: waiting?.signal };
}

/** With a separate migrating role, the role that serves requests gets only the rights it needs. */
function runningRole({ databaseUrl, migrateDatabaseUrl }: Config): string | undefined {
  if (!databaseUrl || !migrateDatabaseUrl) return undefined;
  const role = decodeURIComponent(new URL(databaseUrl).username);
  return role && role !== decodeURIComponent(new URL(migrateDatabaseUrl).username) ? role : undefined;
}

const insufficientPrivilege = '42501';

/**
 * The server of a new version with the serving role, before `latchkey migrate` ran.
 *
 * @throws StartError for a lack of rights; otherwise returns
 */
function explainRights(url: string) {
  return (error: unknown): void => {
    if (!(error instanceof Error && 'code' in error && error.code === insufficientPrivilege)) return;
    const role = decodeURIComponent(new URL(url).username);
    throw new StartError(
      `The database must be migrated first: the role "${role}" may not do it (${reasonOf(error)}). Run "latchkey migrate" of this version with DATABASE_URL for the role that serves and LATCHKEY_MIGRATE_DATABASE_URL for the role that owns the tables.`,
    );
  };
}

function explainDatabase(name: string) {
  return (error: unknown): never => {
    throw new StartError(
      `Cannot use ${name}: ${reasonOf(error)}. Check DATABASE_URL and that the database is running.`,
    );
  };
}

/** The key is generated with the installation only: one generated later would decrypt nothing. */
async function rootKeyOf({ rootKey, dataDir }: Config, db: Db): Promise<KeyObject> {
  if (rootKey) return createSecretKey(rootKey);
  if (!(await hasRootKey(dataDir)) && (await hasServerKeys(db))) throw wrongRootKey();
  return rootKeyFromFolder(dataDir);
}

async function hasServerKeys(db: Db): Promise<boolean> {
  return (await db.selectFrom('server_keys').select('id').limit(1).executeTakeFirst()) !== undefined;
}

function explainRootKey(error: unknown): never {
  throw error instanceof WrongKeyError ? wrongRootKey() : error;
}

function wrongRootKey(): StartError {
  return new StartError(
    'The root key differs from the one that this database was created with. Set LATCHKEY_ROOT_KEY (or restore the root-key file of the data folder) to the original one.',
  );
}
