import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { send, sendForm } from '../support/http.ts';
import { api, clientSecrets } from '../support/installation.ts';
import { basic, startLatchkey } from '../support/latchkey.ts';

const own = await generateKeyPair('ES256', { extractable: true });
const other = await generateKeyPair('ES256', { extractable: true });
const [ownJwk, otherJwk, privateJwk] = await Promise.all(
  [own.publicKey, other.publicKey, own.privateKey].map(exportJWK),
);
const authorization = basic('service', clientSecrets.service);
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');
const now = () => Math.floor(Date.now() / 1000);

type Proof = { claims?: Record<string, unknown>; header?: Record<string, unknown>; by?: typeof own.privateKey };

describe('a DPoP proof', () => {
  const latchkey = startLatchkey();
  const prove = ({ claims = {}, header = {}, by = own.privateKey }: Proof = {}) => {
    const good = { jti: crypto.randomUUID(), htm: 'POST', htu: `${latchkey.issuer}/oauth/token`, iat: now() };
    const kept = Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined);
    const protectedHeader = { alg: 'ES256', typ: 'dpop+jwt', jwk: ownJwk, ...header } as JWTHeaderParameters;
    return new SignJWT(Object.fromEntries(kept)).setProtectedHeader(protectedHeader).sign(by);
  };
  const ask = (dpop: string) =>
    sendForm(
      latchkey.issuer,
      '/oauth/token',
      { grant_type: 'client_credentials', resource: api },
      { authorization, dpop },
    );

  test('binds the token to its key, and is accepted once (DPOP-02, RFC 9449 §11.1)', async () => {
    const proof = await prove();
    const answer = await ask(proof);
    expect(answer).toMatchObject({ status: 200, body: { token_type: 'DPoP' } });
    const seen = await latchkey.post('/oauth/introspect', { token: answer.body.access_token }, 'service');
    expect(seen.body).toMatchObject({ active: true, cnf: { jkt: expect.any(String) } });
    expect(await ask(proof)).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
  });

  test.each<{ what: string; ref: string; proof: Proof; error?: string }>([
    { what: 'another address', ref: 'HOST-04', proof: { claims: { htu: 'https://evil.test/oauth/token' } } },
    { what: 'a list of addresses', ref: 'CWE-843', proof: { claims: { htu: ['x'] } } },
    { what: 'another method', ref: 'RFC 9449 §4.3', proof: { claims: { htm: 'GET' } } },
    { what: 'a time long ago', ref: 'DPOP-07', proof: { claims: { iat: 1 } }, error: 'use_dpop_nonce' },
    { what: 'a time beyond all times', ref: 'CWE-190', proof: { claims: { iat: 1e300 } }, error: 'use_dpop_nonce' },
    {
      what: 'a time PostgreSQL cannot store',
      ref: 'CWE-190',
      proof: { claims: { iat: 9e12 } },
      error: 'use_dpop_nonce',
    },
    { what: 'no time', ref: 'RFC 9449 §4.2', proof: { claims: { iat: undefined } } },
    { what: 'a word as time', ref: 'CWE-843', proof: { claims: { iat: 'now' } } },
    { what: 'no id', ref: 'RFC 9449 §4.2', proof: { claims: { jti: undefined } } },
    { what: 'an object as id', ref: 'CWE-843', proof: { claims: { jti: {} } } },
    { what: 'a made-up nonce', ref: 'RFC 9449 §8', proof: { claims: { nonce: 'x' } }, error: 'use_dpop_nonce' },
    { what: 'an object as nonce', ref: 'CWE-843', proof: { claims: { nonce: {} } } },
    { what: 'the signature of another key', ref: 'RFC 9449 §4.3', proof: { by: other.privateKey } },
    { what: 'the private key in it', ref: 'RFC 9449 §4.3', proof: { header: { jwk: privateJwk } } },
    { what: 'no key', ref: 'RFC 9449 §4.2', proof: { header: { jwk: undefined } } },
    { what: 'a shared key', ref: 'RFC 8725 §3.1', proof: { header: { jwk: { kty: 'oct', k: 'AA' } } } },
    {
      what: 'a key off the curve',
      ref: 'CVE-2015-7940',
      proof: { header: { jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } } },
    },
    { what: 'the type of another JWT', ref: 'RFC 8725 §3.11', proof: { header: { typ: 'JWT' } } },
  ])('is refused with $what ($ref)', async ({ proof, error = 'invalid_dpop_proof' }) => {
    const answer = await ask(await prove(proof));
    expect(answer).toMatchObject({ status: 400, body: { error } });
    if (error === 'use_dpop_nonce') expect(answer.headers.get('dpop-nonce')).toMatch(/^[\w-]{20,}$/);
  });

  test.each(['garbage', 'a.b.c', 'eyJhbGciOiJub25lIiwidHlwIjoiZHBvcCtqd3QifQ.e30.', '\u00ff', 'x'.repeat(8000)])(
    'is not recognized: %j',
    async (proof) => {
      expect(await ask(proof)).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    },
  );

  describe('for a bound token', () => {
    let access_token: string;
    beforeAll(async () => {
      const { client_id: _, ...code } = await latchkey.code();
      const form = { grant_type: 'authorization_code', ...code };
      const headers = { authorization: basic('web-app', clientSecrets['web-app']), dpop: await prove() };
      const { body } = await sendForm(latchkey.issuer, '/oauth/token', form, headers);
      expect(body.token_type).toBe('DPoP');
      access_token = body.access_token;
    });
    const claims = (more: Record<string, unknown> = {}) => ({
      htm: 'GET',
      htu: `${latchkey.issuer}/oauth/userinfo`,
      ath: sha256(access_token),
      ...more,
    });
    const userinfo = (headers: Record<string, string>) => send(latchkey.issuer, '/oauth/userinfo', { headers });

    test('is accepted once at userinfo', async () => {
      const headers = { authorization: `DPoP ${access_token}`, dpop: await prove({ claims: claims() }) };
      expect(await userinfo(headers)).toMatchObject({ status: 200, body: { preferred_username: 'alice' } });
      expect(await userinfo(headers)).toMatchObject({ status: 401, body: { error: 'invalid_dpop_proof' } });
    });

    test.each<[string, () => Promise<Record<string, string>>]>([
      ['as a bearer token', async () => ({ authorization: `Bearer ${access_token}` })],
      [
        'as a bearer token with a proof',
        async () => ({ authorization: `Bearer ${access_token}`, dpop: await prove({ claims: claims() }) }),
      ],
      ['without a proof', async () => ({ authorization: `DPoP ${access_token}` })],
      [
        'with a proof for no token',
        async () => ({
          authorization: `DPoP ${access_token}`,
          dpop: await prove({ claims: claims({ ath: undefined }) }),
        }),
      ],
      [
        'with a proof for another token',
        async () => ({
          authorization: `DPoP ${access_token}`,
          dpop: await prove({ claims: claims({ ath: sha256('x') }) }),
        }),
      ],
      [
        'with a proof of another key',
        async () => ({
          authorization: `DPoP ${access_token}`,
          dpop: await prove({ claims: claims(), header: { jwk: otherJwk }, by: other.privateKey }),
        }),
      ],
      [
        'with a proof for another endpoint',
        async () => ({
          authorization: `DPoP ${access_token}`,
          dpop: await prove({ claims: claims({ htu: `${latchkey.issuer}/oauth/token` }) }),
        }),
      ],
    ])('userinfo refuses the token %s (DPOP-04, RFC 9449 §7.1)', async (_, headers) => {
      const answer = await userinfo(await headers());
      expect([400, 401]).toContain(answer.status);
      expect(answer.headers.get('www-authenticate')).toMatch(/^DPoP .*error="/);
      expect(answer.body).not.toHaveProperty('sub');
    });
  });

  test.each<[string, () => Promise<Record<string, string>>]>([
    ['by another key (DPOP-06, RFC 9449 §10)', async () => ({ dpop: await prove() })],
    ['by no key', async () => ({})],
  ])('a code bound to one key is refused when redeemed %s: invalid_grant', async (_, headers) => {
    const { client_id: __, ...code } = await latchkey.code({ dpop_jkt: sha256('another key') });
    const form = { grant_type: 'authorization_code', ...code };
    const authorized = { authorization: basic('web-app', clientSecrets['web-app']), ...(await headers()) };
    const answer = await sendForm(latchkey.issuer, '/oauth/token', form, authorized);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});
