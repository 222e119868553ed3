import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { withoutTriggers } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('the audit log in the admin API', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  test('is found by action, actor, target, outcome, time and text, newest first, page by page', async () => {
    for (const n of [1, 2, 3])
      await owner.post('/clients', { client_id: `seen-${n}`, grant_types: ['client_credentials'] });
    const all = await owner.get('/audit/events?action=client.created&text=seen-&limit=2');
    expect(all.body.items.map(({ target_id }) => target_id)).toEqual(['seen-3', 'seen-2']);
    const rest = await owner.get(`/audit/events?action=client.created&text=seen-&limit=2&cursor=${all.body.next}`);
    expect(rest.body).toMatchObject({
      items: [{ target_id: 'seen-1', actor_kind: 'client', outcome: 'success' }],
      next: null,
    });
    expect((await owner.get('/audit/events?target=seen-2&action=client.created')).body.items).toHaveLength(1);
    expect((await owner.get('/audit/events?target=seen-2&to=2020-01-01T00:00:00Z')).body.items).toEqual([]);
    expect(await owner.get('/audit/events?from=yesterday')).toMatchObject({ status: 400, body: { pointer: '/from' } });
  });

  test('shows an event with its position in the chain, and whether it is unchanged since it was sealed', async () => {
    for (const n of [1, 2])
      await owner.post('/clients', { client_id: `placed-${n}`, grant_types: ['client_credentials'] });
    const { items } = (await owner.get('/audit/events?target=placed-1&action=client.created')).body;
    const id = String(items[0]?.id);
    const read = async (event: unknown) => (await owner.get(`/audit/events/${event}`)).body;
    const sealed = await eventually(
      () => read(id),
      ({ chain }) => Boolean((chain as { segment: unknown } | undefined)?.segment),
    );
    expect(sealed).toMatchObject({
      ...items[0],
      chain: {
        state: 'verified',
        fault: null,
        segment: { number: expect.any(Number), head: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    });
    const { previous_id } = sealed.chain as { previous_id: string };
    expect(await read(previous_id)).toMatchObject({ chain: { state: 'verified', next_id: id } });
    expect((await owner.get(`/audit/events/${crypto.randomUUID()}`)).status).toBe(404);
    expect((await owner.get('/audit/events/not-an-id')).status).toBe(404);
    await withoutTriggers(latchkey.database, `update audit_events set target_id = 'placed-3' where id = '${id}'`, []);
    expect(await read(id)).toMatchObject({
      target_id: 'placed-3',
      chain: { state: 'changed', fault: 'it differs from what was sealed' },
    });
    await withoutTriggers(latchkey.database, `update audit_events set target_id = 'placed-1' where id = '${id}'`, []);
  });

  test('finds an event although the clock of the machine was ahead', async () => {
    await latchkey.advance(6 * 3600);
    await asOwner(latchkey);
    await latchkey.advance(-6 * 3600);
    // Meanwhile the earlier token may have been removed as expired.
    owner = await asOwner(latchkey);
    await owner.post('/clients', { client_id: 'put-back', grant_types: ['client_credentials'] });
    const { items } = (await owner.get('/audit/events?target=put-back&action=client.created')).body;
    expect((await owner.get(`/audit/events/${items[0]?.id}`)).status).toBe(200);
  });

  test('is exported as a stream that can be verified elsewhere, and stops when its reader disconnects', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-export-'));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const headers = { authorization: `Bearer ${owner.token}` };
    const response = await fetch(`${latchkey.issuer}/admin/v1/audit/export`, { headers });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = await response.text();
    await writeFile(path.join(folder, 'log.ndjson'), lines);
    await writeFile(path.join(folder, 'keys.json'), JSON.stringify(await latchkey.commandJson(['audit', 'keys'])));
    const files = ['--file', path.join(folder, 'log.ndjson'), '--keys', path.join(folder, 'keys.json')];
    const verified = await latchkey.commandJson(['audit', 'verify', ...files]);
    expect(verified).toMatchObject({ ok: true, events: lines.split('{"type":"event",').length - 1 });
    expect(verified.events).toBeGreaterThan(3);
    const token = { LATCHKEY_TOKEN: owner.token };
    const { stdout } = await latchkey.command(['api', '--url', latchkey.issuer, 'audit', 'export', 'get'], '', token);
    expect(stdout.slice(0, 2000)).toBe(lines.slice(0, 2000));
    await rm(folder, { recursive: true });

    for (let n = 0; n < 30; n += 1) {
      const abort = new AbortController();
      await fetch(`${latchkey.issuer}/admin/v1/audit/export`, { headers, signal: abort.signal });
      abort.abort();
    }
    const open =
      "select count(*)::int as open from pg_stat_activity where state like 'idle in transaction%' and datname = current_database()";
    const idle = async () => (await latchkey.database.query(open)).rows[0].open;
    await eventually(idle, (count) => count === 0);
    expect((await owner.get('/audit/events?action=audit.exported')).body.items[0]).toMatchObject({
      actor_kind: 'client',
    });
  });

  test('verifies itself', async () => {
    const { status, body } = await owner.get('/audit/verification');
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { is_intact: true, fault: null, head: { head: expect.any(String) } },
    });
  });
});
