import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { AuditFault } from '../../../src/domain/audit/index.ts';
import { withoutTriggers } from '../../support/database.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { rounds } from '../../support/report.ts';
import { sealed, verified, writeEvents } from './support/log.ts';

describe('an intact audit log', () => {
  const latchkey = startLatchkey();

  test('verifies as a whole, and in a range', async () => {
    await latchkey.tokens();
    const seals = await sealed(latchkey.database);
    const whole = await verified(latchkey.database);
    expect(whole).toMatchObject({ fault: undefined, unsealed: 0, head: { number: seals } });
    expect(whole.events).toBeGreaterThan(8);
    const from = new Date();
    await latchkey.clientCredentials();
    await sealed(latchkey.database);
    expect(await verified(latchkey.database, { from })).toMatchObject({ fault: undefined, events: 1 });
    expect(await verified(latchkey.database, { to: from })).toMatchObject({ fault: undefined, events: whole.events });
  });

  const each = Math.min(rounds(100), 10_000);
  test(`verifies after ten writers wrote ${each} events each, at once`, async () => {
    await sealed(latchkey.database);
    const { events: before } = await verified(latchkey.database);
    await Promise.all(Array.from({ length: 10 }, () => writeEvents(latchkey.database.url, each)));
    await sealed(latchkey.database);
    expect(await verified(latchkey.database)).toMatchObject({
      fault: undefined,
      unsealed: 0,
      events: before + 10 * each,
    });
  }, 1_200_000);

  test('contains the event of a transaction that took several seconds, and none is skipped or sealed twice', async () => {
    const { events: before } = await verified(latchkey.database);
    const late = new pg.Client({ connectionString: latchkey.database.url });
    await late.connect();
    await late.query('begin');
    await late.query("select set_config('test.id', gen_random_uuid()::text, false)");
    await late.query(`insert into audit_events (id, occurred_at, actor_kind, action, outcome)
      values (current_setting('test.id')::uuid, now(), 'system', 'client.updated', 'success')`);
    for (let n = 0; n < 3; n += 1) {
      await latchkey.clientCredentials();
      await sealed(latchkey.database);
      await sleep(300);
    }
    expect(await verified(latchkey.database)).toMatchObject({ fault: undefined, events: before + 3, unsealed: 0 });
    await late.query('commit');
    await late.end();
    await sealed(latchkey.database);
    expect(await verified(latchkey.database)).toMatchObject({ fault: undefined, events: before + 4, unsealed: 0 });
  });
});

describe('verification of an audit log that was tampered with', () => {
  const latchkey = startLatchkey({ ownProcess: true });
  let ids: string[];

  beforeAll(async () => {
    for (let n = 0; n < 4; n += 1) {
      await writeEvents(latchkey.database.url, 3);
      await sealed(latchkey.database);
    }
    await latchkey.process.kill('SIGKILL');
    const { rows } = await latchkey.database.query('select id from audit_events order by recorded_in, id');
    ids = rows.map(({ id }) => id);
  });

  /** Changes a copy of the log, and returns the result of its verification. */
  async function after(statement: string, values: unknown[] = []): Promise<AuditFault | undefined> {
    const copy = await latchkey.database.copy();
    try {
      await withoutTriggers(copy, statement, values);
      return (await verified(copy)).fault;
    } finally {
      await copy.drop();
    }
  }
  const nth = (n: number) => String(ids.at(n));

  test.each([
    ["action = 'x'", 'changed'],
    ["outcome = 'failure'", 'changed'],
    ["details = '{}'", 'changed'],
    ["actor_id = 'somebody else'", 'changed'],
    ["occurred_at = occurred_at + interval '1 microsecond'", 'changed'],
    ["request_id = 'another'", 'changed'],
    ["personal_digest = sha256('x')", 'changed'],
    ['recorded_in = recorded_in + 1000000', 'inserted'],
  ])('names the event whose %s', async (change, kind) => {
    const fault = await after(`update audit_events set ${change} where id = $1`, [nth(-5)]);
    expect(fault).toMatchObject({ kind: kind === 'inserted' ? expect.any(String) : kind, event_id: nth(-5) });
  });

  test('names the event whose address was changed', async () => {
    const fault = await after("update audit_personal_details set address = '192.0.2.1' where event_id = $1", [nth(-5)]);
    expect(fault).toMatchObject({ kind: 'changed', event_id: nth(-5) });
  });

  test('names the event that was deleted', async () => {
    const fault = await after('delete from audit_events where id = $1', [nth(-5)]);
    expect(fault).toMatchObject({ kind: 'removed', event_id: nth(-5) });
  });

  test('names the event that was inserted among the sealed ones', async () => {
    const id = crypto.randomUUID();
    const fault = await after(
      `insert into audit_events (id, occurred_at, actor_kind, action, outcome, recorded_in)
        select $1, occurred_at, actor_kind, action, outcome, recorded_in from audit_events where id = $2`,
      [id, nth(-5)],
    );
    expect(fault).toMatchObject({ kind: 'inserted', event_id: id });
  });

  test('names the event that was appended with a transaction number that never existed', async () => {
    const id = crypto.randomUUID();
    const fault = await after(
      `insert into audit_events (id, occurred_at, actor_kind, action, outcome, recorded_in)
        values ($1, now(), 'system', 'x', 'success', 1000000000000)`,
      [id],
    );
    expect(fault).toMatchObject({ kind: 'inserted', event_id: id });
  });

  test.each([
    ['contents of two events were swapped', 'action, target_id, details, occurred_at, personal_digest'],
    ['places of two events were swapped', 'recorded_in'],
  ])('names an event when the %s', async (_, columns) => {
    const assigned = columns.split(', ').map((column) => `${column} = other.${column}`);
    const fault = await after(
      `update audit_events e set ${assigned} from audit_events other
        where e.id in ($1::uuid, $2::uuid) and other.id in ($1::uuid, $2::uuid) and other.id <> e.id`,
      [nth(-5), nth(-2)],
    );
    expect([nth(-5), nth(-2)]).toContain(fault?.event_id);
    expect(['changed', 'reordered']).toContain(fault?.kind);
  });

  test('names the segment that was removed, with its events or without', async () => {
    const { rows } = await latchkey.database.query('select max(number)::int as number from audit_segments');
    const { number } = rows[0];
    expect(await after('delete from audit_segments where number = $1', [number - 1])).toMatchObject({
      kind: 'removed',
      segment: number - 1,
    });
  });

  test('names the seal when events and digests were changed consistently', async () => {
    const fault = await after(
      `update audit_segments set members = overlay(members placing sha256('x') from 17)
        where number = (select max(number) from audit_segments)`,
    );
    expect(fault).toMatchObject({ kind: 'seal' });
  });

  test('names the unsigned record of removed segments', async () => {
    const fault = await after(
      `insert into audit_retentions select number, head, seen_below, unfinished, sealed_at, now(), kid, signature
        from audit_segments order by number limit 1`,
    );
    expect(fault).toMatchObject({ kind: 'seal', detail: expect.stringContaining('not signed') });
  });

  test('reports that a head noted elsewhere is missing when the end of the chain was cut off', async () => {
    const { rows } = await latchkey.database.query(
      `select number, encode(head, 'hex') as head from audit_segments order by number desc limit 1`,
    );
    const head = { number: Number(rows[0].number), head: String(rows[0].head) };
    const fault = async (noted: typeof head) => (await verified(latchkey.database, { head: noted })).fault;
    expect(await fault(head)).toBeUndefined();
    expect(await fault({ ...head, head: '0'.repeat(64) })).toMatchObject({ kind: 'seal' });
    expect(await fault({ ...head, number: head.number + 1 })).toMatchObject({ kind: 'removed' });
  });
});

describe('a backdated event', () => {
  const latchkey = startLatchkey();

  test('is reported, although its seal is valid', async () => {
    await latchkey.clientCredentials();
    await sealed(latchkey.database);
    const id = crypto.randomUUID();
    // The database refuses it (test/domain/audit/serving-role.test.ts) unless its owner removes the trigger.
    await withoutTriggers(
      latchkey.database,
      `insert into audit_events (id, occurred_at, actor_kind, action, outcome)
        values ($1, now() - interval '1 hour', 'system', 'client.updated', 'success')`,
      [id],
    );
    await sealed(latchkey.database);
    expect(await verified(latchkey.database)).toMatchObject({ fault: { kind: 'inserted', event_id: id } });
  });
});
