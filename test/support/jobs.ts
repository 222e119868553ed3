import type { JobName } from '../../src/platform/jobs/index.ts';
import type { TestDatabase } from './database.ts';

/** Queues a job to run now, as pg-boss does. @returns its id */
export async function queueJob({ query }: Pick<TestDatabase, 'query'>, name: JobName): Promise<string> {
  const { rows } = await query(
    `with job as (
        insert into pgboss.job (name, data, retry_limit, retry_delay)
          select name, '{}', retry_limit, retry_delay from pgboss.queue where name = $1 returning id, name
      )
      select id, pg_notify('pgboss_' || left(encode(sha224('pgboss'), 'hex'), 24), name) from job`,
    [name],
  );
  return rows[0]?.id;
}
