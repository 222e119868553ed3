import { v7 as uuidv7 } from 'uuid';
import { countActivity, readActivity, sampleSessions, usageOfClient } from '../../../src/domain/activity/activity.ts';
import { rollUpActivity } from '../../../src/domain/activity/index.ts';
import { type Database, openDatabase } from '../../../src/platform/database/index.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';

const budgetMs = 60_000;

describe('activity is counted', () => {
  let store: TestDatabase;
  let nodes: Database[];
  beforeEach(async () => {
    startedAt = new Date();
    store = await createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
    nodes = [1, 2].map(() => openDatabase({ url: store.url, poolSize: 4, preparedStatements: true }));
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    await store.drop();
  });

  // All records of a test have the same time, and so the same hour and day.
  let startedAt: Date;
  const now = () => startedAt;
  const countOn = (node: Database | undefined) => (node ? countActivity({ db: node.db }, budgetMs) : undefined);
  const insertRecords = (
    count: number,
    record: { kind?: string; outcome?: string; credential?: string; at?: Date } = {},
  ) =>
    store.query(
      `insert into access_records (id, kind, outcome, credential, uses, occurred_at, last_at)
        select gen_random_uuid(), $1, $2, $3, 2, $4, $4 from generate_series(1, $5::int)`,
      [record.kind ?? 'introspection', record.outcome ?? 'active', record.credential, record.at ?? now(), count],
    );
  const insertEvent = (action: string, members: { actor_id?: string; outcome?: string; details?: object } = {}) =>
    store.query(
      `insert into audit_events (id, occurred_at, actor_kind, actor_id, action, outcome, details)
        values (gen_random_uuid(), $5, 'client', $1, $2, $3, $4)`,
      [
        members.actor_id,
        action,
        members.outcome ?? 'success',
        members.details && JSON.stringify(members.details),
        now(),
      ],
    );

  /** A record is counted once no earlier transaction is running in any database of the server. */
  async function earlierTransactionsEnded(): Promise<void> {
    const { rows } = await store.query('select pg_current_xact_id()::text as id');
    const ended = 'select pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8 as is_past';
    await eventually(async () => (await store.query(ended, [rows[0].id])).rows[0].is_past, Boolean);
  }

  /** The sums by kind and outcome over the last two days. */
  async function counts(step: '5m' | '1h' = '1h'): Promise<Record<string, number>> {
    const [node] = nodes;
    if (!node) throw new Error('not opened');
    // A reader does not count again within a second, and a transaction of another database may have been running then.
    await earlierTransactionsEnded();
    await countOn(node);
    const from = new Date(Date.now() - 2 * 86_400_000);
    const { items } = await readActivity({ db: node.db, now }, { from, to: new Date(Date.now() + 60_000), step });
    const sums: Record<string, number> = {};
    for (const { kind, outcome, count } of items)
      sums[`${kind} ${outcome}`] = (sums[`${kind} ${outcome}`] ?? 0) + count;
    return sums;
  }

  const insertUses = (count: number, use: { permissions: string; version?: number; credential?: string; at?: Date }) =>
    store.query(
      `insert into access_records (id, kind, outcome, credential, uses, occurred_at, last_at, credential_version, permissions)
        select gen_random_uuid(), 'verification', 'active', $1, 2, $2, $2, $3, replace($4, '$n', n::text)::json
          from generate_series(1, $5::int) n`,
      [use.credential ?? keyId, use.at ?? now(), use.version ?? 1, use.permissions, count],
    );
  const keyId = '01a22733-cc1a-726a-8ef3-7743f0efdda6';
  const usesCounted = async () => {
    await earlierTransactionsEnded();
    await Promise.all([...nodes, ...nodes].map(countOn));
    await countOn(nodes[0]);
    const { rows } = await store.query(
      'select version, permission, uses::int, day::text from credential_uses where credential = $1 order by day, version, permission',
      [keyId],
    );
    return rows;
  };

  test('of a key by version, permission and day: once, over nodes', async () => {
    await insertUses(3000, { permissions: '["orders:read"]' });
    await insertUses(10, { permissions: '["orders:read", "orders:write"]', version: 2 });
    await insertUses(5, { permissions: '[]', version: 2 });
    await insertRecords(7, { kind: 'verification', credential: keyId });
    await insertUses(3, { permissions: '["orders:read"]', at: new Date(Date.now() - 401 * 86_400_000) });
    const expected = [
      { version: 1, permission: 'orders:read', uses: 6000 },
      { version: 2, permission: '', uses: 10 },
      { version: 2, permission: 'orders:read', uses: 20 },
      { version: 2, permission: 'orders:write', uses: 20 },
    ];
    expect(await usesCounted()).toEqual(expected.map((use) => expect.objectContaining(use)));
    expect(await usesCounted()).toEqual(expected.map((use) => expect.objectContaining(use)));
    await insertUses(1, { permissions: '["orders:read"]' });
    expect(await usesCounted()).toContainEqual(expect.objectContaining({ version: 1, uses: 6002 }));
  });

  test('of a key with at most a hundred permissions a day; the others are counted together (CWE-770)', async () => {
    await insertUses(1, { permissions: '["orders:read"]' });
    await usesCounted();
    await insertUses(5000, { permissions: '["many:$n"]' });
    await insertUses(4, { permissions: '["orders:read"]' });
    const first = await usesCounted();
    await insertUses(3000, { permissions: '["more:$n"]' });
    const rows = await usesCounted();
    expect([first.length, rows.length]).toEqual([101, 101]);
    const of = (permission: string) => rows.find((row) => row.permission === permission)?.uses;
    expect(of('orders:read')).toBe(10);
    expect(rows.reduce((sum, { uses }) => sum + uses, 0)).toBe(2 * 8005);
  });

  test('once, however many nodes do it at once and however often', async () => {
    await insertRecords(5000);
    await insertRecords(3, { outcome: 'inactive' });
    await earlierTransactionsEnded();
    for (let round = 0; round < 15; round += 1) await Promise.all(nodes.map(countOn));
    expect(await counts()).toEqual({ 'introspection allowed': 10_000, 'introspection refused': 6 });
    expect(await counts('5m')).toEqual({ 'introspection allowed': 10_000, 'introspection refused': 6 });
  });

  test('also where a record is committed after later ones were counted', async () => {
    const [node] = nodes;
    const late = await node?.pool.connect();
    await late?.query(`begin; insert into access_records (id, kind, outcome, uses, occurred_at, last_at)
      values ('${uuidv7()}', 'userinfo', 'active', 1, now() - interval '2 hours', now())`);
    await insertRecords(1);
    await countOn(nodes[1]);
    await late?.query('commit');
    late?.release();
    await countOn(nodes[1]);
    expect(await counts()).toEqual({ 'introspection allowed': 2, 'userinfo allowed': 1 });
  });

  test('again after the counting transaction was rolled back', async () => {
    await insertRecords(10);
    await store.query(`create function fails() returns trigger language plpgsql as $$ begin raise exception 'lost'; end $$;
      create trigger fails before update on activity_positions for each row execute function fails()`);
    await expect(countOn(nodes[0])).rejects.toThrow('lost');
    expect((await store.query('select from activity_counts')).rowCount).toBe(0);
    await store.query('drop trigger fails on activity_positions');
    expect(await counts()).toEqual({ 'introspection allowed': 20 });
  });

  test('where an older version writes records without their transaction number', async () => {
    const record = { id: uuidv7(), kind: 'exchange', outcome: 'refused', uses: 4, occurred_at: now(), last_at: now() };
    await store.query(
      'insert into access_records select * from json_populate_recordset(null::access_records, $1::json)',
      [JSON.stringify([record])],
    );
    expect(await counts()).toEqual({ 'exchange refused': 4 });
  });

  test('with API keys separate from tokens, and refusals that one event summarizes', async () => {
    await insertRecords(1, { kind: 'verification', credential: uuidv7() });
    await insertRecords(1, { kind: 'verification', credential: 'a'.repeat(64) });
    await insertEvent('session.refused', { outcome: 'failure', details: { username: '"more":7' } });
    await insertEvent('session.refused', { outcome: 'failure', details: { more: 41 } });
    await insertEvent('refresh_token.rotated');
    await insertEvent('role.created');
    expect(await counts()).toEqual({
      'api_key allowed': 2,
      'verification allowed': 2,
      'sign_in refused': 42,
      'token allowed': 1,
    });
  });

  test('by client and day, for clients that exist', async () => {
    await store.query(`insert into subjects (id, kind) values ('019ae000-0000-7000-8000-000000000001', 'client');
      insert into clients (id, client_id, type, metadata, resources, service_permissions, introspects, lifetimes, created_at, updated_at)
        values ('019ae000-0000-7000-8000-000000000001', 'billing', 'service', '{}', '{}', '{}', '[]', '{}', now(), now())`);
    for (let n = 0; n < 3; n += 1) await insertEvent('access_token.issued', { actor_id: 'billing' });
    await insertEvent('access_token.issued', { actor_id: 'unknown' });
    await insertEvent('access_token.issued', { actor_id: 'a-key', details: { client_id: 'billing' } });
    const [node] = nodes;
    await earlierTransactionsEnded();
    const usage = node && (await usageOfClient({ db: node.db, now }, { client_id: 'billing', days: 30 }));
    expect(usage).toMatchObject({ allowed: 4, refused: 0, last_used_at: expect.any(Date), days: [{ allowed: 4 }] });
  });

  test('and stored with the client, without a notification to nodes that cache it', async () => {
    await store.query(`insert into subjects (id, kind) values ('019ae000-0000-7000-8000-000000000001', 'client');
      insert into clients (id, client_id, type, metadata, resources, service_permissions, introspects, lifetimes, created_at, updated_at)
        values ('019ae000-0000-7000-8000-000000000001', 'billing', 'service', '{}', '{}', '{}', '[]', '{}', now(), now())`);
    await insertEvent('access_token.issued', { actor_id: 'billing' });
    await earlierTransactionsEnded();
    const changes = async () => (await store.query('select position from change_counter')).rows;
    const before = await changes();
    const [node] = nodes;
    if (node) await rollUpActivity({ db: node.db })({});
    const { rows } = await store.query(`select last_used_at from clients where client_id = 'billing'`);
    expect(rows).toEqual([{ last_used_at: startedAt }]);
    expect(await changes()).toEqual(before);
    await store.query(`update clients set first_party = true where client_id = 'billing'`);
    expect(await changes()).not.toEqual(before);
  });

  test('in a database restored from a dump, where transaction numbers start again', async () => {
    await insertRecords(1);
    await earlierTransactionsEnded();
    await countOn(nodes[0]);
    // The state after a dump: numbers far ahead of those of the new server, and the offset that the next start sets.
    await store.query(`update activity_positions set recorded_in = recorded_in + 1000000;
      select audit_number_from((select max(recorded_in) + 1 from activity_positions))`);
    await insertRecords(1);
    await insertEvent('session.started');
    await countOn(nodes[0]);
    expect(await counts()).toEqual({ 'introspection allowed': 4, 'sign_in allowed': 1 });
  });

  test('with the active sessions of each period', async () => {
    const [node] = nodes;
    if (node) await sampleSessions({ db: node.db });
    expect(await counts()).toEqual({ 'session allowed': 0 });
  });
});
