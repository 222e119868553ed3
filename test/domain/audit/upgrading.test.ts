import { promises as fs } from 'node:fs';
import path from 'node:path';
import { Kysely, PostgresDialect } from 'kysely';
import { FileMigrationProvider, Migrator } from 'kysely/migration';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { startServerProcess } from '../../support/server.ts';
import { sealed, verified } from './support/log.ts';

const migrationFolder = path.join(import.meta.dirname, '../../../db/migrations');

/** The tables before the chain was introduced. */
async function migrateWithoutChain(url: string): Promise<void> {
  const all = new FileMigrationProvider({ fs, path, migrationFolder });
  const provider = {
    getMigrations: async () => {
      const migrations = Object.entries(await all.getMigrations());
      return Object.fromEntries(migrations.filter(([name]) => name < '0004_audit_chain'));
    },
  };
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  await db.destroy();
  if (error) throw error;
}

describe('a log from a version without the chain', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await migrateWithoutChain(database.url);
  });
  afterAll(() => database.drop());

  const writeAsBefore = (count: number) =>
    database.query(
      `insert into audit_events (id, occurred_at, actor_kind, action, outcome, address, user_agent, details)
        select gen_random_uuid(), now() - interval '1 year', 'user', 'session.started', 'success', '192.0.2.' || n % 250,
          case when n % 2 = 0 then 'a browser' end, '{"n": 1}' from generate_series(1, $1::int) n`,
      [count],
    );

  test('is added to the chain as a whole, and so are events that an older version still writes', async () => {
    await writeAsBefore(1300);
    const server = await startServerProcess({ databaseUrl: database.url });
    await sealed(database);
    const proof = await verified(database);
    expect(proof.fault).toBeUndefined();
    expect(proof.segments).toBeGreaterThan(2);
    expect(proof.events - proof.without_details).toBeGreaterThanOrEqual(1300);

    await database.query(
      `insert into audit_events (id, occurred_at, actor_kind, action, outcome, address)
        values (gen_random_uuid(), now(), 'user', 'session.started', 'success', '192.0.2.1')`,
    );
    await sealed(database);
    expect(await verified(database)).toMatchObject({ fault: undefined, events: proof.events + 1 });
    const { rows } = await database.query(
      'select count(*)::int as n from audit_events where address is not null or user_agent is not null',
    );
    expect(rows).toEqual([{ n: 0 }]);
    await server.stop();
  });
});
