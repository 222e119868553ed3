import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Queue } from 'pg-boss';
import { programFile } from '../program/index.ts';
import { queues } from './queues.ts';

/** PostgreSQL notifies listening nodes of new jobs. */
const definitions: [string, Omit<Queue, 'name'> & { cron?: string }][] = Object.entries(queues).map(
  ([name, definition]) => [name, { ...definition, notify: true }],
);

/**
 * Creates pg-boss's tables and our queues, as the role that owns them; one read if they exist. Several nodes may do it at once.
 *
 * @param db connections of that role
 * @param url the same for pg-boss, which opens its own
 * @param runningRole the role that serves requests, if it is not the owner: it gets its rights here
 */
export async function installJobs(db: Kysely<unknown>, url: string, runningRole?: string): Promise<void> {
  const version = installedVersion();
  const installed = sql<{ version: string | null }>`
    select obj_description(to_regnamespace('pgboss'), 'pg_namespace') as version`;
  if ((await installed.execute(db)).rows[0]?.version !== version) {
    await makeQueues(url);
    await sql`comment on schema pgboss is ${sql.lit(version)}`.execute(db);
  }
  if (runningRole) await grantRights(db, sql.id(runningRole));
}

/** The versions of pg-boss and of the queues: if the schema has the same, nothing is created. */
function installedVersion(): string {
  const { dependencies } = JSON.parse(readFileSync(programFile('package.json'), 'utf8'));
  const digest = createHash('sha256').update(JSON.stringify(definitions)).digest('hex').slice(0, 16);
  return `pg-boss ${dependencies['pg-boss']}, queues ${digest}`;
}

async function makeQueues(url: string): Promise<void> {
  const { PgBoss } = await import('pg-boss');
  const boss = new PgBoss({
    connectionString: url,
    max: 1,
    supervise: false,
    schedule: false,
    application_name: 'latchkey migrate',
  });
  let failure: Error | undefined;
  boss.on('error', (error) => {
    failure = error;
  });
  await boss.start();
  try {
    const present = new Set((await boss.getQueues()).map(({ name }) => name));
    for (const [name, { cron, policy, ...changeable }] of definitions) {
      if (present.has(name)) await boss.updateQueue(name, changeable);
      else await boss.createQueue(name, { ...changeable, ...(policy && { policy }) });
      if (cron) await boss.schedule(name, cron);
    }
  } finally {
    await boss.stop({ graceful: false });
  }
  if (failure) throw failure;
}

async function grantRights(db: Kysely<unknown>, role: RawBuilder<unknown>): Promise<void> {
  await sql`grant usage on schema pgboss to ${role}`.execute(db);
  await sql`grant select, insert, update, delete on all tables in schema pgboss to ${role}`.execute(db);
  await sql`grant usage, select on all sequences in schema pgboss to ${role}`.execute(db);
  await sql`grant execute on all functions in schema pgboss to ${role}`.execute(db);
}
