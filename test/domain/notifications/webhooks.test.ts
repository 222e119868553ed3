import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { withStalls } from '../../support/stalls.ts';
import { Receiver, verify } from './support/receiver.ts';

describe('a webhook', () => {
  const latchkey = startLatchkey();
  const receivers: Receiver[] = [];
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });
  afterEach(async () => {
    for (const { id } of (await owner.get('/webhooks')).body.items) await owner.delete(`/webhooks/${id}`);
    for (const receiver of receivers.splice(0)) receiver.stop();
  });

  async function hook(input: Record<string, unknown> = {}) {
    const receiver = new Receiver();
    await receiver.start();
    receivers.push(receiver);
    const { status, body } = await owner.post('/webhooks', { url: receiver.url, events: ['role.*'], ...input });
    expect(status).toBe(201);
    return { receiver, id: String(body.id), secret: String(body.secret), path: `/webhooks/${body.id}` };
  }
  /** Creates roles, one event each. */
  async function roles(...names: string[]) {
    for (const name of names)
      expect(await owner.post('/roles', { name, permissions: [] })).toMatchObject({ status: 201 });
  }
  const names = (told: { data: Record<string, unknown> }[]) => told.map(({ data }) => data.target_id);
  const unique = (...letters: string[]) => letters.map((letter) => `${letter}-${crypto.randomUUID().slice(0, 8)}`);
  /** Its dead letters, once there are this many. */
  const dead = (path: string, count: number) =>
    eventually(
      async () => (await owner.get(`${path}/deliveries?state=dead`)).body.items,
      ({ length }) => length === count,
    );

  test('receives events in the order of the chain, as Standard Webhooks defines', async () => {
    // Earlier events that are not sealed yet also arrive, such as the owner's own role.
    const { receiver, secret, path } = await hook({ events: ['role.created'] });
    const made = unique('a', 'b', 'c', 'd', 'e', 'f');
    await roles(...made);
    await receiver.until(6);
    const told = receiver.verified(secret);
    expect(names(told)).toEqual(made);
    expect(told[0]).toMatchObject({ type: 'role.created', data: { actor_kind: 'client', outcome: 'success' } });
    const [event] = await latchkey.auditEvents('role.created');
    expect((await owner.get(`/audit/events?target=${made[0]}`)).body.items[0]?.id).toBe(receiver.received[0]?.id);
    expect(event).toBeDefined();
    const { items } = (await owner.get(`${path}/deliveries?limit=4`)).body;
    expect(items).toHaveLength(4);
    expect(items[0]).toMatchObject({ type: 'role.created', state: 'delivered', attempts: 1, last_status: 204 });
  });

  test('receives them within about a second', async () => {
    const { receiver } = await hook();
    const { ownMs } = await withStalls(async () => {
      await roles(...unique('soon'));
      await receiver.until(1);
    });
    expect(ownMs).toBeLessThan(2500);
  });

  test('receives nothing that it did not subscribe to, and the signed heads if it did', async () => {
    const all = await hook({ events: ['*'] });
    const heads = await hook({ events: ['audit.sealed'] });
    const clients = await hook({ events: ['client.created', 'resource_server.*'] });
    await roles(...unique('unheard'));
    await eventually(
      () => all.receiver.verified(all.secret),
      (told) => told.some(({ type }) => type === 'role.created'),
    );
    await heads.receiver.until(1);
    const [head] = heads.receiver.verified(heads.secret);
    expect(head).toMatchObject({
      type: 'audit.sealed',
      data: { kid: expect.any(String), signature: expect.any(String) },
    });
    const { rows } = await latchkey.database.query(
      "select encode(head, 'hex') as head from audit_segments where number = $1",
      [head?.data.number],
    );
    expect(head?.data.head).toBe(rows[0].head);
    expect(new Set(heads.receiver.verified(heads.secret).map(({ type }) => type))).toEqual(new Set(['audit.sealed']));
    expect(clients.receiver.received).toEqual([]);
  });

  test('is retried when the receiver fails, and later events wait', async () => {
    const { receiver, secret } = await hook();
    receiver.answers = [500, 503];
    const made = unique('a', 'b');
    await roles(...made);
    await receiver.until(4);
    expect(names(receiver.verified(secret))).toEqual([made[0], made[0], made[0], made[1]]);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(2);
  });

  test('that fails or hangs does not delay others', async () => {
    const [failing, hanging] = [await hook(), await hook()];
    failing.receiver.always = 500;
    hanging.receiver.always = 0;
    const { receiver } = await hook();
    const { ownMs } = await withStalls(async () => {
      await roles(...unique('a', 'b'));
      await receiver.until(2);
    });
    expect(ownMs).toBeLessThan(4000);
  });

  test('has dead letters after the last attempt, which can be sent again', async () => {
    const { receiver, secret, path } = await hook({ most_attempts: 1 });
    receiver.answers = [500, 500];
    const made = unique('a', 'b', 'c');
    await roles(...made);
    await receiver.until(3);
    const letter = (await dead(path, 2)).at(-1);
    expect(letter).toMatchObject({
      state: 'dead',
      attempts: 1,
      last_status: 500,
      message_id: receiver.received[0]?.id,
    });

    expect(await owner.post(`${path}/deliveries/${letter?.id}/redeliver`)).toMatchObject({ status: 204 });
    await receiver.until(4);
    expect(receiver.received[3]?.id).toBe(receiver.received[0]?.id);
    expect(receiver.received[3]?.body).toBe(receiver.received[0]?.body);
    await dead(path, 1);
    expect(await owner.post(`${path}/redeliver`)).toMatchObject({ status: 202, body: { deliveries: 1 } });
    await receiver.until(5);
    expect(names(receiver.verified(secret))).toEqual([...made, made[0], made[1]]);
    await dead(path, 0);
  });

  test('that answers 410 is sent nothing more until it is enabled again, and then nothing is missing', async () => {
    const { receiver, id, secret, path } = await hook();
    receiver.answers = [410];
    const made = unique('a', 'b');
    await roles(...made);
    const ended = await eventually(
      async () => (await owner.get(path)).body,
      ({ enabled }) => enabled === false,
    );
    expect(ended).toMatchObject({ disabled_because: 'gone', version: 2 });
    const events = (await latchkey.auditEvents('webhook.disabled')).filter(({ target_id }) => target_id === id);
    expect(events).toMatchObject([{ actor_kind: 'system', reason: 'gone' }]);
    expect(await owner.post(`${path}/test`)).toMatchObject({ status: 409 });
    expect(receiver.received).toHaveLength(1);
    await owner.patch(path, { enabled: true });
    await receiver.until(3);
    expect(names(receiver.verified(secret))).toEqual([made[0], ...made]);
  });

  test('is signed with both secrets during a rotation', async () => {
    const { receiver, secret, path } = await hook();
    const { status, body } = await owner.post(`${path}/rotate-secret`, { overlap_seconds: 3600 });
    expect(status).toBe(201);
    const next = String(body.secret);
    await roles(...unique('both'));
    await receiver.until(1);
    expect(receiver.verified(secret)).toEqual(receiver.verified(next));
    const newest = String((await owner.post(`${path}/rotate-secret`, { overlap_seconds: 0 })).body.secret);
    await roles(...unique('new'));
    await receiver.until(2);
    const [, last] = receiver.received;
    if (!last) throw new Error('not received');
    expect(verify(newest, last)).toMatchObject({ type: 'role.created' });
    expect(() => verify(secret, last)).toThrow();
    expect(() => verify(next, last)).toThrow();
  });

  test('can be tested', async () => {
    const { receiver, secret, path } = await hook();
    expect(await owner.post(`${path}/test`)).toMatchObject({ status: 202, body: { type: 'webhook.test' } });
    await receiver.until(1);
    expect(receiver.verified(secret)).toMatchObject([{ type: 'webhook.test' }]);
  });

  test('stores its secret unreadable', async () => {
    const { secret } = await hook();
    const { rows } = await latchkey.database.query('select t::text as row from webhook_secrets t');
    expect(rows.length).toBeGreaterThan(0);
    const text = JSON.stringify(rows);
    const bytes = Buffer.from(secret.replace('whsec_', ''), 'base64');
    for (const form of [secret.slice(6), bytes.toString('hex'), Buffer.from(secret).toString('hex')])
      expect(text).not.toContain(form);
    expect(JSON.stringify((await owner.get('/webhooks')).body)).not.toContain(secret.slice(6));
  });

  test.each<[string, Record<string, unknown>]>([
    ['another scheme', { url: 'ftp://example.com/' }],
    ['a password in the URL', { url: 'https://me:word@example.com/' }],
    ['an action that there is none of', { events: ['role.exploded'] }],
    ['a pattern that fits nothing', { events: ['rolle.*'] }],
    ['no events', { events: [] }],
    ['members that there are none of', { secret: 'whsec_mine' }],
  ])('with %s is refused', async (_, wrong) => {
    const input = { url: 'https://example.com/hook', events: ['*'], ...wrong };
    expect(await owner.post('/webhooks', input)).toMatchObject({ status: 400 });
  });

  test('never connects to an internal address (checked at the connection)', async () => {
    const { body } = await owner.post('/webhooks', { url: 'http://10.0.0.1/hook', events: ['role.*'] });
    await owner.post(`/webhooks/${body.id}/test`);
    const [letter] = await dead(`/webhooks/${body.id}`, 1);
    expect(letter).toMatchObject({ last_error: '10.0.0.1 is not a public address' });
  });

  test('is changed by merge patch with If-Match', async () => {
    const { path } = await hook({ description: 'ours' });
    const seen = { headers: { 'if-match': (await owner.get(path)).headers.get('etag') ?? '' } };
    expect(await owner.patch(path, { description: null, events: ['user.*'] }, seen)).toMatchObject({
      status: 200,
      body: { description: null, events: ['user.*'], version: 2 },
    });
    expect(await owner.patch(path, { enabled: false }, seen)).toMatchObject({ status: 412 });
    expect(await owner.delete(path)).toMatchObject({ status: 204 });
    expect(await owner.get(path)).toMatchObject({ status: 404 });
  });

  test('that names an action by its earlier name receives it under the present one, which the log also shows for old events', async () => {
    const { receiver, secret } = await hook({ events: ['consent.taken_back'] });
    await latchkey.tokens({}, latchkey.browser(), 'bob');
    const { items } = (await owner.get('/consents?user=bob&standing=true')).body;
    expect(await owner.post(`/consents/${items[0]?.consent_id}/revoke`)).toMatchObject({ status: 204 });
    const { rows } =
      await latchkey.database.query(`insert into audit_events (id, occurred_at, actor_kind, action, outcome)
      values (gen_random_uuid(), now(), 'system', 'consent.taken_back', 'success') returning id`);
    await receiver.until(2);
    expect(receiver.verified(secret).map(({ type }) => type)).toEqual(['consent.revoked', 'consent.revoked']);
    for (const action of ['consent.revoked', 'consent.taken_back']) {
      const found = (await owner.get(`/audit/events?action=${action}`)).body.items;
      expect(found.map(({ action }) => action)).toEqual(['consent.revoked', 'consent.revoked']);
      expect(found.map(({ id }) => id)).toContain(rows[0].id);
    }
    expect((await owner.get('/audit/verification')).body).toMatchObject({ is_intact: true });
  });

  test('does not show the audit log to a user who may not read it', async () => {
    const writer = await asService(latchkey, owner, {
      permissions: ['latchkey:webhook:*'],
      scope: 'latchkey:webhook:write',
    });
    expect(await writer.post('/webhooks', { url: 'https://example.com/hook' })).toMatchObject({
      status: 403,
      body: { permission: 'latchkey:audit:read' },
    });
  });

  test('records an event of each action', async () => {
    const { id, path } = await hook();
    await owner.patch(path, { description: 'changed' });
    await owner.post(`${path}/rotate-secret`, {});
    await owner.post(`${path}/test`);
    await owner.post(`${path}/redeliver`);
    await owner.delete(path);
    const query = 'select action from audit_events where target_id = $1 order by id';
    const { rows } = await latchkey.database.query(query, [id]);
    expect(rows.map(({ action }) => action)).toEqual([
      'webhook.created',
      'webhook.updated',
      'webhook.secret.rotated',
      'webhook.tested',
      'webhook.redelivered',
      'webhook.deleted',
    ]);
  });
});
