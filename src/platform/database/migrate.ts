import { promises as fs } from 'node:fs';
import path from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import { programFile } from '../program/index.ts';
import { databaseTime } from './database-time.ts';
import { openPool } from './pool.ts';

export type MigrationState = { name: string; applied_at: Date | null };

const migrationFolder = programFile('db/migrations');
const partitionsAhead = 24;
const fewestAhead = 12;

/**
 * Migrates the database to this version. Safe when several nodes do it at once (one waits for the other), and when repeated.
 *
 * @param runningRole the role that serves requests, if it is not the migrating one: it gets its rights here
 * @param others brings schemas that are not ours to this version, over the same connection
 * @returns names of the migrations applied now
 */
export async function migrate(
  url: string,
  runningRole?: string,
  others?: (db: Kysely<unknown>) => Promise<void>,
): Promise<string[]> {
  return withDatabase(url, async (db) => {
    const { error, results = [] } = (await isPending(db)) ? await migrator(db).migrateToLatest() : { error: undefined };
    if (error) throw error;
    await addAuditPartitions(db, await databaseTime(db));
    await sql`select audit_continue_after_restore()`.execute(db);
    // In one transaction: at no moment does a serving role have rights that are granted and then revoked here.
    if (runningRole) await db.transaction().execute((trx) => grantRights(trx, runningRole));
    if (others) await others(db);
    return results.map(({ migrationName }) => migrationName);
  });
}

/** Every migration this version knows, and when it was applied. */
export async function migrationStates(url: string): Promise<MigrationState[]> {
  return withDatabase(url, async (db) => {
    const migrations = await migrator(db).getMigrations();
    return migrations.map(({ name, executedAt }) => ({ name, applied_at: executedAt ?? null }));
  });
}

/** Whether this database contains anything of Latchkey. @throws when it cannot be read */
export async function isMigrated(url: string): Promise<boolean> {
  return withDatabase(url, hasMigrations);
}

async function hasMigrations(db: Kysely<unknown>): Promise<boolean> {
  const query = sql<{ present: boolean }>`select to_regclass('kysely_migration') is not null as present`;
  return (await query.execute(db)).rows[0]?.present === true;
}

/**
 * Whether this version has migrations that the database lacks. They are compared by name: loading them all takes a tenth of a start,
 * and most starts need none. A database that a newer version has migrated is used as it is: each migration is safe under a running
 * older version, so a node that restarts during a rolling upgrade continues.
 */
async function isPending(db: Kysely<unknown>): Promise<boolean> {
  if (!(await hasMigrations(db))) return true;
  const known = await namesOfMigrations();
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  const applied = new Set(rows.map(({ name }) => name));
  const isNewer = rows.some(({ name }) => !known.includes(name));
  return !isNewer && known.some((name) => !applied.has(name));
}

async function namesOfMigrations(): Promise<string[]> {
  const files = await fs.readdir(migrationFolder);
  return files.filter((file) => file.endsWith('.ts')).map((file) => path.basename(file, '.ts'));
}

async function withDatabase<T>(url: string, work: (db: Kysely<unknown>) => Promise<T>): Promise<T> {
  const pool = openPool({ connectionString: url, max: 2, application_name: 'latchkey migrate' });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

function migrator(db: Kysely<unknown>): Migrator {
  const provider = new FileMigrationProvider({ fs, path, migrationFolder });
  // Branches that were merged late bring migrations with lower numbers than a database may have seen.
  return new Migrator({ db, provider, allowUnorderedMigrations: true });
}

/**
 * Months are partitions so that old ones can be removed whole; the default partition accepts any other row. While enough partitions exist
 * in advance none is created: a role that only serves requests may not, and can start all the same.
 */
async function addAuditPartitions(db: Kysely<unknown>, now: Date): Promise<void> {
  if (await exists(db, partition(now, fewestAhead).name)) return;
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('latchkey audit partitions'))`.execute(trx);
    for (let month = 0; month < partitionsAhead; month += 1) {
      const { name, from, to } = partition(now, month);
      await sql`create table if not exists ${sql.table(name)} partition of audit_events
        for values from (${sql.lit(from)}) to (${sql.lit(to)})`.execute(trx);
    }
  });
}

/** The partition of the month so many months ahead. */
function partition(now: Date, ahead: number): { name: string; from: string; to: string } {
  const [from, to] = [ahead, ahead + 1].map((months) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1)).toISOString(),
  ) as [string, string];
  return { name: `audit_events_${from.slice(0, 7).replace('-', '_')}`, from, to };
}

async function exists(db: Kysely<unknown>, table: string): Promise<boolean> {
  const { rows } = await sql<{ is_there: boolean }>`select to_regclass(${table}) is not null as is_there`.execute(db);
  return rows[0]?.is_there === true;
}

// The role that serves requests may only append to the audit log; a function erases personal data for it.
const readOnlyTables = ['audit_retentions', 'audit_positions'];
// Only the migrating role records which migrations were applied.
const migrationTables = ['kysely_migration', 'kysely_migration_lock'];

async function grantRights(db: Kysely<unknown>, role: string): Promise<void> {
  await sql`grant usage on schema public to ${sql.id(role)}`.execute(db);
  await sql`grant select, insert, update, delete on all tables in schema public to ${sql.id(role)}`.execute(db);
  await sql`grant usage, select on all sequences in schema public to ${sql.id(role)}`.execute(db);
  const { rows } = await sql<{ name: string; is_partition: boolean }>`
    select relname as name, relispartition as is_partition from pg_class
    where relname like 'audit\\_%' and relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`.execute(db);
  for (const { name } of rows) {
    await sql`revoke update, delete, truncate on ${sql.table(name)} from ${sql.id(role)}`.execute(db);
  }
  // Events are inserted through their table, never into one of its partitions.
  const partitions = rows.filter(({ is_partition }) => is_partition).map(({ name }) => name);
  for (const name of [...partitions, ...readOnlyTables, ...migrationTables]) {
    await sql`revoke insert, update, delete on ${sql.table(name)} from ${sql.id(role)}`.execute(db);
  }
  await sql`grant execute on function audit_erase_details(text, integer) to ${sql.id(role)}`.execute(db);
}
