import { randomBytes } from 'node:crypto';
import { migrate } from '../../../src/platform/database/index.ts';
import { createTestDatabase, queryOnce, type TestDatabase } from '../../support/database.ts';

const aYear = 365 * 86_400;
const aboutHalfAYear = 180 * 86_400;

describe('a database with an owner role and a serving role', () => {
  const role = `latchkey_${randomBytes(6).toString('hex')}`;
  let database: TestDatabase;
  let runningUrl: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query(`create role ${role} login password 'only for this test'`);
    runningUrl = Object.assign(new URL(database.url), { username: role, password: 'only for this test' }).href;
  });
  afterAll(async () => {
    await database.query(`drop owned by ${role}`);
    await database.drop();
  });

  test('starts with the serving role alone once the owner role has migrated it', async () => {
    expect(await migrate(database.url, role)).toContain('0001_initial');
    expect(await migrate(runningUrl)).toEqual([]);
    await database.advance(aboutHalfAYear);
    expect(await migrate(runningUrl)).toEqual([]);
  });

  test('does not let the serving role change or delete recorded events', async () => {
    await migrate(database.url, role);
    const rights = ['update', 'delete', 'truncate'].map(
      (right) => `has_table_privilege($1, 'audit_events', '${right}')`,
    );
    const { rows } = await database.query(`select ${rights.join(' or ')} as may from (select 1) one`, [role]);
    expect(rows).toEqual([{ may: false }]);
  });

  test('does not let the serving role replace the clock by which rows expire', async () => {
    await migrate(database.url, role);
    const replace = `create or replace function latchkey_now() returns timestamptz language sql as 'select now()'`;
    await expect(queryOnce(runningUrl, replace)).rejects.toThrow(/must be owner|permission denied/);
  });

  test('gets a partition for every month of the next two years, again a year later', async () => {
    await migrate(database.url, role);
    await database.advance(aYear);
    await migrate(database.url, role);
    const { rows } = await database.query(`select
      to_regclass('audit_events_' || to_char(latchkey_now() + interval '23 months', 'YYYY_MM')) is not null as there`);
    expect(rows).toEqual([{ there: true }]);
  });
});
