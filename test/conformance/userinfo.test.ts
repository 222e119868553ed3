import { send, sendForm } from '../support/http.ts';
import { api, clientSecrets, jwtApi } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';

type Tokens = { access_token: string; refresh_token: string; id_token: string };

describe('userinfo', () => {
  const latchkey = startLatchkey();
  let tokens: Tokens;
  let withoutOpenid: Tokens;
  let jwt: Tokens;
  let code: string;
  beforeAll(async () => {
    tokens = await latchkey.tokens({ scope: 'openid profile read' });
    withoutOpenid = await latchkey.tokens({ scope: 'read' });
    jwt = await latchkey.tokens({ scope: 'openid report:read', resource: jwtApi });
    ({ code } = await latchkey.code());
  });
  const ask = (authorization?: string, query = '') =>
    send(latchkey.issuer, `/oauth/userinfo${query}`, { headers: authorization === undefined ? {} : { authorization } });

  test.each(['Bearer', 'bearer', 'BEARER'])('returns the granted claims to %s (RFC 9110 §11.1)', async (scheme) => {
    const { headers, ...answer } = await ask(`${scheme} ${tokens.access_token}`);
    expect(answer).toEqual({
      status: 200,
      body: {
        sub: expect.any(String),
        name: 'Alice Example',
        preferred_username: 'alice',
        updated_at: expect.any(Number),
      },
    });
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('identifies users by an opaque id, the same for every client (TOK-26)', async () => {
    const { body } = await ask(`Bearer ${tokens.access_token}`);
    const other = await latchkey.tokens({
      client_id: 'spa',
      redirect_uri: 'https://spa.example/callback',
      scope: 'openid',
    });
    expect(body.sub).toMatch(/^[0-9a-f]{8}-/);
    expect((await ask(`Bearer ${other.access_token}`)).body).toEqual({ sub: body.sub });
    expect((await ask(`Bearer ${jwt.access_token}`)).body).toEqual({ sub: body.sub });
  });

  test('answers a request without a token with a challenge that has no error code (TOK-14, RFC 6750 §3.1)', async () => {
    const { status, headers } = await ask();
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer realm="[^"]*"(, DPoP |$)/);
    expect(headers.get('www-authenticate')).not.toContain('error=');
  });

  test.each<{ what: string; ref: string; token: () => string | Promise<string> }>([
    { what: 'garbage', ref: 'TOK-14', token: () => 'garbage' },
    { what: 'a token that was never issued', ref: 'RFC 6750 §3.1', token: () => `lk_at_${'0'.repeat(49)}` },
    { what: 'an ID token', ref: 'RFC 9068 §4', token: () => tokens.id_token },
    { what: 'a refresh token', ref: 'RFC 6750 §3.1', token: () => tokens.refresh_token },
    { what: 'a code', ref: 'RFC 6750 §3.1', token: () => code },
    {
      what: 'the token of a service',
      ref: 'OIDC Core §5.3',
      token: async () => (await latchkey.clientCredentials({ resource: api })).body.access_token,
    },
    {
      what: 'the JWT of a service',
      ref: 'OIDC Core §5.3',
      token: async () =>
        (await latchkey.clientCredentials({ resource: jwtApi, scope: 'report:read' })).body.access_token,
    },
    { what: 'the inner name of a JWT', ref: 'CWE-639', token: () => 'structured:x' },
    { what: 'the stand-in for a forged JWT', ref: 'CWE-639', token: () => 'unverified-token' },
    { what: '8 KB', ref: 'CWE-400', token: () => 'a'.repeat(8000) },
    { what: 'bytes that are no text', ref: 'CWE-20', token: () => '\u00ff\u00fe' },
    { what: 'the name of a prototype', ref: 'RESP-22', token: () => '__proto__' },
  ])('refuses $what as invalid_token ($ref)', async ({ token }) => {
    const { headers, ...answer } = await ask(`Bearer ${await token()}`);
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    expect(headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('refuses a token without the openid scope: insufficient_scope (RFC 6750 §3.1, TOK-16)', async () => {
    const { headers, ...answer } = await ask(`Bearer ${withoutOpenid.access_token}`);
    expect(answer).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } });
    expect(headers.get('www-authenticate')).toContain('scope="openid"');
    expect(await ask(`Bearer ${tokens.access_token}`, '?scope=email')).toMatchObject({ status: 403 });
  });

  test.each<[string, () => string]>([
    ['no token', () => 'Bearer'],
    ['an empty token', () => 'Bearer '],
    ['two blanks', () => `Bearer  ${tokens.access_token}`],
    ['two tokens', () => `Bearer ${tokens.access_token} ${tokens.access_token}`],
    ['another scheme', () => basic('web-app', clientSecrets['web-app'])],
    ['a proof that is missing', () => `DPoP ${tokens.access_token}`],
  ])('rejects a header with %s as malformed (RFC 6750 §3.1)', async (_, authorization) => {
    const answer = await ask(authorization());
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThanOrEqual(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^(Bearer|DPoP) /);
    expect(answer.body).not.toHaveProperty('sub');
  });

  test('accepts no token in the query, which logs would keep (RFC 9700 §4.3.2, KEY-10)', async () => {
    const answer = await ask(undefined, `?access_token=${tokens.access_token}`);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('accepts a token in a form (RFC 6750 §2.2), but not in two places at once', async () => {
    const form = { access_token: tokens.access_token };
    expect(await sendForm(latchkey.issuer, '/oauth/userinfo', form)).toMatchObject({ status: 200 });
    const both = await sendForm(latchkey.issuer, '/oauth/userinfo', form, {
      authorization: `Bearer ${tokens.access_token}`,
    });
    expect(both).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const twice = `access_token=${tokens.access_token}&access_token=${tokens.access_token}`;
    expect(await sendForm(latchkey.issuer, '/oauth/userinfo', twice)).toMatchObject({ status: 400 });
  });
});
