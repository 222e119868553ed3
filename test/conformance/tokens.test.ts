import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify, UnsecuredJWT } from 'jose';
import { send } from '../support/http.ts';
import { jwtApi } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';

const latchkey = startLatchkey();

const urn = 'urn:ietf:params:oauth:grant-type';
const unsigned = new UnsecuredJWT({ iss: 'service', sub: 'alice', aud: 'https://api.example' }).encode();

describe('the token endpoint', () => {
  test.each<{ what: string; ref: string; form: Record<string, string>; error?: string }>([
    { what: 'a password', ref: 'CAUTH-14', form: { grant_type: 'password', username: 'alice', password: 'x' } },
    {
      ...{ what: 'an unsigned assertion', ref: 'CAUTH-16', error: 'invalid_grant' },
      form: { grant_type: `${urn}:jwt-bearer`, assertion: unsigned },
    },
    { what: 'a SAML assertion', ref: 'RFC 7522', form: { grant_type: `${urn}:saml2-bearer`, assertion: 'PHg+' } },
    { what: 'a grant type in capitals', ref: 'RFC 6749 §4.4.2', form: { grant_type: 'CLIENT_CREDENTIALS' } },
    { what: 'a grant type and a blank', ref: 'RFC 6749 §4.4.2', form: { grant_type: 'client_credentials ' } },
    { what: 'the implicit grant', ref: 'RFC 9700 §2.1.2', form: { grant_type: 'implicit' } },
    { what: 'a word of every object', ref: 'RESP-22', form: { grant_type: 'hasOwnProperty' } },
  ])('issues nothing for $what ($ref)', async ({ form, error = 'unsupported_grant_type' }) => {
    const answer = await latchkey.post('/oauth/token', form, 'service');
    expect(answer).toMatchObject({ status: 400, body: { error } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('returns tokens that must not be cached (RFC 6749 §5.1)', async () => {
    const answer = await latchkey.redeem(await latchkey.code());
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test('issues access tokens that are short-lived and cannot be guessed (TOK-22, RFC 6749 §10.10)', async () => {
    const answers = await Promise.all([latchkey.tokens(), latchkey.tokens(), latchkey.tokens()]);
    for (const { access_token, refresh_token, expires_in } of answers) {
      expect(expires_in).toBeLessThanOrEqual(900);
      expect(access_token).toMatch(/^lk_at_[0-9A-Za-z]{49}$/);
      expect(refresh_token).toMatch(/^lk_rt_[0-9A-Za-z]{71}$/);
    }
    expect(new Set(answers.map(({ access_token }) => access_token.slice(6, 20))).size).toBe(3);
    expect(new Set(answers.map(({ refresh_token }) => refresh_token.slice(6, 20))).size).toBe(3);
  });
});

describe('a signed token', () => {
  const keys = async () =>
    createLocalJWKSet((await send(latchkey.issuer, '/oauth/jwks')).body as unknown as JSONWebKeySet);

  test('for an API names its subject, client and audience, and nothing more (TOK-18, RFC 9068 §2)', async () => {
    const { access_token } = await latchkey.tokens({ scope: 'openid email report:read', resource: jwtApi });
    const { payload, protectedHeader } = await jwtVerify(access_token, await keys(), {
      issuer: latchkey.issuer,
      audience: jwtApi,
    });
    expect(protectedHeader).toMatchObject({ typ: 'at+jwt', alg: 'ES256', kid: expect.any(String) });
    expect(payload).toMatchObject({
      sub: expect.any(String),
      client_id: 'web-app',
      scope: 'report:read',
      jti: expect.any(String),
      status: { status_list: { idx: expect.any(Number), uri: expect.stringContaining('/status-lists/') } },
    });
    expect(Number(payload.exp) - Number(payload.iat)).toBeLessThanOrEqual(900);
    expect(JSON.stringify(payload)).not.toMatch(/alice|example\.com/i);
  });

  test('about a user is for the client alone, with its nonce (OIDC Core §2, §3.1.3.7)', async () => {
    const { id_token } = await latchkey.tokens({ nonce: 'the nonce' });
    const { payload } = await jwtVerify(id_token, await keys(), { issuer: latchkey.issuer, audience: 'web-app' });
    expect(payload).toMatchObject({ nonce: 'the nonce', aud: 'web-app', sub: expect.any(String) });
    expect(decodeProtectedHeader(id_token).typ).not.toBe('at+jwt');
  });

  test('is accepted by an API whose clock is two minutes off, with the usual leeway (OPS-05)', async () => {
    const { body } = await latchkey.clientCredentials({ resource: jwtApi, scope: 'report:read' });
    for (const minutes of [-2, 2]) {
      const currentDate = new Date(Date.now() + minutes * 60_000);
      await expect(jwtVerify(body.access_token, await keys(), { currentDate })).resolves.toMatchObject({
        payload: { aud: jwtApi },
      });
    }
  });
});
