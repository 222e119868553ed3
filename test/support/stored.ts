import type { TestDatabase } from './database.ts';

const tables = [
  ...['access_tokens', 'jwt_access_tokens', 'refresh_families', 'authorization_codes', 'grants', 'consents'],
  ...['sessions', 'interactions', 'pushed_requests', 'device_codes', 'replay_detection', 'audit_events'],
];

/** The number of rows in each table that requests write to: a refused request does not change it. */
export async function storedRows({ query }: TestDatabase): Promise<Record<string, number>> {
  const counts = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`);
  const { rows } = await query(`select ${counts.join(', ')}`);
  return rows[0];
}
