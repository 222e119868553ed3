import { send, sendForm } from '../support/http.ts';
import { clientSecrets, redirectUri } from '../support/installation.ts';
import { type Answer, basic, startLatchkey } from '../support/latchkey.ts';
import { storedRows } from '../support/stored.ts';

const parameters = {
  client_id: 'spa',
  response_type: 'code',
  redirect_uri: 'https://spa.example/callback',
  scope: 'openid',
  code_challenge: 'a'.repeat(43),
  code_challenge_method: 'S256',
};

describe('storage for unauthenticated callers', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1' } });
  const from = (address: string) => ({ 'x-forwarded-for': address, accept: 'text/html' });
  const requests: Record<string, (address: string) => Promise<Answer>> = {
    pushed_requests: (address) => sendForm(latchkey.issuer, '/oauth/par', parameters, from(address)),
    interactions: (address) =>
      send(latchkey.issuer, `/oauth/authorize?${new URLSearchParams(parameters)}`, { headers: from(address) }),
    device_codes: (address) =>
      sendForm(
        latchkey.issuer,
        '/oauth/device_authorization',
        { client_id: 'television', scope: 'openid' },
        from(address),
      ),
    sessions: (address) => send(latchkey.issuer, '/device', { headers: from(address) }),
  };

  test.each([
    ['pushed_requests', 300],
    ['interactions', 500],
    ['device_codes', 200],
    ['sessions', 500],
  ])('is limited by address: %s, %d at once (CWE-770)', async (table, bound) => {
    const ask = requests[table];
    if (!ask) throw new Error(table);
    const before = (await storedRows(latchkey.database))[table] ?? 0;
    const answers: Answer[] = [];
    // One IPv6 network is one sender.
    while (answers.length < 10 * bound && answers.at(-1)?.status !== 429) {
      const network = Array.from({ length: 20 }, (_, n) => ask(`2001:db8:0:1::${(answers.length + n).toString(16)}`));
      answers.push(...(await Promise.all(network)));
    }
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused[0]?.headers.get('set-cookie')).toBeNull();
    const stored = ((await storedRows(latchkey.database))[table] ?? 0) - before;
    expect(stored).toBe(answers.length - refused.length);
    expect(stored).toBeGreaterThanOrEqual(bound);
    expect((await ask('198.51.100.7')).status).toBeLessThan(400);
  });

  test('is not limited for a client that authenticates', async () => {
    const form = { ...parameters, client_id: 'web-app', redirect_uri: redirectUri };
    const headers = { ...from('203.0.113.20'), authorization: basic('web-app', clientSecrets['web-app']) };
    for (let n = 0; n < 340; n += 20) {
      const answers = Array.from({ length: 20 }, () => sendForm(latchkey.issuer, '/oauth/par', form, headers));
      expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([201]));
    }
  });

  test('is available again after some time', async () => {
    const ask = async () => (await requests.pushed_requests?.('203.0.113.30'))?.status;
    for (let n = 0; n < 1500 && (await ask()) !== 429; n += 1);
    await latchkey.advance(10);
    expect(await ask()).toBe(201);
  });

  test('is small: a client that does not authenticate pushes 16 KiB at most (RFC 9126 §2.3)', async () => {
    const push = (state: string, client_id = 'spa', authorization?: string) => {
      const form = {
        ...parameters,
        client_id,
        redirect_uri: client_id === 'spa' ? parameters.redirect_uri : redirectUri,
        state,
      };
      return sendForm(latchkey.issuer, '/oauth/par', form, {
        ...from('203.0.113.40'),
        ...(authorization && { authorization }),
      });
    };
    expect(await push('x'.repeat(15_000))).toMatchObject({ status: 201 });
    expect(await push('x'.repeat(20_000))).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const authorization = basic('web-app', clientSecrets['web-app']);
    expect(await push('x'.repeat(20_000), 'web-app', authorization)).toMatchObject({ status: 201 });
  });

  const long = 'x'.repeat(9000);
  const asWebApp = { ...parameters, client_id: 'web-app', redirect_uri: redirectUri };
  test.each<{ what: string; parameter: string; value?: string; ref: string }>([
    { what: 'a dpop_jkt that is no thumbprint', parameter: 'dpop_jkt', value: 'x'.repeat(44), ref: 'RFC 9449 §10' },
    { what: '50 KB of dpop_jkt', parameter: 'dpop_jkt', value: 'x'.repeat(50_000), ref: 'RFC 9449 §10' },
    { what: 'a long nonce', parameter: 'nonce', ref: 'OpenID Connect Core §3.1.2.1' },
    { what: 'a long login_hint', parameter: 'login_hint', ref: 'OpenID Connect Core §3.1.2.1' },
    { what: 'long ui_locales', parameter: 'ui_locales', ref: 'OpenID Connect Core §3.1.2.1' },
    { what: 'long claims_locales', parameter: 'claims_locales', ref: 'OpenID Connect Core §5.2' },
    { what: 'long acr_values', parameter: 'acr_values', ref: 'OpenID Connect Core §3.1.2.1' },
    { what: 'a long state', parameter: 'state', value: 'x'.repeat(40_000), ref: 'RFC 6749 §4.1.1' },
  ])('is refused with the name of the parameter: $what ($ref, CWE-770)', async ({ parameter, value = long }) => {
    const before = await storedRows(latchkey.database);
    const headers = { ...from('203.0.113.50'), accept: 'application/json' };
    const pushed = await sendForm(
      latchkey.issuer,
      '/oauth/par',
      { ...asWebApp, [parameter]: value },
      { ...headers, authorization: basic('web-app', clientSecrets['web-app']) },
    );
    expect(pushed).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(pushed.body.error_description).toContain(parameter);
    // A device request has neither (RFC 8628 §3.1).
    if (!['dpop_jkt', 'state'].includes(parameter)) {
      const device = { client_id: 'television', scope: 'openid', [parameter]: value };
      expect(await sendForm(latchkey.issuer, '/oauth/device_authorization', device, headers)).toMatchObject({
        status: 400,
        body: { error: 'invalid_request' },
      });
    }
    if (value.length < 16_000) {
      const query = new URLSearchParams({ ...parameters, [parameter]: value });
      const answer = await send(latchkey.issuer, `/oauth/authorize?${query}`, { headers });
      expect(new URL(answer.headers.get('location') ?? '').searchParams.get('error')).toBe('invalid_request');
    }
    expect(await storedRows(latchkey.database)).toEqual(before);
  });

  test('is refused when a browser signs out with a long state (RP-Initiated Logout §2)', async () => {
    const query = new URLSearchParams({ state: 'x'.repeat(9000) });
    const answer = await send(latchkey.issuer, `/oauth/logout?${query}`, { headers: from('203.0.113.51') });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).toContain('state');
  });
});
