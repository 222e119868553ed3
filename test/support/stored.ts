import type { TestDatabase } from './database.ts';

const tables = [
  ...['access_tokens', 'jwt_access_tokens', 'refresh_families', 'authorization_codes', 'grants', 'consents'],
  ...['sessions', 'interactions', 'pushed_requests', 'device_codes', 'replay_detection'],
];

/**
 * The number of rows in each table that requests write to: a refused request does not change it. Once a minute is over, the server adds
 * events with the number of refusals in it: these are not counted.
 */
export async function storedRows({ query }: TestDatabase): Promise<Record<string, number>> {
  const counts = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`);
  const events = `(select count(*)::int from audit_events where details ->> 'more' is null) as audit_events`;
  const { rows } = await query(`select ${[...counts, events].join(', ')}`);
  return rows[0];
}
