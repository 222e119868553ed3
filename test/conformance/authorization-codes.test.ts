import { api, jwtApi } from '../support/installation.ts';
import { type Code, startLatchkey } from '../support/latchkey.ts';
import { storedRows } from '../support/stored.ts';

const other = 'x'.repeat(43);
const secondRedirect = 'https://client.example/other';

describe('redeeming an authorization code', () => {
  const latchkey = startLatchkey();
  const redeem = ({ client_id, ...code }: Code, change: Record<string, string | undefined>, as = client_id) => {
    const sent = Object.entries({ grant_type: 'authorization_code', ...code, ...change });
    return latchkey.post(
      '/oauth/token',
      sent.filter((entry): entry is [string, string] => entry[1] !== undefined),
      as,
    );
  };

  test.each<{ what: string; ref: string; change?: Record<string, string | undefined>; as?: string; error?: string }>([
    { what: 'another verifier', ref: 'RFC 7636 §4.6', change: { code_verifier: other } },
    { what: 'no verifier', ref: 'CODE-08', change: { code_verifier: undefined } },
    { what: 'an empty verifier', ref: 'CODE-08', change: { code_verifier: '' } },
    { what: 'a short verifier', ref: 'CODE-14', change: { code_verifier: 'x' }, error: 'invalid_request' },
    { what: 'a long verifier', ref: 'CODE-14', change: { code_verifier: 'x'.repeat(129) }, error: 'invalid_request' },
    {
      what: 'a verifier of umlauts',
      ref: 'CODE-14',
      change: { code_verifier: 'ü'.repeat(50) },
      error: 'invalid_request',
    },
    { what: 'another redirect URI of the client', ref: 'RFC 6749 §4.1.3', change: { redirect_uri: secondRedirect } },
    { what: 'no redirect URI', ref: 'CODE-06', change: { redirect_uri: undefined }, error: 'invalid_request' },
    { what: 'another client', ref: 'CODE-04', as: 'first-party' },
    { what: 'a public client', ref: 'CODE-04', as: 'spa' },
    { what: 'a client that never redirects', ref: 'CAUTH-12', as: 'service', error: 'unauthorized_client' },
    { what: 'an unknown resource', ref: 'CC-04', change: { resource: 'https://evil.test' }, error: 'invalid_target' },
    { what: 'a resource not granted', ref: 'RFC 8707 §2.2', change: { resource: jwtApi }, error: 'invalid_target' },
    { what: 'an empty code', ref: 'RFC 6749 §4.1.3', change: { code: '' }, error: 'invalid_request' },
    { what: 'garbage', ref: 'RFC 6749 §5.2', change: { code: 'x' } },
    { what: 'a code that was never issued', ref: 'RFC 6749 §5.2', change: { code: `lk_ac_${'0'.repeat(49)}` } },
    { what: '50 KB of code', ref: 'CWE-400', change: { code: 'a'.repeat(50_000) } },
    { what: 'SQL', ref: 'CWE-89', change: { code: "' or 1=1 --" } },
    { what: 'the name of a prototype', ref: 'RESP-22', change: { code: '__proto__' } },
  ])(
    'is refused with $what, and the owner can still redeem it ($ref, CODE-30)',
    async ({ change = {}, as, error = 'invalid_grant' }) => {
      const code = await latchkey.code();
      const before = await storedRows(latchkey.database);
      const { headers, ...answer } = await redeem(code, change, as);
      expect(answer).toMatchObject({ status: 400, body: { error } });
      expect(headers.get('cache-control')).toBe('no-store');
      expect(await storedRows(latchkey.database)).toEqual(before);
      expect(await latchkey.redeem(code)).toMatchObject({ status: 200 });
    },
  );

  test('is refused with half of the code, and with a longer one', async () => {
    const code = await latchkey.code();
    for (const changed of [code.code.slice(0, -1), `${code.code}x`, code.code.toUpperCase(), ` ${code.code}`]) {
      expect(await redeem(code, { code: changed })).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    }
  });

  test('is refused without authentication of a client that has a secret (RFC 6749 §3.2.1)', async () => {
    const code = await latchkey.code();
    const { client_id, ...rest } = code;
    const form = { grant_type: 'authorization_code', ...rest };
    expect(await latchkey.post('/oauth/token', form)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const named = { ...form, client_id };
    expect(await latchkey.post('/oauth/token', named)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });

  test('is refused with the verifier of another flow of the same client, so that injected codes are worthless (RFC 9700 §4.5)', async () => {
    const [stolen, own] = [await latchkey.code(), await latchkey.code({}, latchkey.browser(), 'bob')];
    const injected = await redeem(stolen, { code_verifier: own.code_verifier });
    expect(injected).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('is refused after a minute (CODE-16)', async () => {
    const code = await latchkey.code();
    await latchkey.advance(80);
    expect(await latchkey.redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('is refused the second time, and revokes the tokens of the first (CODE-02)', async () => {
    const code = await latchkey.code();
    const { body } = await latchkey.redeem(code);
    expect(await latchkey.redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await latchkey.isActive(body.access_token)).toBe(false);
    expect(await latchkey.refresh(body.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('is refused to another client the second time, and revokes nothing: it could be a guess', async () => {
    const code = await latchkey.code();
    const { body } = await latchkey.redeem(code);
    expect(await redeem(code, {}, 'first-party')).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await latchkey.isActive(body.access_token)).toBe(true);
  });

  test('grants no more than was allowed, whatever scope the request names (RFC 6749 §4.1.3)', async () => {
    const { status, body } = await redeem(await latchkey.code(), { scope: 'read write admin' });
    expect({ status, scope: body.scope }).toEqual({ status: 200, scope: 'openid profile read' });
  });

  test('needs a code that cannot be guessed (CODE-18)', async () => {
    const codes = await Promise.all([latchkey.code(), latchkey.code(), latchkey.code()]);
    expect(new Set(codes.map(({ code }) => code.slice(6, 30))).size).toBe(3);
    for (const { code } of codes) expect(code).toMatch(/^lk_ac_[0-9A-Za-z]{49}$/);
  });

  test('is refused after the user revoked the consent', async () => {
    const browser = latchkey.browser();
    const code = await latchkey.code({ resource: api }, browser, 'bob');
    const [, id = ''] =
      /\/account\/apps\/([0-9a-f-]{36})\/revoke-access/.exec((await browser.get('/account/apps')).html) ?? [];
    await browser.submit(await browser.get(`/account/apps/${id}/revoke-access`), {}, '/revoke-access');
    expect(await latchkey.redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});
