import { sql } from 'kysely';
import type { Db } from '../database/index.ts';
import { type JobName, jobNames } from './queues.ts';

export type FailedJobs = {
  name: JobName;
  /** A thousand at most. */
  count: number;
  last_at: Date;
};

/** The jobs that failed for good in the last 24 hours, by name. Their times are those of PostgreSQL's clock, as pg-boss stores them. */
export async function listFailedJobs(db: Db): Promise<FailedJobs[]> {
  const { rows } = await sql<FailedJobs>`
    select n.name, f.count, f.last_at from unnest(${jobNames}::text[]) n(name)
      cross join lateral (select count(*)::int as count, max(completed_on) as last_at from (
        select j.completed_on from pgboss.job j where j.name = n.name and j.completed_on > now() - interval '24 hours'
          and j.state = 'failed' order by j.completed_on desc limit 1000) j) f
      where f.count > 0`.execute(db);
  return rows;
}
