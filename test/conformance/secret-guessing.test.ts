import { eventually } from '../support/eventually.ts';
import type { RunningServer } from '../support/hosted-server.ts';
import { sendForm } from '../support/http.ts';
import { api, clientSecrets } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';

const guesses = 100;
const attacker = '203.0.113.6';
const right = basic('service', clientSecrets.service);

describe('guessing a client secret', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1' } });
  let node: RunningServer;
  beforeAll(async () => {
    node = await latchkey.startNode();
  });
  const ask = (authorization: string, address = attacker, path = '/oauth/token') => {
    const form = { grant_type: 'client_credentials', resource: api, token: 'x' };
    return sendForm(latchkey.issuer, path, form, { authorization, 'x-forwarded-for': address });
  };

  // Every test starts in a new quarter of an hour.
  beforeEach(() => latchkey.advance(16 * 60));

  test('is stopped after 100 wrong secrets from an address, which also refuses the right one (library-gaps 5)', async () => {
    const answers = await Promise.all(
      Array.from({ length: guesses + 1 }, (_, n) => ask(basic('service', `guess ${n}`))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke']) {
      const { headers, ...answer } = await ask(right, attacker, path);
      expect(answer).toMatchObject({ status: 429, body: { error: 'invalid_client' } });
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(60);
    }
  });

  test('locks out neither the client at other addresses, nor other clients at that address, nor anyone for long', async () => {
    await Promise.all(Array.from({ length: guesses + 1 }, (_, n) => ask(basic('service', `guess ${n}`))));
    expect(await ask(right)).toMatchObject({ status: 429 });
    expect(await ask(right, '198.51.100.7')).toMatchObject({ status: 200 });
    expect(await ask(basic('web-app', clientSecrets['web-app']))).toMatchObject({
      status: 400,
      body: { error: 'unauthorized_client' },
    });
    await latchkey.advance(16 * 60);
    expect(await ask(right)).toMatchObject({ status: 200 });
  });

  test('does not throttle a client that knows its secret, however often it authenticates', async () => {
    const answers = await Promise.all(Array.from({ length: guesses + 50 }, () => ask(right)));
    // A busy machine may delay so many concurrent requests (503), but never refuses them.
    expect(answers.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
    expect(await ask(right)).toMatchObject({ status: 200 });
  });

  const askNode = (authorization: string) => {
    const form = { grant_type: 'client_credentials', resource: api };
    const { host } = new URL(latchkey.issuer);
    return sendForm(node.address, '/oauth/token', form, { authorization, host, 'x-forwarded-for': attacker });
  };

  test('is stopped on the other node too, from its next wrong secret', async () => {
    await Promise.all(Array.from({ length: guesses }, (_, n) => ask(basic('service', `guess ${n}`))));
    expect(await askNode(basic('service', 'one more'))).toMatchObject({ status: 401 });
    expect(await askNode(right)).toMatchObject({ status: 429 });
  });

  test('is stopped on a node whose own clock is a quarter of an hour ahead, too', async () => {
    await Promise.all(Array.from({ length: guesses }, (_, n) => ask(basic('service', `guess ${n}`))));
    await node.advance(16 * 60);
    // Until it knows the database's time, it cannot record refusals, and answers 503.
    await eventually(
      () => askNode(basic('service', 'one more')),
      ({ status }) => status !== 503,
    );
    expect(await askNode(right)).toMatchObject({ status: 429 });
    await node.advance(-16 * 60);
  });
});
