import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway, type Minted } from '../../support/gateway.ts';
import type { RunningServer } from '../../support/hosted-server.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { report } from '../../support/report.ts';
import { withStalls } from '../../support/stalls.ts';

const latchkey = startLatchkey();

const tries = 10_000;
const batch = 50;
const askers = 6;
/** One second, as promised; the response time of a slow machine counts from the request. */
const boundMs = 1000;

describe('a revoked key', () => {
  let owner: AdminApi;
  let gateway: Gateway;
  let other: RunningServer;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
    other = await latchkey.startNode();
  });

  type Try = { asked_at: number; valid: number; all: number };

  /** Repeats many concurrent requests, until enough were sent after the response to the action. */
  async function askAround(key: string, action: () => Promise<unknown>, { node = '', enough = tries } = {}) {
    const made: Try[] = [];
    let answeredAt = Number.POSITIVE_INFINITY;
    const after = () => made.filter(({ asked_at }) => asked_at >= answeredAt).reduce((sum, { all }) => sum + all, 0);
    const ask = async () => {
      while (after() < enough) {
        const asked_at = performance.now();
        const verdicts = await gateway.verifyAll(
          Array.from({ length: batch }, () => ({ key })),
          node || undefined,
        );
        made.push({ asked_at, valid: verdicts.filter(({ valid }) => valid).length, all: batch });
      }
    };
    const asking = Promise.all(Array.from({ length: askers }, ask));
    await eventually(
      () => made.length,
      (length) => length >= askers,
      { pauseMs: 5 },
    );
    await action();
    answeredAt = performance.now();
    await asking;
    return { made, answeredAt };
  }

  test(`is refused in each of ${tries} requests that begin after the response`, async () => {
    const { id, key } = await gateway.mint();
    const { made, answeredAt } = await askAround(key, () => owner.post(`/api-keys/${id}/revoke`));
    expect(made.some(({ valid }) => valid > 0)).toBe(true);
    expect(made.filter(({ asked_at, valid }) => asked_at >= answeredAt && valid > 0)).toEqual([]);
    expect(await gateway.verify({ key })).toMatchObject({ code: 'revoked' });
  });

  test('is refused at once also when the request had an Idempotency-Key', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id, key } = await gateway.mint();
      const headers = { 'idempotency-key': crypto.randomUUID() };
      const action = () => owner.post(`/api-keys/${id}/revoke`, undefined, { headers });
      const { made, answeredAt } = await askAround(key, action, { enough: 300 });
      expect(made.filter(({ asked_at, valid }) => asked_at >= answeredAt && valid > 0)).toEqual([]);
    }
  });

  test('is refused by another node within a second', async () => {
    const delays: { lateMs: number; stalledMs: number }[] = [];
    for (let round = 0; round < 5; round += 1) {
      const { id, key } = await gateway.mint();
      expect(await gateway.verify({ key }, other.address)).toMatchObject({ code: 'valid' });
      const action = () => owner.post(`/api-keys/${id}/revoke`);
      const asking = () => askAround(key, action, { node: other.address, enough: 2000 });
      const { result, stalledMs } = await withStalls(asking);
      const last = result.made.filter(({ valid }) => valid > 0).map(({ asked_at }) => asked_at - result.answeredAt);
      delays.push({ lateMs: Math.max(0, ...last), stalledMs });
    }
    const longest = Math.max(...delays.map(({ lateMs }) => lateMs));
    report(`a key revoked elsewhere was good for another ${Math.round(longest)} ms at most`);
    expect(delays.filter(({ lateMs, stalledMs }) => lateMs >= boundMs + stalledMs)).toEqual([]);
    expect(await gateway.verify({ key: (await gateway.mint()).key }, other.address)).toMatchObject({ code: 'valid' });
  });

  test.each<[string, (key: { id: string; key: string }) => Promise<object>]>([
    ['its id', async ({ id }) => ({ id })],
    ['itself', async ({ key }) => ({ key })],
    ['its owner', async () => ({ owner: { client_id: 'service' } })],
    ['a tag', async () => ({ tag: 'doomed' })],
    ['its environment', async () => ({ environment: 'staging' })],
    ['how it starts', async ({ key }) => ({ prefix: key.slice(0, 20) })],
  ])('stops working by %s, and no other key with it', async (_, handleOf) => {
    const given = { owner: { client_id: 'service' }, environment: 'staging', tags: ['doomed'] };
    const [minted, bystander] = [await gateway.mint(given), await gateway.mint()];
    const handle = { api_keys: await handleOf(minted) };
    expect(await gateway.verify({ key: minted.key })).toMatchObject({ code: 'valid' });
    const planned = await owner.post('/revocations', { handle, dry_run: true });
    expect(planned.body).toMatchObject({ impact: { api_keys: 1 } });
    expect(await gateway.verify({ key: minted.key })).toMatchObject({ code: 'valid' });
    expect(await owner.post('/revocations', { handle })).toMatchObject({
      status: 200,
      body: { impact: { api_keys: 1 } },
    });
    expect(await gateway.verify({ key: minted.key })).toMatchObject({ code: 'revoked' });
    expect(await gateway.verify({ key: bystander.key })).toMatchObject({ code: 'valid' });
  });

  test('is refused with all keys of its client, in great numbers', async () => {
    const given = { owner: { client_id: 'service' } };
    const minted: Minted[] = [];
    for (let n = 0; n < 60; n += 1) minted.push(await gateway.mint(given));
    const requests = minted.map(({ key }) => ({ key }));
    expect((await gateway.verifyAll(requests)).every(({ valid }) => valid)).toBe(true);
    const { body } = await owner.post('/revocations', { handle: { client_id: 'service' } });
    expect(body).toMatchObject({ impact: { api_keys: 60 } });
    expect(new Set((await gateway.verifyAll(requests)).map(({ code }) => code))).toEqual(new Set(['revoked']));
  });
});

describe('a key stops at once, and works again, when', () => {
  let owner: AdminApi;
  let gateway: Gateway;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
  });
  const codeOf = async (key: string, permission = 'database:read:products') =>
    (await gateway.verify({ key, permission })).code;

  test('it is disabled and enabled', async () => {
    const { id, key } = await gateway.mint();
    expect(await codeOf(key)).toBe('valid');
    await owner.post(`/api-keys/${id}/disable`);
    expect(await codeOf(key)).toBe('disabled');
    await owner.post(`/api-keys/${id}/enable`);
    expect(await codeOf(key)).toBe('valid');
  });

  test('its client is disabled and enabled', async () => {
    const { key } = await gateway.mint({ owner: { client_id: 'service' } });
    expect(await codeOf(key)).toBe('valid');
    await owner.post('/clients/service/disable');
    expect(await codeOf(key)).toBe('owner_disabled');
    await owner.patch('/clients/service', { enabled: true });
    expect(await codeOf(key)).toBe('valid');
  });

  test('its permissions and restrictions change', async () => {
    const { id, key } = await gateway.mint();
    expect(await codeOf(key)).toBe('valid');
    await owner.patch(`/api-keys/${id}`, { permissions: ['database:write:products'] });
    expect(await codeOf(key)).toBe('insufficient_permissions');
    await owner.patch(`/api-keys/${id}`, {
      permissions: ['database:read:products'],
      restrictions: { resource_servers: ['https://api.example'] },
    });
    expect(await codeOf(key)).toBe('resource_not_allowed');
  });

  test('its role changes', async () => {
    const right = (pattern: string) => ({ permissions: [{ resource: null, pattern }] });
    await owner.post('/roles', { name: 'reader', ...right('database:read:*') });
    const { key } = await gateway.mint({ permissions: [], roles: ['reader'] });
    expect(await codeOf(key)).toBe('valid');
    await owner.patch('/roles/reader', right('database:write:*'));
    expect(await codeOf(key)).toBe('insufficient_permissions');
    await owner.patch('/roles/reader', right('database:read:*'));
    expect(await codeOf(key)).toBe('valid');
    await owner.delete('/roles/reader');
    expect(await codeOf(key)).toBe('insufficient_permissions');
  });

  test('the permissions of its user change, which limit it', async () => {
    await owner.post('/roles', { name: 'shopper', permissions: [{ resource: null, pattern: 'database:read:*' }] });
    const { key } = await gateway.mint({ owner: { user: 'bob' }, permissions: ['database:*'] });
    expect(await codeOf(key)).toBe('insufficient_permissions');
    await owner.put('/roles/shopper/assignments/user/bob', {});
    expect(await codeOf(key)).toBe('valid');
    expect(await codeOf(key, 'database:write:products')).toBe('insufficient_permissions');
    await owner.post('/users/bob/disable');
    expect(await codeOf(key)).toBe('owner_disabled');
    await owner.patch('/users/bob', { enabled: true });
    expect(await codeOf(key)).toBe('valid');
    await owner.delete('/roles/shopper/assignments/user/bob');
    expect(await codeOf(key)).toBe('insufficient_permissions');
  });
});
