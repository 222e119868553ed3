import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway } from '../../support/gateway.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const atOnce = 100;
const limit = 50;

const count = (codes: string[], code: string) => codes.filter((one) => one === code).length;

describe.each(['memory', 'shared'])('limits counted in %s', (limits) => {
  const latchkey = startLatchkey({ env: { LATCHKEY_API_KEY_LIMITS: limits } });
  let owner: AdminApi;
  let gateway: Gateway;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
  });

  const ask = async (key: string, more: object = {}, node?: string) =>
    (await gateway.verify({ key, ...more }, node)).code;

  test(`let exactly ${limit} of ${atOnce} concurrent requests pass, and return the time to wait`, async () => {
    const { key } = await gateway.mint({ restrictions: { rate_limit: `${limit} requests/hour` } });
    const codes = await Promise.all(Array.from({ length: atOnce }, () => ask(key)));
    expect(count(codes, 'valid')).toBe(limit);
    expect(count(codes, 'rate_limited')).toBe(atOnce - limit);
    const verdict = await gateway.verify({ key });
    expect(verdict).toMatchObject({ code: 'rate_limited', limits: [{ limit, remaining: 0 }] });
    expect(verdict.retry_after_seconds).toBeGreaterThan(60);
    expect(verdict.retry_after_seconds).toBeLessThanOrEqual(72);
  });

  test('refill evenly', async () => {
    const { key } = await gateway.mint({ restrictions: { rate_limit: '6 requests/minute' } });
    const burst = () => Promise.all(Array.from({ length: 10 }, () => ask(key)));
    expect(count(await burst(), 'valid')).toBe(6);
    await latchkey.advance(20);
    expect(count(await burst(), 'valid')).toBe(2);
    await latchkey.advance(60);
    expect(count(await burst(), 'valid')).toBe(6);
  });

  test('apply together: a request that one refuses uses nothing of the others', async () => {
    const { key } = await gateway.mint({ restrictions: { rate_limit: ['5 requests/day', '3 requests/minute'] } });
    expect(count(await Promise.all(Array.from({ length: 10 }, () => ask(key))), 'valid')).toBe(3);
    await latchkey.advance(60);
    expect(count(await Promise.all(Array.from({ length: 10 }, () => ask(key))), 'valid')).toBe(2);
  });

  test('of one request apply whatever is left of a quota', async () => {
    const restrictions = { max_cost: 5, quota: { day: 20 } };
    const { key } = await gateway.mint({ restrictions });
    expect(await ask(key, { cost: 6 })).toBe('cost_too_high');
    expect((await gateway.verify({ key, cost: 6 })).reason).toBe(
      'The request costs 6; with this key, a request may cost at most 5.',
    );
    for (const code of ['valid', 'valid', 'valid', 'valid', 'quota_exceeded'])
      expect(await ask(key, { cost: 5 })).toBe(code);
    await expect(gateway.mint({ restrictions: { max_cost: 0 } })).rejects.toThrow('/restrictions/max_cost');
  });

  test('count the cost of a request, and nothing for one that is refused for another reason', async () => {
    const { key } = await gateway.mint({ restrictions: { rate_limit: '10 messages/hour' } });
    expect(await ask(key, { cost: 11 })).toBe('rate_limited');
    expect(await ask(key, { permission: 'database:write:products', cost: 5 })).toBe('insufficient_permissions');
    expect(await ask(key, { cost: 7 })).toBe('valid');
    expect(await ask(key, { cost: 4 })).toBe('rate_limited');
    expect(await ask(key, { cost: 3 })).toBe('valid');
    expect(await ask(key, { cost: 0 })).toBe('valid');
  });

  test('keep their counts when other fields of the key are changed', async () => {
    const { id, key } = await gateway.mint({ restrictions: { rate_limit: '2 requests/hour' } });
    expect([await ask(key), await ask(key), await ask(key)]).toEqual(['valid', 'valid', 'rate_limited']);
    await owner.patch(`/api-keys/${id}`, { description: 'changed' });
    expect(await ask(key)).toBe('rate_limited');
  });
});

describe('limits that nodes share', () => {
  const shared = { LATCHKEY_API_KEY_LIMITS: 'shared' };
  const latchkey = startLatchkey({ env: shared });
  let gateway: Gateway;
  let nodes: string[] = [];
  beforeAll(async () => {
    gateway = await Gateway.open(latchkey, await asOwner(latchkey));
    const env = { ...shared, LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1' };
    nodes = [latchkey.issuer, (await latchkey.startAnother({ env })).address];
  });

  test(`let exactly ${limit} of ${atOnce} concurrent requests on two nodes pass`, async () => {
    const { key } = await gateway.mint({ restrictions: { rate_limit: `${limit} requests/hour` } });
    const asked = Array.from({ length: atOnce }, (_, n) => gateway.verify({ key }, nodes[n % 2]));
    const codes = (await Promise.all(asked)).map(({ code }) => code);
    expect(count(codes, 'valid')).toBe(limit);
    expect(count(codes, 'rate_limited')).toBe(atOnce - limit);
  });

  test('let exactly a quota pass on two nodes', async () => {
    await latchkey.stayWithin('day');
    const { key } = await gateway.mint({ restrictions: { quota: { month: 20 } } });
    const asked = Array.from({ length: 60 }, (_, n) => gateway.verify({ key }, nodes[n % 2]));
    expect(
      count(
        (await Promise.all(asked)).map(({ code }) => code),
        'valid',
      ),
    ).toBe(20);
  });
});

describe('a quota that a node counts for itself', () => {
  const latchkey = startLatchkey();
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await Gateway.open(latchkey, await asOwner(latchkey));
  });

  test('is kept across nodes and restarts, and starts again each day', async () => {
    await latchkey.stayWithin('day');
    const { key } = await gateway.mint({ restrictions: { quota: { day: 3 } } });
    for (let n = 0; n < 3; n += 1) expect(await gateway.verify({ key })).toMatchObject({ code: 'valid' });
    const verdict = await gateway.verify({ key });
    expect(verdict).toMatchObject({ code: 'quota_exceeded', limits: [{ limit: 3, remaining: 0 }] });
    const counted = async () => (await latchkey.database.query('select value from limit_counters')).rows[0]?.value;
    await eventually(counted, (value) => value === '3');
    const { address } = await latchkey.startNode();
    expect(await gateway.verify({ key }, address)).toMatchObject({ code: 'quota_exceeded' });
    await latchkey.advance(Number(verdict.retry_after_seconds));
    expect(await gateway.verify({ key })).toMatchObject({ code: 'valid' });
  });
});
