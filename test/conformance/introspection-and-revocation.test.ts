import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { send } from '../support/http.ts';
import { clientSecrets, jwtApi } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';
import { storedRows } from '../support/stored.ts';

type Tokens = { access_token: string; refresh_token: string; id_token: string };

const latchkey = startLatchkey();

describe('introspecting a token', () => {
  let own: Tokens;
  let foreign: Tokens;
  let jwt: Tokens;
  beforeAll(async () => {
    const spa = { client_id: 'spa', redirect_uri: 'https://spa.example/callback', scope: 'openid read' };
    own = await latchkey.tokens();
    foreign = await latchkey.tokens(spa);
    jwt = await latchkey.tokens({ scope: 'openid report:read', resource: jwtApi });
  });
  const introspect = (token: string, as: string, more: Record<string, string> = {}) =>
    latchkey.post('/oauth/introspect', { token, ...more }, as);
  const inactive = { status: 200, body: { active: false } };

  test.each<{ what: string; ref: string; as: string; token: () => string }>([
    { what: 'their own', ref: 'RFC 7662 §2.1', as: 'web-app', token: () => own.access_token },
    { what: 'their own refresh token', ref: 'RFC 7662 §2.1', as: 'web-app', token: () => own.refresh_token },
    { what: 'their own JWT', ref: 'TOK-12', as: 'web-app', token: () => jwt.access_token },
    { what: 'their own, without a secret', ref: 'RFC 7662 §2.1', as: 'spa', token: () => foreign.access_token },
    { what: 'one meant for the API they are', ref: 'RFC 7662 §4', as: 'service', token: () => foreign.access_token },
  ])('shows clients $what, and no cache ($ref, TOK-06)', async ({ as, token }) => {
    const { headers, ...answer } = await introspect(token(), as);
    expect(answer).toMatchObject({
      status: 200,
      body: { active: true, iss: latchkey.issuer, exp: expect.any(Number) },
    });
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test.each<{ what: string; ref: string; as: string; token: () => string }>([
    { what: 'one of another client', ref: 'RFC 7662 §4', as: 'web-app', token: () => foreign.access_token },
    { what: 'one of another client, to a public one', ref: 'TOK-02', as: 'spa', token: () => own.access_token },
    { what: 'one for an API they are not', ref: 'RFC 7662 §4', as: 'post-app', token: () => own.access_token },
    { what: 'a JWT for an API they are not', ref: 'RFC 7662 §4', as: 'service', token: () => jwt.access_token },
    {
      what: 'a refresh token of another client',
      ref: 'RFC 7662 §4',
      as: 'web-app',
      token: () => foreign.refresh_token,
    },
    { what: 'a refresh token, to the API', ref: 'RFC 7662 §4', as: 'service', token: () => foreign.refresh_token },
    { what: 'an ID token', ref: 'RFC 9068 §4', as: 'web-app', token: () => own.id_token },
    { what: 'garbage', ref: 'TOK-04', as: 'web-app', token: () => 'garbage' },
    { what: 'three parts of nothing', ref: 'TOK-04', as: 'web-app', token: () => 'a.b.c' },
    { what: '50 KB', ref: 'TOK-04', as: 'web-app', token: () => 'a'.repeat(50_000) },
    { what: '50 KB of a JWT', ref: 'TOK-04', as: 'web-app', token: () => `a.${'b'.repeat(50_000)}.c` },
    {
      what: 'the inner name of a JWT',
      ref: 'CWE-639',
      as: 'web-app',
      token: () => `structured:${jtiOf(jwt.access_token)}`,
    },
    { what: 'the id of a JWT', ref: 'CWE-639', as: 'web-app', token: () => jtiOf(jwt.access_token) },
    { what: 'a token in capitals', ref: 'CWE-178', as: 'web-app', token: () => own.access_token.toUpperCase() },
    { what: 'a token and a blank', ref: 'CWE-20', as: 'web-app', token: () => `${own.access_token} ` },
    { what: 'the name of a prototype', ref: 'RESP-22', as: 'web-app', token: () => '__proto__' },
  ])('tells clients nothing but "inactive" of $what ($ref)', async ({ as, token }) => {
    const { headers, ...answer } = await introspect(token(), as);
    expect(answer).toEqual(inactive);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  const jtiOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).jti as string;

  test.each<{ what: string; ref: string; forge: () => Promise<string> }>([
    { what: 'no signature', ref: 'RFC 8725 §2.1', forge: async () => new UnsecuredJWT(claimsOf(jwt)).encode() },
    {
      what: 'an empty signature',
      ref: 'RFC 8725 §2.1',
      forge: async () => `${jwt.access_token.split('.').slice(0, 2).join('.')}.`,
    },
    {
      what: 'a signature of zeros',
      ref: 'CVE-2022-21449',
      forge: async () => `${jwt.access_token.split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}`,
    },
    { what: 'a changed payload', ref: 'RFC 9068 §4', forge: async () => changed(jwt.access_token) },
    { what: 'HMAC keyed by a public key', ref: 'RFC 8725 §2.1', forge: async () => signedWithPublicKey(jwt) },
  ])('is not fooled by a JWT with $what ($ref)', async ({ forge }) => {
    expect(await introspect(await forge(), 'web-app')).toMatchObject(inactive);
    const headers = { authorization: `Bearer ${await forge()}` };
    const userinfo = await send(latchkey.issuer, '/oauth/userinfo', { headers });
    expect(userinfo).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    expect(await latchkey.post('/oauth/revoke', { token: await forge() }, 'web-app')).toMatchObject({ status: 200 });
    expect(await latchkey.isActive(jwt.access_token)).toBe(true);
  });

  const claimsOf = ({ access_token }: Tokens) =>
    JSON.parse(Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  const changed = (token: string) => {
    const [header, payload = '', signature] = token.split('.');
    const claims = Buffer.from(payload, 'base64url').toString().replace('report:read', 'report:all!');
    return `${header}.${Buffer.from(claims).toString('base64url')}.${signature}`;
  };
  const signedWithPublicKey = async (tokens: Tokens) => {
    const { body } = await send(latchkey.issuer, '/oauth/jwks');
    const [jwk = {}] = body.keys as (JsonWebKey & { kid?: string })[];
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const header = { alg: 'HS256', typ: 'at+jwt', kid: jwk.kid ?? '' };
    return new SignJWT(claimsOf(tokens)).setProtectedHeader(header).sign(Buffer.from(pem));
  };

  test.each<[string, Record<string, string>]>([
    ['no token', {}],
    ['an empty token', { token: '' }],
    ['NUL', { token: 'a\u0000b' }],
  ])('is refused with %s (RFC 7662 §2.1)', async (_, form) => {
    for (const path of ['/oauth/introspect', '/oauth/revoke']) {
      const answer = await latchkey.post(path, form, 'web-app');
      expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    }
  });

  test.each([
    {},
    { authorization: 'Bearer x' },
    { authorization: 'Basic !!' },
    { authorization: basic('web-app', 'wrong') },
  ])('is refused without authentication: %j (RFC 7662 §2.1, TOK-08)', async (headers) => {
    for (const path of ['/oauth/introspect', '/oauth/revoke']) {
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      const body = new URLSearchParams({ token: own.access_token }).toString();
      const answer = await send(latchkey.issuer, path, { method: 'POST', headers: { ...type, ...headers }, body });
      expect([400, 401]).toContain(answer.status);
      expect(answer.body).not.toHaveProperty('active');
    }
    expect(await latchkey.isActive(own.access_token)).toBe(true);
  });

  test.each(['refresh_token', 'access_token', 'id_token', '__proto__', 'x'.repeat(1000)])(
    'works with a wrong hint: %s (RFC 7662 §2.1)',
    async (token_type_hint) => {
      expect((await introspect(own.access_token, 'web-app', { token_type_hint })).body.active).toBe(true);
    },
  );

  test('shows tokens of a disabled client or user as inactive from the next request on (TOK-24)', async () => {
    const [forClient, forPerson] = [
      await latchkey.tokens({ client_id: 'first-party' }),
      await latchkey.tokens({}, latchkey.browser(), 'bob'),
    ];
    await latchkey.command(['user', 'disable', 'bob']);
    expect(await latchkey.isActive(forPerson.access_token)).toBe(false);
    expect(await latchkey.refresh(forPerson.refresh_token)).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    await latchkey.command(['client', 'disable', 'first-party']);
    expect(await latchkey.isActive(forClient.access_token, 'service')).toBe(false);
    expect(await latchkey.refresh(forClient.refresh_token, 'first-party')).toMatchObject({ status: 401 });
  });
});

describe('revoking its own token', () => {
  const revoke = (token: string, as: string, more: Record<string, string> = {}) =>
    latchkey.post('/oauth/revoke', { token, ...more }, as);

  test.each(['access_token', 'refresh_token', 'nonsense', '__proto__'])(
    'revokes it, with any hint: %s (TOK-10)',
    async (token_type_hint) => {
      const { access_token, refresh_token } = await latchkey.tokens();
      expect(await revoke(access_token, 'web-app', { token_type_hint })).toMatchObject({ status: 200 });
      expect(await latchkey.isActive(access_token)).toBe(false);
      expect(await revoke(refresh_token, 'web-app', { token_type_hint })).toMatchObject({ status: 200 });
      expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    },
  );

  test('revokes a JWT too, here and at userinfo (TOK-12)', async () => {
    const { access_token } = await latchkey.tokens({ scope: 'openid report:read', resource: jwtApi });
    expect(await revoke(access_token, 'web-app')).toMatchObject({ status: 200 });
    expect(await latchkey.isActive(access_token)).toBe(false);
    const userinfo = await send(latchkey.issuer, '/oauth/userinfo', {
      headers: { authorization: `Bearer ${access_token}` },
    });
    expect(userinfo).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
  });

  test('revokes nothing of another client, and says so (RFC 7009 §2.1)', async () => {
    const { access_token, refresh_token } = await latchkey.tokens();
    for (const token of [access_token, refresh_token]) {
      for (const as of ['post-app', 'spa']) {
        expect(await revoke(token, as)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
      }
    }
    expect(await latchkey.isActive(access_token)).toBe(true);
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 200 });
  });

  test('revokes the newest refresh token when an older one of the family is sent (RFC 7009 §2.1)', async () => {
    const { refresh_token } = await latchkey.tokens();
    const { body } = await latchkey.refresh(refresh_token);
    expect(await revoke(refresh_token, 'web-app')).toMatchObject({ status: 200 });
    expect(await latchkey.refresh(body.refresh_token)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect(await latchkey.isActive(body.access_token)).toBe(false);
  });

  test.each(['garbage', 'a.b.c', `lk_at_${'0'.repeat(49)}`, `lk_rt_${'0'.repeat(71)}`, '__proto__'])(
    'succeeds when there is nothing to revoke: %s (RFC 7009 §2.2)',
    async (token) => {
      const before = await storedRows(latchkey.database);
      expect(await revoke(token, 'web-app')).toMatchObject({ status: 200, body: { text: '' } });
      expect(await storedRows(latchkey.database)).toEqual(before);
    },
  );

  test('is refused to a caller with only the client_id of a client with a secret (TOK-08)', async () => {
    const { access_token } = await latchkey.tokens();
    const answer = await latchkey.post('/oauth/revoke', { token: access_token, client_id: 'web-app' });
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    const wrong = await latchkey.post('/oauth/revoke', {
      token: access_token,
      client_id: 'post-app',
      client_secret: clientSecrets.service,
    });
    expect(wrong).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(await latchkey.isActive(access_token)).toBe(true);
  });
});
