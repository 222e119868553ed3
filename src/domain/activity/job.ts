import type { JobHandler } from '../../platform/jobs/index.ts';
import { type ActivityDeps, countActivity, sampleSessions } from './activity.ts';
import { noteLastUses } from './store.ts';

// Well below the time limit of a job (`expireInSeconds` of its queue).
const budgetMs = 30_000;

/** The job that counts activity. */
export function rollUpActivity(deps: Pick<ActivityDeps, 'db'>): JobHandler {
  return async () => {
    await sampleSessions(deps);
    await countActivity(deps, budgetMs);
    await noteLastUses(deps.db);
  };
}
