import { createSecretKey } from 'node:crypto';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database } from '../../../../db/schema.ts';
import { appendEvent, type Verified, type VerifyInput, verifyAudit } from '../../../../src/domain/audit/index.ts';
import { openDatabase } from '../../../../src/platform/database/index.ts';
import { openServerKeys } from '../../../../src/platform/keys/index.ts';
import type { TestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { testRootKey } from '../../../support/server.ts';

/** Appends events like the domain modules, one a transaction. */
export async function writeEvents(url: string, count: number): Promise<void> {
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
  });
  const actor = { kind: 'system' as const, permissions: [], origin: { address: '192.0.2.7', user_agent: 'a test' } };
  for (let n = 0; n < count; n += 1) {
    const event = { actor, action: 'client.updated' as const, target: { kind: 'client', id: `client ${n}` } };
    const details = { n, text: 'NUL \u0000, ünïcode and \ud800' };
    await db.transaction().execute((trx) => appendEvent(trx, { ...event, details, occurred_at: new Date() }));
  }
  await db.destroy();
}

/** Waits until every event that can be seen now is sealed. @returns the number of the last seal */
export async function sealed({ query }: Pick<TestDatabase, 'query'>): Promise<number> {
  const look = () =>
    query(
      `select (select count(*) from audit_events)::int as events, s.* from
        (select coalesce(sum(event_count), 0)::int as sealed, coalesce(max(number), 0)::int as last from audit_segments) s`,
    );
  const { rows } = await eventually(look, ({ rows: [{ events, sealed }] }) => events === sealed, {
    withinMs: 120_000,
    pauseMs: 20,
  });
  return rows[0].last;
}

/** The result of `latchkey audit verify`, without starting the command. */
export async function verified({ url }: TestDatabase, input: VerifyInput = {}): Promise<Verified> {
  const { db, close } = openDatabase({ url, poolSize: 1, preparedStatements: true, poolTimeoutMs: 60_000 });
  try {
    const keys = await openServerKeys({ db, rootKey: createSecretKey(testRootKey, 'base64'), now: () => new Date() });
    return await verifyAudit({ db, keys }, input);
  } finally {
    await close();
  }
}

/** The number of events without a seal. */
export async function unsealed({ query }: TestDatabase): Promise<number> {
  const { rows } = await query(
    `select (select count(*) from audit_events)::int - coalesce(sum(event_count), 0)::int as count from audit_segments`,
  );
  return rows[0].count;
}
