import { reasonOf } from '../../platform/database/index.ts';
import type { JobHandler } from '../../platform/jobs/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import type { Metrics } from '../../platform/metrics/index.ts';
import type { Expiry } from './expiry.ts';
import { expiringTables } from './store.ts';

/**
 * The job that removes expired rows. If it fails for a table, metrics report the table, and the log also reports the cause.
 */
export function removeExpired({ expiry, log, metrics }: { expiry: Expiry; log: Logger; metrics: Metrics }): JobHandler {
  const tables = [...new Set(expiringTables.map(({ name }) => name))];
  const removedRows = metrics.counter('expired_rows_removed_total', {
    help: 'Expired rows that were deleted, by table',
    label: 'table',
    values: tables,
  });
  const failedTables = metrics.counter('expiry_failures_total', {
    help: 'Runs that could not delete all expired rows of a table, by table',
    label: 'table',
    values: tables,
  });
  return async () => {
    const { removed, failures } = await expiry.removeExpired();
    for (const [table, rows] of Object.entries(removed)) removedRows(table, rows);
    log.info({ removed }, 'removed what has expired');
    for (const { table, cause } of failures) {
      failedTables(table, 1);
      log.error({ table, err: cause }, 'expired rows of a table could not be removed');
    }
    const described = failures.map(({ table, cause }) => `${table} (${reasonOf(cause)})`);
    if (described.length > 0) throw new Error(`expired rows could not be removed from ${described.join(', ')}`);
  };
}
