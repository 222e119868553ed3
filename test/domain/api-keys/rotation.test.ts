import { type AdminApi, asOwner } from '../../support/admin.ts';
import { Gateway } from '../../support/gateway.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const day = 86_400;
const seconds = (text: unknown) => new Date(String(text)).getTime() / 1000;

describe('rotating an API key', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let gateway: Gateway;
  beforeEach(async () => {
    // The tests move the clock past the life of tokens.
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
  });

  const codeOf = async (key: string) => (await gateway.verify({ key })).code;
  const rotate = async (id: string, body?: object) => {
    const answer = await owner.post(`/api-keys/${id}/rotate`, body);
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return answer.body as Record<string, string>;
  };

  test('creates a version that works at once, and accepts the present one until the overlap ends', async () => {
    const { id, key, expires_at } = await gateway.mint();
    const rotated = await rotate(id, { overlap_seconds: 60 });
    expect(rotated).toMatchObject({ id, expires_at, previous_expired_at: expires_at, expiry_extended: false });
    expect(seconds(rotated.previous_expires_at)).toBeLessThan(Date.now() / 1000 + 61);
    expect([await codeOf(key), await codeOf(rotated.key ?? '')]).toEqual(['valid', 'valid']);
    await latchkey.advance(61);
    expect([await codeOf(key), await codeOf(rotated.key ?? '')]).toEqual(['expired', 'valid']);
    expect(await gateway.verify({ key })).toMatchObject({ reason: expect.stringContaining('rotated') });
  });

  test('without an overlap revokes the present version at once', async () => {
    const { id, key } = await gateway.mint();
    expect(await codeOf(key)).toBe('valid');
    const rotated = await rotate(id, { overlap_seconds: 0 });
    expect([await codeOf(key), await codeOf(rotated.key ?? '')]).toEqual(['expired', 'valid']);
  });

  test('extends the expiry only on request, and says so', async () => {
    const { id, key, expires_at } = await gateway.mint({ expires_in_days: 1 });
    const first = await rotate(id, { overlap_seconds: 10 * day });
    expect(first).toMatchObject({ expires_at, previous_expires_at: expires_at, expiry_extended: false });
    const second = await rotate(id, { overlap_seconds: 10 * day, expires_in_days: 5 });
    expect(second).toMatchObject({
      previous_expired_at: expires_at,
      previous_expires_at: expires_at,
      expiry_extended: true,
    });
    await latchkey.advance(day + 1);
    expect([await codeOf(key), await codeOf(first.key ?? ''), await codeOf(second.key ?? '')]).toEqual([
      'expired',
      'expired',
      'valid',
    ]);
  });

  test('is refused for a key that is revoked or has expired', async () => {
    const revoked = await gateway.mint();
    await owner.post(`/api-keys/${revoked.id}/revoke`);
    expect(await owner.post(`/api-keys/${revoked.id}/rotate`)).toMatchObject({ status: 409 });
    const { id, key } = await gateway.mint({ expires_in_days: 1 });
    await latchkey.advance(day + 1);
    owner = await asOwner(latchkey);
    expect(await codeOf(key)).toBe('expired');
    expect(await owner.post(`/api-keys/${id}/rotate`)).toMatchObject({ status: 409 });
  });

  test('does not keep a version working when the key is revoked', async () => {
    const { id, key } = await gateway.mint();
    const rotated = await rotate(id);
    await owner.post(`/api-keys/${id}/revoke`);
    expect([await codeOf(key), await codeOf(rotated.key ?? '')]).toEqual(['revoked', 'revoked']);
  });

  test('of thirty at once leaves thirty numbered versions or clear refusals, never a number twice', async () => {
    const { id } = await gateway.mint();
    const answers = await Promise.all(Array.from({ length: 30 }, () => owner.post(`/api-keys/${id}/rotate`)));
    const won = answers.filter(({ status }) => status === 201);
    expect(won).toHaveLength(9);
    expect(answers.filter(({ status }) => ![201, 409, 503].includes(status))).toEqual([]);
    const { body } = await owner.get(`/api-keys/${id}`);
    expect((body.versions as { number: number }[]).map(({ number }) => number)).toEqual([
      10, 9, 8, 7, 6, 5, 4, 3, 2, 1,
    ]);
  });
});
