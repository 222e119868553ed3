import { decodeJwt } from 'jose';
import { sendForm } from '../support/http.ts';
import { api, clientSecrets, jwtApi } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';
import { storedRows } from '../support/stored.ts';

type Tokens = { access_token: string; refresh_token: string; id_token: string };

describe('a refresh token', () => {
  const latchkey = startLatchkey();
  let tokens: Tokens;
  let spa: Tokens;
  beforeEach(async () => {
    tokens = await latchkey.tokens({ scope: 'openid profile read' });
  });
  beforeAll(async () => {
    const redirect_uri = 'https://spa.example/callback';
    spa = await latchkey.tokens({ client_id: 'spa', redirect_uri, scope: 'openid read' });
  });
  const refresh = (change: Record<string, string>, as: string | undefined = 'web-app') =>
    latchkey.post('/oauth/token', { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, ...change }, as);

  test.each<{ what: string; ref: string; change?: () => Record<string, string>; as?: string; error?: string }>([
    { what: 'by another client', ref: 'RFC 6749 §6', as: 'first-party' },
    { what: 'by a public client', ref: 'RFC 6749 §6', as: 'spa' },
    { what: 'by a service', ref: 'CAUTH-12', as: 'service', error: 'unauthorized_client' },
    {
      what: 'for more than was granted',
      ref: 'RFC 6749 §6',
      change: () => ({ scope: 'read write' }),
      error: 'invalid_scope',
    },
    { what: 'for everything', ref: 'RFC 6749 §6', change: () => ({ scope: '*' }), error: 'invalid_scope' },
    {
      what: 'for a longer stay',
      ref: 'RFC 6749 §6',
      change: () => ({ scope: 'openid offline_access' }),
      error: 'invalid_scope',
    },
    { what: 'for another resource', ref: 'CC-08', change: () => ({ resource: jwtApi }), error: 'invalid_target' },
    {
      what: 'for an unknown resource',
      ref: 'CC-04',
      change: () => ({ resource: 'https://evil.test' }),
      error: 'invalid_target',
    },
    {
      what: 'for a resource with a path more',
      ref: 'RFC 8707 §2',
      change: () => ({ resource: `${api}/v1` }),
      error: 'invalid_target',
    },
    {
      what: 'with scopes of broken syntax',
      ref: 'RFC 6749 §3.3',
      change: () => ({ scope: 'read"' }),
      error: 'invalid_scope',
    },
    { what: 'that is an access token', ref: 'REFRESH-10', change: () => ({ refresh_token: tokens.access_token }) },
    { what: 'that is an ID token', ref: 'REFRESH-10', change: () => ({ refresh_token: tokens.id_token }) },
    { what: 'that is garbage', ref: 'RFC 6749 §5.2', change: () => ({ refresh_token: 'garbage' }) },
    { what: 'that is empty', ref: 'RFC 6749 §6', change: () => ({ refresh_token: '' }), error: 'invalid_request' },
    {
      what: 'that is half of one',
      ref: 'RFC 6749 §5.2',
      change: () => ({ refresh_token: tokens.refresh_token.slice(0, 40) }),
    },
    { what: 'that is another client’s', ref: 'RFC 6749 §5.2', change: () => ({ refresh_token: spa.refresh_token }) },
    {
      what: 'with the end of another',
      ref: 'CWE-345',
      change: () => ({ refresh_token: tokens.refresh_token.slice(0, 40) + spa.refresh_token.slice(40) }),
    },
    { what: 'of 50 KB', ref: 'CWE-400', change: () => ({ refresh_token: `lk_rt_${'a'.repeat(50_000)}` }) },
  ])(
    'is refused $what, and the owner can still use it ($ref, REFRESH-16)',
    async ({ change, as, error = 'invalid_grant' }) => {
      const before = await storedRows(latchkey.database);
      const { headers, ...answer } = await refresh(change?.() ?? {}, as);
      expect(answer).toMatchObject({ status: 400, body: { error } });
      expect(headers.get('cache-control')).toBe('no-store');
      expect(await storedRows(latchkey.database)).toEqual(before);
      expect(await refresh({})).toMatchObject({ status: 200, body: { scope: 'openid profile read' } });
    },
  );

  test.each<[string, Record<string, string>]>([
    ['nothing (RFC 6749 §6)', {}],
    ['only the client_id (REFRESH-08)', { client_id: 'web-app' }],
    ['a wrong secret', { client_id: 'post-app', client_secret: 'wrong' }],
  ])('is refused to a client that authenticates with %s', async (_, form) => {
    const request = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, ...form };
    const answer = await sendForm(latchkey.issuer, '/oauth/token', request);
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await refresh({})).toMatchObject({ status: 200 });
  });

  test('cannot be used for two resources at once (RFC 8707 §2.2)', async () => {
    const request = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
    for (const resource of [api, jwtApi]) request.append('resource', resource);
    const authorization = basic('web-app', clientSecrets['web-app']);
    const answer = await sendForm(latchkey.issuer, '/oauth/token', request.toString(), { authorization });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
  });

  test('gives fewer scopes if fewer are requested, and all of them again the next time (REFRESH-06)', async () => {
    const wide = await latchkey.tokens({ scope: 'openid profile read' });
    const { body: narrow } = await refresh({ refresh_token: wide.refresh_token, scope: 'openid read' });
    expect(narrow.scope).toBe('openid read');
    const { body } = await refresh({ refresh_token: narrow.refresh_token });
    expect(body).toMatchObject({ scope: 'openid profile read', id_token: expect.any(String) });
    const userinfo = await fetch(`${latchkey.issuer}/oauth/userinfo`, {
      headers: { authorization: `Bearer ${body.access_token}` },
    });
    expect(await userinfo.json()).toMatchObject({ preferred_username: 'alice' });
  });

  test('keeps the subject and audience of the ID token (REFRESH-12, OIDC Core §12.2)', async () => {
    const first = decodeJwt((await latchkey.tokens({ nonce: 'the nonce', max_age: '3600' })).id_token);
    const again = await latchkey.tokens({ nonce: 'another', max_age: '3600' });
    const { body } = await refresh({ refresh_token: again.refresh_token });
    const { iss, sub, aud, auth_time } = decodeJwt(body.id_token);
    expect({ iss, sub, aud }).toEqual({ iss: latchkey.issuer, sub: first.sub, aud: 'web-app' });
    expect(auth_time).toBe(decodeJwt(again.id_token).auth_time);
    expect(auth_time).toEqual(expect.any(Number));
  });

  test('that is sent again because the response was lost returns the same successor (REFRESH-13)', async () => {
    const [first, again] = [await refresh({}), await refresh({})];
    expect(again).toMatchObject({ status: 200, body: { refresh_token: first.body.refresh_token } });
  });

  test('sent 20 times at once has one successor (REFRESH-04, RFC 9700 §4.14.2)', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh({})));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
  });

  test('used after its successor was used revokes the newest of its family too (REFRESH-02, RFC 9700 §4.14.2)', async () => {
    const { body: second } = await refresh({});
    const { body: third } = await refresh({ refresh_token: second.refresh_token });
    const reuse = { status: 400, body: { error: 'invalid_grant' } };
    expect(await refresh({})).toMatchObject(reuse);
    expect(await refresh({ refresh_token: third.refresh_token })).toMatchObject(reuse);
    expect(await latchkey.isActive(third.access_token)).toBe(false);
  });
});
