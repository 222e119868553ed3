import { allowListed, statusFrom, unknownKey } from '../support/allow-listed.ts';
import { sendForm } from '../support/http.ts';
import { api, clientSecrets } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';

describe('throttles', () => {
  // Each test starts in a new quarter of an hour; the administrator's token is valid for all of them.
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1', LATCHKEY_ACCESS_TOKEN_SECONDS: '86400' } });
  const { gateway } = allowListed(latchkey);
  beforeEach(() => latchkey.advance(16 * 60));

  const guessKey = async (address: string) =>
    (await statusFrom(gateway(), unknownKey(), { 'x-forwarded-for': address })) === 429;
  const guessSecret = async (address: string) => {
    const headers = { authorization: basic('service', 'wrong'), 'x-forwarded-for': address };
    const form = { grant_type: 'client_credentials', resource: api };
    return (await sendForm(latchkey.issuer, '/oauth/token', form, headers)).status === 429;
  };
  const guessPassword = async (address: string) => {
    const browser = latchkey.browser();
    const wrong = { login: `nobody-${crypto.randomUUID()}`, password: 'wrong' };
    const headers = { 'x-forwarded-for': address };
    return (await browser.submit(await browser.get('/sign-in'), wrong, '/sign-in', headers)).status === 429;
  };
  const enterUserCode = async (address: string) => {
    const browser = latchkey.browser();
    const page = await browser.get('/device');
    const headers = { 'x-forwarded-for': address };
    return (await browser.submit(page, { user_code: 'BCDF-GHJK' }, '/device', headers)).status === 429;
  };
  const guesses = { key: guessKey, secret: guessSecret, password: guessPassword, userCode: enterUserCode };

  /** Sends guesses from each address until one is refused. Returns the number of accepted ones. */
  async function triesUntilRefused(kind: keyof typeof guesses, most: number, address: (n: number) => string) {
    for (let n = 0; n < most; n += 10) {
      const refused = await Promise.all(Array.from({ length: 10 }, (_, k) => guesses[kind](address(n + k))));
      if (refused.includes(true)) return n + refused.indexOf(true);
    }
    return most;
  }

  test.each<[keyof typeof guesses, number]>([
    ['key', 60],
    ['secret', 100],
    ['password', 60],
    ['userCode', 40],
  ])('count the addresses of an IPv6 /64 as one: %s after %d', async (kind, bound) => {
    const tries = await triesUntilRefused(kind, bound + 50, (n) => `2001:db8:0:1::${(n + 1).toString(16)}`);
    expect(tries).toBeGreaterThanOrEqual(bound);
    expect(tries).toBeLessThan(bound + 30);
    expect(await guesses[kind]('2001:db8:0:2::1')).toBe(false);
  });

  test('have larger bounds for an IPv6 /56 and /48', async () => {
    // Attempts are restored meanwhile: ten a second at most.
    const comeBack = (since: number) => (performance.now() - since) / 100;
    const first = performance.now();
    const in56 = await triesUntilRefused('key', 3000, (n) => `2001:db8:1:${(n % 256).toString(16)}::1`);
    expect(in56).toBeGreaterThanOrEqual(60);
    expect(in56).toBeLessThan(300 + comeBack(first));
    const second = performance.now();
    const in48 = await triesUntilRefused('key', 3000, (n) => `2001:db8:2:${(n * 16).toString(16)}::1`);
    expect(in48).toBeGreaterThan(240);
    expect(in48).toBeLessThan(600 + comeBack(second));
    expect(await guessKey('2001:db8:3::1')).toBe(false);
  });

  test('of a larger network do not count what a smaller one was refused', async () => {
    for (let n = 0; n < 400; n += 20) await Promise.all(Array.from({ length: 20 }, () => guessKey('2001:db8:4:1::1')));
    expect(await guessKey('2001:db8:4:2::1')).toBe(false);
  });

  test.each([
    ['a port', (n: number) => `203.0.113.7:${50_000 + n}`],
    ['brackets and a port', (n: number) => `[2001:db8:5::1]:${50_000 + n}`],
    ['IPv4-mapped spellings', (n: number) => (n % 2 === 0 ? '::ffff:203.0.113.8' : '203.0.113.8')],
  ])('count an address once, whatever headers the request has: %s', async (_, address) => {
    expect(await triesUntilRefused('key', 100, address)).toBeLessThan(90);
  });

  test('count two IPv4 addresses separately, also on a server that has IPv6 only (RFC 6052)', async () => {
    await triesUntilRefused('key', 100, () => '64:ff9b::cb00:7109');
    expect(await guessKey('64:ff9b::cb00:7109')).toBe(true);
    expect(await guessKey('64:ff9b::cb00:710a')).toBe(false);
  });

  test('refuse no valid key after a service asked about many that do not exist', async () => {
    const asked = Array.from({ length: 100 }, () => ({ key: unknownKey() }));
    for (let round = 0; round < 4; round += 1)
      expect(new Set((await gateway().verifyAll(asked)).map(({ code }) => code))).toEqual(new Set(['unknown']));
    const flood = Array.from({ length: 30 }, () => gateway().verifyAll(asked.map(() => ({ key: unknownKey() }))));
    const { key } = await gateway().mint();
    expect(await gateway().verify({ key })).toMatchObject({ code: 'valid' });
    await Promise.all(flood);
  });

  test('still refuse keys from a client address that a service names (OWASP API4:2023)', async () => {
    const verify = async () => (await gateway().verify({ key: unknownKey(), ip: '203.0.113.99' })).code;
    const codes = new Set<string>();
    // Sixty at once, and one a second after that.
    for (let n = 0; n < 600 && !codes.has('throttled'); n += 1) codes.add(await verify());
    expect(codes).toEqual(new Set(['unknown', 'throttled']));
  });

  test('accept a client with the right secret from another address', async () => {
    await triesUntilRefused('secret', 150, () => '2001:db8:6::1');
    const headers = { authorization: basic('service', clientSecrets.service), 'x-forwarded-for': '2001:db8:7::1' };
    const form = { grant_type: 'client_credentials', resource: api };
    expect(await sendForm(latchkey.issuer, '/oauth/token', form, headers)).toMatchObject({ status: 200 });
  });
});

describe('where no proxy is trusted', () => {
  const latchkey = startLatchkey();
  const { gateway } = allowListed(latchkey);

  test('a proxy that asks for all its users is refused no valid key (forward-auth)', async () => {
    for (let n = 0; n < 100; n += 1) expect(await statusFrom(gateway(), unknownKey(), {})).toBe(401);
    const { key } = await gateway().mint();
    expect(await statusFrom(gateway(), key, {})).toBe(200);
  });
});
