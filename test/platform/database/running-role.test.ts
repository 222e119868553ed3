import { randomBytes } from 'node:crypto';
import { migrate } from '../../../src/platform/database/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

const now = new Date('2026-03-15T12:00:00Z');
const aYearLater = new Date('2027-03-15T12:00:00Z');

describe('a database that one role owns and another uses', () => {
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

  test('starts with the using role alone once the owning one has migrated it', async () => {
    expect(await migrate(database.url, now, role)).toContain('0001_initial');
    expect(await migrate(runningUrl, now)).toEqual([]);
    expect(await migrate(runningUrl, new Date('2026-09-15T12:00:00Z'))).toEqual([]);
  });

  test('lets the using role neither change nor delete what was recorded', async () => {
    await migrate(database.url, now, role);
    const rights = ['update', 'delete', 'truncate'].map(
      (right) => `has_table_privilege($1, 'audit_events', '${right}')`,
    );
    const { rows } = await database.query(`select ${rights.join(' or ')} as may from (select 1) one`, [role]);
    expect(rows).toEqual([{ may: false }]);
  });

  test('gets a partition for every month of the next two years, again a year later', async () => {
    await migrate(database.url, now, role);
    await migrate(database.url, aYearLater, role);
    const { rows } = await database.query(`select to_regclass('audit_events_2029_02') is not null as there`);
    expect(rows).toEqual([{ there: true }]);
  });
});
