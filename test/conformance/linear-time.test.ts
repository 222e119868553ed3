import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { send, sendForm } from '../support/http.ts';
import { api, standardInstallation } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { growthOf } from '../support/thread-time.ts';

const large = 'https://large.example';
const many = (count: number, name: (n: number) => string) => Array.from({ length: count }, (_, n) => name(n));
const largeServers = many(21, (n) => (n === 0 ? large : `${large}/${n}`));
const signer = await generateKeyPair('ES256', { extractable: true });
const entitled = Object.fromEntries(largeServers.map((identifier) => [identifier, ['o:*']]));
const installation = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    ...largeServers.map((identifier) => ({
      identifier,
      name: 'Large API',
      scopes: many(500, (n) => `o:s${n}`).map((name) => ({ name })),
    })),
  ],
  clients: [
    ...standardInstallation.clients.map((client) =>
      client.client_id === 'spa' || client.client_id === 'television'
        ? { ...client, resources: { [api]: ['read'], ...entitled } }
        : client,
    ),
    {
      client_id: 'signer',
      redirect_uris: ['https://signer.example/callback'],
      token_endpoint_auth_method: 'none',
      request_object_signing_alg: 'ES256',
      jwks: { keys: [{ ...(await exportJWK(signer.publicKey)), use: 'sig', alg: 'ES256', kid: 'signer' }] },
      scope: 'openid',
      resources: entitled,
    },
  ],
};

const authorization = {
  client_id: 'spa',
  response_type: 'code',
  redirect_uri: 'https://spa.example/callback',
  scope: 'openid',
  code_challenge: 'a'.repeat(43),
  code_challenge_method: 'S256',
};

const latchkey = startLatchkey({ apply: installation, env: { LATCHKEY_TRUST_PROXY: '1' }, ownProcess: true });

const growth = growthOf(latchkey);

describe('one request costs time proportional to its length', () => {
  beforeAll(async () => {
    for (let n = 0; n < 50; n += 1) await sendForm(latchkey.issuer, '/oauth/par', authorization);
  });
  const scopes = (count: number) => ['openid', ...many(count, (n) => `o:s${n}`)].join(' ');
  const par = (more: Record<string, string>) => sendForm(latchkey.issuer, '/oauth/par', { ...authorization, ...more });
  const signed = async (claims: object) => {
    const { client_id: _, ...parameters } = authorization;
    const payload = { ...parameters, client_id: 'signer', redirect_uri: 'https://signer.example/callback', ...claims };
    const request = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', kid: 'signer' })
      .setIssuer('signer')
      .setAudience(latchkey.issuer)
      .sign(signer.privateKey);
    return sendForm(latchkey.issuer, '/oauth/par', { client_id: 'signer', request });
  };

  test.each<[string, number, (size: number) => Promise<unknown>]>([
    ['scopes, pushed', 6000, (size) => par({ resource: large, scope: scopes(size) })],
    [
      'scopes outside the grammar',
      5000,
      (size) => par({ resource: large, scope: many(size, (n) => `/${n}`).join(' ') }),
    ],
    ['patterns as scopes', 5000, (size) => par({ resource: large, scope: many(size, (n) => `*:${n}:*`).join(' ') })],
    ['scopes in a signed request', 3000, (size) => signed({ resource: large, scope: scopes(size) })],
    ['one scope again and again', 12_000, (size) => par({ resource: large, scope: 'openid '.repeat(size / 2) })],
    [
      'resources',
      900,
      (size) => {
        const form = new URLSearchParams({ ...authorization, scope: scopes(90) });
        for (let n = 0; n < size; n += 1) form.append('resource', `${large}/${n % 21 || ''}`);
        return sendForm(latchkey.issuer, '/oauth/par', form.toString());
      },
    ],
    [
      'scopes of a device',
      6000,
      (size) => {
        const form = { client_id: 'television', resource: large, scope: scopes(size) };
        return sendForm(latchkey.issuer, '/oauth/device_authorization', form);
      },
    ],
    [
      'scopes in the address',
      1800,
      (size) => {
        const query = new URLSearchParams({ ...authorization, resource: large, scope: scopes(size) });
        return send(latchkey.issuer, `/oauth/authorize?${query}`);
      },
    ],
    [
      'claims',
      4000,
      (size) =>
        par({ claims: JSON.stringify({ userinfo: Object.fromEntries(many(size, String).map((n) => [n, null])) }) }),
    ],
    [
      'parameters of a login (Vault)',
      1_000_000,
      (size) => sendForm(latchkey.issuer, '/v1/auth/approle/login', 'a=1&'.repeat(size)),
    ],
    [
      'nested JSON of a login (Vault)',
      2_000_000,
      (size) => send(latchkey.issuer, '/v1/auth/approle/login', { method: 'POST', body: `{"a":${'['.repeat(size)}` }),
    ],
    ['nested claims', 40_000, (size) => par({ claims: `{"userinfo":${'{"a":'.repeat(size / 5)}` })],
    [
      'placeholders and parts of a path (gateway)',
      7000,
      (size) => {
        const template = Array.from({ length: 10 }, () => '{path.1}').join('');
        const query = Array.from({ length: Math.min(20, size / 350) }, () => `permission=${template}`).join('&');
        const headers = { 'x-api-key': 'sk_dev_x', 'x-original-uri': `/${'a/'.repeat(size)}` };
        return send(latchkey.issuer, `/gateway/forward-auth?${query}`, { headers });
      },
    ],
  ])('%s', async (_, size, ask) => growth.mustBeLinear(ask, size));

  test('101 scopes are too many', async () => {
    const answer = await par({ resource: large, scope: scopes(100) });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
  });

  test('100 claims are answered, 101 are too many (OpenID Connect Core §5.5)', async () => {
    const claims = (count: number) =>
      JSON.stringify({ userinfo: Object.fromEntries(many(count, (n) => `claim${n}`).map((name) => [name, null])) });
    expect(await par({ claims: claims(100) })).toMatchObject({ status: 201 });
    expect(await par({ claims: claims(101) })).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('100 scopes and 20 resources are answered, 21 resources are not (RFC 8707)', async () => {
    const pushed = (count: number) => {
      const form = new URLSearchParams({ ...authorization, scope: scopes(99) });
      for (const identifier of largeServers.slice(0, count)) form.append('resource', identifier);
      return sendForm(latchkey.issuer, '/oauth/par', form.toString());
    };
    expect(await pushed(20)).toMatchObject({ status: 201 });
    expect(await pushed(21)).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
    // Twenty APIs of 500 scopes each, compared with a hundred: the most that the limits allow.
    expect(await growth.costMs(() => pushed(20), 1)).toBeLessThan(500);
  });
});
