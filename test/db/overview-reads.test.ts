import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from '../../db/schema.ts';
import { countActivity, readActiveSessions, readActivity, usageOfClient } from '../../src/domain/activity/activity.ts';
import { listAttention } from '../../src/domain/overview/attention.ts';
import { readFirstSteps } from '../../src/domain/overview/first-steps.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

type Plan = { 'Node Type': string; 'Relation Name'?: string; Plans?: Plan[] };
type Query = { sql: string; parameters: readonly unknown[] };

// Small tables are read completely.
const small = [
  'webhooks',
  'signing_keys',
  'audit_positions',
  'activity_positions',
  'resource_servers',
  'clients',
  'users',
];

describe('the figures of the overview', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let db: Kysely<Database>;
  let queries: Query[] = [];
  beforeAll(async () => {
    database = await createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
    pool = new pg.Pool({ connectionString: database.url, options: '-c enable_seqscan=off' });
    const log = ({ query }: { query: Query }) => void queries.push(query);
    db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }), log });
    await database.query(`insert into subjects (id, kind) values ('019ae000-0000-7000-8000-000000000001', 'client');
      insert into clients (id, client_id, type, metadata, resources, service_permissions, introspects, lifetimes, created_at, updated_at)
        values ('019ae000-0000-7000-8000-000000000001', 'billing', 'service', '{}', '{}', '{}', '[]', '{}', now(), now())`);
  });
  afterAll(async () => {
    await db.destroy();
    await database.drop();
  });

  const deps = () => ({ db, now: () => new Date(), clockSkewMs: () => 0 });
  const permissions = ['latchkey:*'];
  const scans = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(scans)];

  test.each([
    ['counting', () => countActivity(deps(), 1000)],
    ['a day', () => readActivity(deps(), { step: '1h' })],
    ['active sessions', () => readActiveSessions(deps())],
    ['the usage of a client', () => usageOfClient(deps(), { client_id: 'billing', days: 30 })],
    ['what needs attention', () => listAttention(deps(), { kind: 'user', id: '', permissions, origin: {} })],
    ['first steps', () => readFirstSteps(deps())],
  ])('%s: an index serves every read of a large table', async (_, read) => {
    queries = [];
    await read();
    const tables: string[] = [];
    for (const { sql, parameters } of queries.filter((query) => /^\s*(select|with|insert|update)/.test(query.sql))) {
      const { rows } = await pool.query(`explain (format json) ${sql}`, [...parameters]);
      const nodes = scans(rows[0]['QUERY PLAN'][0].Plan);
      tables.push(
        ...nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => String(node['Relation Name'])),
      );
    }
    expect(queries.length).toBeGreaterThan(0);
    expect(tables.filter((table) => !small.includes(table))).toEqual([]);
  });
});
