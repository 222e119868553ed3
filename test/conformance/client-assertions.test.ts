import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, UnsecuredJWT } from 'jose';
import { type AssertionOptions, assertionType, keyedClient } from '../support/client-assertion.ts';
import { sendForm } from '../support/http.ts';
import { api, clientSecrets, standardInstallation } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';

const keyed = await keyedClient();
const stranger = await generateKeyPair('ES256');
const rsa = await generateKeyPair('RS256', { extractable: true });
const now = Math.floor(Date.now() / 1000);
const base64url = (text: string) => Buffer.from(text).toString('base64url');
const withNul = { iss: 'keyed\u0000', sub: 'keyed\u0000' };

describe('a client assertion', () => {
  const latchkey = startLatchkey({
    apply: { ...standardInstallation, clients: [...standardInstallation.clients, keyed.client] },
  });
  const request = { grant_type: 'client_credentials', resource: api, client_assertion_type: assertionType };
  const present = (client_assertion: string, more: Record<string, string> = {}, headers = {}) =>
    sendForm(latchkey.issuer, '/oauth/token', { ...request, client_assertion, ...more }, headers);
  const unauthorized = { status: 401, body: { error: 'invalid_client' } };

  test.each<{ what: string; ref: string; claims: (issuer: string) => JWTPayload; header?: Record<string, unknown> }>([
    { what: 'the issuer', ref: 'RFC 7523bis', claims: (aud) => ({ aud }) },
    { what: 'the token endpoint', ref: 'RFC 7523 §3', claims: (issuer) => ({ aud: `${issuer}/oauth/token` }) },
    { what: 'the issuer in a list', ref: 'RFC 7519 §4.1.3', claims: (issuer) => ({ aud: [issuer] }) },
    { what: 'a long jti', ref: 'RFC 7519 §4.1.7', claims: () => ({ jti: 'j'.repeat(8000) }) },
    { what: 'a jti with NUL', ref: 'CWE-158', claims: () => ({ jti: 'a\u0000b' }) },
    { what: 'its type', ref: 'RFC 7523bis', claims: () => ({}), header: { typ: 'client-authentication+jwt' } },
  ])('is accepted with $what ($ref)', async ({ claims, header = {} }) => {
    const assertion = await keyed.assertion(latchkey.issuer, claims(latchkey.issuer), { header });
    expect(await present(assertion)).toMatchObject({ status: 200, body: { scope: 'read' } });
  });

  test.each<{ what: string; ref: string; claims?: Record<string, unknown>; options?: AssertionOptions }>([
    { what: 'another audience', ref: 'CAUTH-10', claims: { aud: 'https://evil.test' } },
    { what: 'no audience', ref: 'RFC 7523 §3', claims: { aud: undefined } },
    { what: 'a second audience', ref: 'CVE-2025-27371', claims: { aud: ['AUDIENCE', 'https://evil.test'] } },
    { what: 'a time that is over', ref: 'CAUTH-10', claims: { exp: now - 60 } },
    { what: 'no end', ref: 'RFC 7523 §3', claims: { exp: undefined } },
    { what: 'an end in a day', ref: 'RFC 7523 §3', claims: { exp: now + 86_400 } },
    { what: 'an end PostgreSQL cannot store', ref: 'CWE-190', claims: { exp: 9e12 } },
    { what: 'an end beyond all time', ref: 'CWE-190', claims: { exp: 1e300 } },
    { what: 'a beginning in the future', ref: 'RFC 7523 §3', claims: { nbf: now + 600 } },
    { what: 'no jti', ref: 'OIDC Core §9', claims: { jti: undefined } },
    { what: 'another issuer', ref: 'RFC 7523 §3', claims: { iss: 'service' } },
    { what: 'another subject', ref: 'RFC 7523 §3', claims: { sub: 'service' } },
    { what: 'another client as both', ref: 'RFC 7523 §3', claims: { iss: 'service', sub: 'service' } },
    { what: 'a client id with NUL', ref: 'CWE-158', claims: withNul },
    { what: "a stranger's key", ref: 'RFC 7523 §3', options: { key: stranger.privateKey } },
    { what: 'another algorithm', ref: 'RFC 8725 §3.1', options: { key: rsa.privateKey, header: { alg: 'RS256' } } },
    {
      what: 'an unknown critical header',
      ref: 'RFC 7515 §4.1.11',
      options: { header: { kid: 'x', crit: ['b64'], b64: true } },
    },
    {
      what: 'a key address',
      ref: 'CWE-918',
      options: { key: stranger.privateKey, header: { jku: 'http://127.0.0.1:1/' } },
    },
    { what: 'a path as key id', ref: 'CWE-22', options: { header: { kid: '../../dev/null' } } },
    { what: 'SQL as key id', ref: 'CWE-89', options: { header: { kid: "' or 1=1 --" } } },
    { what: 'the type of another JWT', ref: 'RFC 8725 §3.12', options: { header: { typ: 'dpop+jwt' } } },
  ])(
    'is refused with $what ($ref)',
    async ({ claims = {}, options = {} }: { claims?: Record<string, unknown>; options?: AssertionOptions }) => {
      const aud = Array.isArray(claims.aud) ? { aud: [latchkey.issuer, ...claims.aud.slice(1)] } : {};
      const answer = await present(await keyed.assertion(latchkey.issuer, { ...claims, ...aud }, options));
      expect(answer).toMatchObject(unauthorized);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    },
  );

  test.each<[string, () => Promise<string>]>([
    ['no algorithm (RFC 8725 §2.1)', async () => new UnsecuredJWT({ iss: 'keyed', sub: 'keyed', jti: 'x' }).encode()],
    ['HMAC keyed by its public key (CAUTH-08)', async () => hmac(await exportSPKI(keyed.publicKey))],
    ['HMAC keyed by its public JWK (CAUTH-08)', async () => hmac(JSON.stringify(await exportJWK(keyed.publicKey)))],
    [
      'a signature of zeros (CVE-2022-21449)',
      async () => {
        const [header, payload] = (await keyed.assertion(latchkey.issuer)).split('.');
        return `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`;
      },
    ],
    [
      'a key of its own in the header (CVE-2018-0114)',
      async () => {
        const header = { alg: 'RS256', jwk: await exportJWK(rsa.publicKey) };
        return keyed.assertion(latchkey.issuer, {}, { key: rsa.privateKey, header });
      },
    ],
    ['no header', async () => `${base64url('null')}.${base64url('{}')}.AA`],
    ['a number as issuer', async () => `${base64url('{"alg":"ES256"}')}.${base64url('{"iss":1,"sub":{}}')}.AA`],
    [
      'a list as subject',
      async () => `${base64url('{"alg":"ES256"}')}.${base64url('{"iss":"keyed","sub":["keyed"]}')}.AA`,
    ],
  ])('is refused with %s', async (_, forged) => {
    expect(await present(await forged())).toMatchObject(unauthorized);
  });

  const hmac = (key: string) =>
    keyed.assertion(latchkey.issuer, {}, { key: new TextEncoder().encode(key), header: { alg: 'HS256' } });

  test.each<[string, Record<string, string>]>([
    ['garbage', { client_assertion: 'garbage' }],
    ['three parts of nothing', { client_assertion: 'a.b.c' }],
    ['a list as payload', { client_assertion: `${base64url('{"alg":"ES256"}')}.${base64url('[]')}.AA` }],
    ['null as payload', { client_assertion: `${base64url('{"alg":"ES256"}')}.${base64url('null')}.AA` }],
    ['no type', { client_assertion_type: '' }],
    ['the type of a SAML assertion (RFC 7522)', { client_assertion_type: assertionType.replace('jwt', 'saml2') }],
    ['another client_id (RFC 7521 §4.2)', { client_id: 'service' }],
    ['a secret beside it (RFC 6749 §2.3)', { client_secret: 'x' }],
  ])('is malformed with %s', async (_, more) => {
    const answer = await present(await keyed.assertion(latchkey.issuer), more);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('is malformed beside Basic authentication (RFC 6749 §2.3)', async () => {
    const authorization = basic('service', clientSecrets.service);
    const answer = await present(await keyed.assertion(latchkey.issuer), {}, { authorization });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('is accepted once when it is sent 30 times at once (RFC 7523 §3)', async () => {
    const assertion = await keyed.assertion(latchkey.issuer);
    const answers = await Promise.all(Array.from({ length: 30 }, () => present(assertion)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === 'invalid_client')).toHaveLength(29);
  });

  test('fails alone: concurrent requests of other clients succeed (CWE-158)', async () => {
    const poison = await keyed.assertion(latchkey.issuer, withNul);
    const good = { grant_type: 'client_credentials', resource: api };
    const authorization = basic('service', clientSecrets.service);
    for (let round = 0; round < 2; round += 1) {
      const poisoned = Array.from({ length: 100 }, () => present(poison));
      const others = poisoned.map(() => sendForm(latchkey.issuer, '/oauth/token', good, { authorization }));
      expect((await Promise.all(others)).map(({ status }) => status)).toEqual(others.map(() => 200));
      expect((await Promise.all(poisoned)).map(({ status }) => status)).toEqual(others.map(() => 401));
    }
  });
});
