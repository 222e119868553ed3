import { createHash } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';

const own = await generateKeyPair('ES256', { extractable: true });
const other = await generateKeyPair('ES256', { extractable: true });
const [jwk, otherJwk, privateJwk] = await Promise.all([own.publicKey, other.publicKey, own.privateKey].map(exportJWK));
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');

type Proof = { claims?: Record<string, unknown>; header?: Record<string, unknown>; by?: typeof own.privateKey };

describe('a token for the admin API that is bound to a key (RFC 9449 §7)', () => {
  const latchkey = startLatchkey();
  let token = '';
  const now = () => Math.floor(Date.now() / 1000);
  const prove = (method: string, path: string, { claims = {}, header = {}, by = own.privateKey }: Proof = {}) =>
    new SignJWT({ jti: crypto.randomUUID(), htm: method, htu: `${latchkey.issuer}${path}`, iat: now(), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header } as never)
      .sign(by);

  beforeAll(async () => {
    const owner = await asOwner(latchkey);
    const { body } = await owner.post('/clients', {
      client_id: 'bound',
      grant_types: ['client_credentials'],
      dpop_bound_access_tokens: true,
      service_permissions: { [`${latchkey.issuer}/admin`]: ['latchkey:client:*'] },
    });
    const response = await fetch(`${latchkey.issuer}/oauth/token`, {
      method: 'POST',
      headers: { authorization: basic('bound', String(body.client_secret)), dpop: await prove('POST', '/oauth/token') },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${latchkey.issuer}/admin` }),
    });
    token = ((await response.json()) as { access_token: string }).access_token;
  });

  const ask = (dpop: string, scheme = 'DPoP') =>
    new AdminApi(latchkey.issuer, undefined).get('/clients?limit=1', {
      headers: { authorization: `${scheme} ${token}`, dpop },
    });
  const good = (more: Proof = {}) =>
    prove('GET', '/admin/v1/clients', { ...more, claims: { ath: sha256(token), ...more.claims } });

  test('is accepted with a proof of that key for this exact request, once', async () => {
    const proof = await good();
    expect(await ask(proof)).toMatchObject({ status: 200 });
    expect(await ask(proof)).toMatchObject({ status: 401, body: { type: 'urn:latchkey:problem:invalid_dpop_proof' } });
  });

  test.each<[string, () => Promise<string>]>([
    ['no proof', async () => ''],
    ['garbage', async () => 'a.b.c'],
    ['another key', () => good({ by: other.privateKey, header: { jwk: otherJwk } })],
    ['a signature of another key', () => good({ by: other.privateKey })],
    ['a private key inside', () => good({ header: { jwk: privateJwk } })],
    ['a broken key inside', () => good({ header: { jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 1 } } })],
    ['another method', () => good({ claims: { htm: 'POST' } })],
    ['another address', () => good({ claims: { htu: `${latchkey.issuer}/admin/v1/users` } })],
    ['another token', () => good({ claims: { ath: sha256('another') } })],
    ['an old time', () => good({ claims: { iat: now() - 120 } })],
    ['no id', () => good({ claims: { jti: undefined } })],
    ['another type', () => good({ header: { typ: 'JWT' } })],
  ])('is refused with %s', async (_, proof) => expect(await ask(await proof())).toMatchObject({ status: 401 }));

  test('is refused as a Bearer token', async () => {
    expect(await ask(await good(), 'Bearer')).toMatchObject({
      status: 401,
      body: { detail: expect.stringContaining('DPoP') },
    });
  });
});

describe('a JWT for the admin API', () => {
  const latchkey = startLatchkey();

  test('is accepted until it is revoked', async () => {
    const owner = await asOwner(latchkey);
    // An earlier version allowed this; the admin API is now built in and cannot be changed so.
    await latchkey.database.query(
      `with changed as (update resource_servers set access_token_format = 'jwt' where identifier = $1 returning identifier)
        select announce_change('resource_server', identifier) from changed`,
      [`${latchkey.issuer}/admin`],
    );
    // Nodes receive it within a second.
    const structured = await eventually(
      () => asOwner(latchkey),
      ({ token }) => token.includes('.'),
    );
    expect((await structured.get('/clients')).status).toBe(200);
    const [header, payload, signature = ''] = structured.token.split('.');
    const forged = new AdminApi(latchkey.issuer, `${header}.${payload}.${signature.split('').reverse().join('')}`);
    expect((await forged.get('/clients')).status).toBe(401);
    expect(await owner.post('/revocations', { handle: { token: structured.token } })).toMatchObject({ status: 200 });
    expect((await structured.get('/clients')).status).toBe(401);
  });
});
