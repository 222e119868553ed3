import pg from 'pg';
import { PgBoss, type Queue } from 'pg-boss';
import { queues } from './queues.ts';

/**
 * Makes pg-boss's tables and our queues, as the role that owns them; quick when they are there. Several nodes may do it at once.
 *
 * @param runningRole the role that serves requests, when it is another: it gets its rights here
 */
export async function installJobs(url: string, runningRole?: string): Promise<void> {
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
    for (const [name, definition] of Object.entries(queues)) {
      const { cron, ...queue }: Omit<Queue, 'name'> & { cron?: string } = definition;
      if (!present.has(name)) await boss.createQueue(name, queue);
      if (cron) await boss.schedule(name, cron);
    }
  } finally {
    await boss.stop({ graceful: false });
  }
  if (failure) throw failure;
  if (runningRole) await grantRights(url, runningRole);
}

async function grantRights(url: string, role: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const name = client.escapeIdentifier(role);
    await client.query(`grant usage on schema pgboss to ${name};
      grant select, insert, update, delete on all tables in schema pgboss to ${name};
      grant usage, select on all sequences in schema pgboss to ${name};
      grant execute on all functions in schema pgboss to ${name}`);
  } finally {
    await client.end();
  }
}
