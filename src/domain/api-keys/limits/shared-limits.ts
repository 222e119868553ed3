import type { Db } from '../../../platform/database/index.ts';
import type { Counter, Limits, Taken } from './counters.ts';
import { takeFromLimits } from './store.ts';

/** Limits that all nodes count together, exactly: each limited request costs one round trip to the database. */
export function sharedLimits(db: Db): Limits {
  return {
    takeNow: (counters) => (counters.length === 0 ? { refusing: undefined, values: [] } : undefined),
    take: (counters) => take(db, counters),
    close: async () => undefined,
  };
}

async function take(db: Db, counters: readonly Counter[]): Promise<Taken> {
  const [refusing = 0, ...values] = await takeFromLimits(db, counters);
  return { refusing: refusing > 0 ? refusing - 1 : undefined, values };
}
