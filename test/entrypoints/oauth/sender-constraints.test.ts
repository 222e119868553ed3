import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { exportJWK } from 'jose';
import * as client from 'openid-client';
import { asOwner } from '../../support/admin.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { exchangeKey } from '../../support/exchange.ts';
import { ForeignIssuer } from '../../support/foreign-issuer.ts';
import { api, clientSecrets, jwtApi, redirectUri, standardInstallation } from '../../support/installation.ts';
import { type Code, startLatchkey } from '../../support/latchkey.ts';

const dpopApi = 'https://dpop.example';
const installation = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    { identifier: dpopApi, name: 'Vault', dpop_required: true, scopes: [{ name: 'read', default: true }] },
  ],
  clients: [
    ...standardInstallation.clients,
    {
      client_id: 'bound',
      client_secret: clientSecrets['web-app'],
      redirect_uris: [redirectUri],
      first_party: true,
      dpop_bound_access_tokens: true,
      scope: 'openid profile',
      resources: { [api]: ['read'], [jwtApi]: ['report:read'], [dpopApi]: ['read'] },
    },
    {
      client_id: 'bound-service',
      client_secret: clientSecrets.service,
      grant_types: ['client_credentials'],
      service_permissions: { [dpopApi]: ['read'] },
    },
  ],
};

describe('a DPoP-bound token (RFC 9449)', () => {
  const latchkey = startLatchkey({ apply: installation });
  let configuration: client.Configuration;
  let keyPair: client.CryptoKeyPair;
  beforeAll(async () => {
    const options = { execute: [client.allowInsecureRequests] };
    configuration = await client.discovery(
      new URL(latchkey.issuer),
      'bound',
      undefined,
      client.ClientSecretBasic(clientSecrets['web-app']),
      options,
    );
    keyPair = await client.randomDPoPKeyPair('ES256');
  });

  const redeem = async ({ code, code_verifier }: Code, DPoP: client.DPoPHandle, resource = api) => {
    const answer = new URL(`${redirectUri}?${new URLSearchParams({ code, iss: latchkey.issuer, state: 'the state' })}`);
    const checks = { pkceCodeVerifier: code_verifier, expectedState: 'the state' };
    return client.authorizationCodeGrant(configuration, answer, checks, { resource }, { DPoP });
  };
  const handle = (keys = keyPair) => client.getDPoPHandle(configuration, keys);

  test.each([
    ['opaque', api, 'openid profile read'],
    ['JWT', jwtApi, 'openid profile report:read'],
  ])(
    'of %s format is accepted with proofs of its key only, at userinfo and when refreshed',
    async (_, resource, scope) => {
      const DPoP = handle();
      const tokens = await redeem(await latchkey.code({ client_id: 'bound', resource, scope }), DPoP, resource);
      expect(tokens.token_type).toBe('dpop');
      const sub = tokens.claims()?.sub ?? '';
      expect(await client.fetchUserInfo(configuration, tokens.access_token, sub, { DPoP })).toMatchObject({
        name: 'Alice Example',
      });
      const other = handle(await client.randomDPoPKeyPair('ES256'));
      await expect(client.fetchUserInfo(configuration, tokens.access_token, sub, { DPoP: other })).rejects.toThrow();
      const bearer = await fetch(`${latchkey.issuer}/oauth/userinfo`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      });
      expect(bearer.status).toBe(401);

      const { body } = await latchkey.post('/oauth/introspect', { token: tokens.access_token }, 'bound');
      expect(body).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: await DPoP.calculateThumbprint() } });
      const refreshed = await client.refreshTokenGrant(
        configuration,
        String(tokens.refresh_token),
        { resource },
        { DPoP },
      );
      expect(refreshed.token_type).toBe('dpop');
    },
  );

  test('is not issued without a proof if the client or resource server demands one', async () => {
    expect(await latchkey.redeem(await latchkey.code({ client_id: 'bound', scope: 'openid read' }))).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect(await latchkey.clientCredentials({ resource: dpopApi }, 'bound-service')).toMatchObject({
      status: 400,
      body: { error: 'invalid_dpop_proof' },
    });
  });

  test('is issued once for a proof that is used many times at once (RFC 9449 §11.1)', async () => {
    const service = await client.discovery(
      new URL(latchkey.issuer),
      'bound-service',
      undefined,
      client.ClientSecretBasic(clientSecrets.service),
      { execute: [client.allowInsecureRequests] },
    );
    let proof = '';
    service[client.customFetch] = async (url, options) => {
      proof = new Headers(options.headers).get('dpop') ?? proof;
      return fetch(url, options as RequestInit);
    };
    await client.clientCredentialsGrant(
      service,
      { resource: dpopApi },
      { DPoP: client.getDPoPHandle(service, keyPair) },
    );
    const authorization = `Basic ${Buffer.from(`bound-service:${encodeURIComponent(clientSecrets.service)}`).toString('base64')}`;
    const again = () =>
      fetch(`${latchkey.issuer}/oauth/token`, {
        method: 'POST',
        headers: { authorization, dpop: proof },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: dpopApi }),
      });
    const answers = await Promise.all(Array.from({ length: 10 }, again));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 400));
  });

  test('needs a nonce of the server if the proof is old (RFC 9449 §8)', async () => {
    await latchkey.advance(3600);
    const code = await latchkey.code({ client_id: 'bound', scope: 'openid read' });
    const DPoP = handle();
    await expect(redeem(code, DPoP)).resolves.toMatchObject({ token_type: 'dpop' });
    await latchkey.advance(-3600);
  });
});

describe('a client that authenticates by its certificate (RFC 8705)', () => {
  let folder: string;
  let certificates: Record<'ca' | 'service' | 'stranger', string>;
  const latchkey = startLatchkey({
    prepare: async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-mtls-'));
      certificates = await makeCertificates();
      await writeFile(path.join(folder, 'ca.pem'), certificates.ca);
      const x5c = [new X509Certificate(certificates.service).raw.toString('base64')];
      const jwk = await exportJWK(new X509Certificate(certificates.service).publicKey);
      return {
        env: {
          LATCHKEY_TRUST_PROXY: '1',
          LATCHKEY_CLIENT_CERTIFICATE_HEADER: 'X-Client-Cert',
          LATCHKEY_CLIENT_CA_FILE: path.join(folder, 'ca.pem'),
        },
        apply: {
          ...standardInstallation,
          clients: [
            service('by-name', {
              token_endpoint_auth_method: 'tls_client_auth',
              tls_client_auth_subject_dn: 'CN=service,O=Example',
            }),
            ...byAlternativeName.map(([client_id, members]) =>
              service(client_id, { token_endpoint_auth_method: 'tls_client_auth', ...members }),
            ),
            service('by-key', {
              token_endpoint_auth_method: 'self_signed_tls_client_auth',
              jwks: { keys: [{ ...jwk, x5c, use: 'sig', kid: 'k' }] },
            }),
          ],
        },
      };
    },
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const ask = async (client_id: string, certificate: string) => {
    const headers = { 'x-client-cert': encodeURIComponent(certificate) };
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, resource: api });
    const response = await fetch(`${latchkey.issuer}/oauth/token`, { method: 'POST', headers, body });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };

  test.each(['by-name', 'by-key'])(
    '%s gets a token bound to it, and another certificate gets none',
    async (client_id) => {
      const { status, body } = await ask(client_id, certificates.service);
      expect(status).toBe(200);
      const headers = { 'x-client-cert': encodeURIComponent(certificates.service) };
      const introspection = await fetch(`${latchkey.issuer}/oauth/introspect`, {
        method: 'POST',
        headers,
        body: new URLSearchParams({ token: body.access_token ?? '', client_id }),
      });
      expect(await introspection.json()).toMatchObject({
        active: true,
        cnf: { 'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) },
      });
      for (const certificate of [certificates.stranger, '', 'nonsense', '%']) {
        expect(await ask(client_id, certificate)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
      }
    },
  );

  test('is found by an alternative name in another spelling, and by no text within another name (CVE-2021-44532)', async () => {
    const statuses = await Promise.all(
      byAlternativeName.map(async ([client_id]) => [client_id, (await ask(client_id, certificates.service)).status]),
    );
    expect(Object.fromEntries(statuses)).toEqual({
      ...{ 'by-host': 200, 'by-address': 200, 'by-uri': 200, 'by-other-host': 401, 'by-other-address': 401 },
    });
    expect(await ask('by-address', certificates.stranger)).toMatchObject({ status: 401 });
  });

  test('gets a token bound to its certificate with an API key, too, and none without (RFC 8705 §3)', async () => {
    const owner = await asOwner(latchkey);
    const given = { name: 'a key', environment: 'dev', owner: { client_id: 'by-name' }, permissions: ['read'] };
    const key = String((await owner.post('/api-keys', given)).body.key);
    const headers = { 'x-client-cert': encodeURIComponent(certificates.service) };
    const { body } = await exchangeKey(latchkey, key, { resource: api }, { headers });
    const { rows } = await latchkey.database.query('select payload from access_tokens order by issued_at desc limit 1');
    expect(body).toMatchObject({ scope: 'read', token_type: 'Bearer' });
    expect(rows[0].payload).toMatchObject({ 'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) });
    expect(await exchangeKey(latchkey, key, { resource: api })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  test('gets a token of a user bound to it with an identity assertion, too (RFC 8705 §3)', async () => {
    const owner = await asOwner(latchkey);
    const issuer = await ForeignIssuer.named('https://idp.example', { alg: 'ES256', typ: 'oauth-id-jag+jwt' });
    const trusted = { name: 'idp', kind: 'id_jag', issuer: issuer.issuer, jwks: { keys: issuer.keys } };
    expect(await owner.post('/trusts', { ...trusted, permissions: { [api]: ['read'] } })).toMatchObject({
      status: 201,
    });
    await owner.post('/users/bob/identities', { issuer: issuer.issuer, subject: 'bob' });
    await owner.patch('/clients/by-name', { resources: { [api]: ['read'] } });
    const present = async (certificate: string) => {
      const claims = { sub: 'bob', aud: latchkey.issuer, client_id: 'by-name', resource: api, scope: 'read' };
      const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
      const form = { grant_type, client_id: 'by-name', assertion: await issuer.sign(claims) };
      const headers = { 'x-client-cert': encodeURIComponent(certificate) };
      const body = new URLSearchParams(form);
      const response = await fetch(`${latchkey.issuer}/oauth/token`, { method: 'POST', headers, body });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    expect(await present(certificates.service)).toMatchObject({ status: 200, body: { scope: 'read' } });
    const { rows } = await latchkey.database.query('select payload from access_tokens order by issued_at desc limit 1');
    expect(rows[0].payload).toMatchObject({ 'x5t#S256': expect.stringMatching(/^[\w-]{43}$/) });
    for (const certificate of [certificates.stranger, ''])
      expect(await present(certificate)).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });
});

/** Clients by an alternative name of a certificate, of which the last two are not in it. */
const byAlternativeName: [string, Record<string, string>][] = [
  ['by-host', { tls_client_auth_san_dns: 'service.example' }],
  ['by-address', { tls_client_auth_san_ip: 'FD00:0::5' }],
  ['by-uri', { tls_client_auth_san_uri: 'https://own.example/x, DNS:other.example, y' }],
  ['by-other-host', { tls_client_auth_san_dns: 'other.example' }],
  ['by-other-address', { tls_client_auth_san_ip: 'fd00::6' }],
];

function service(client_id: string, members: Record<string, unknown>) {
  const bound = { grant_types: ['client_credentials'], tls_client_certificate_bound_access_tokens: true };
  return { client_id, ...bound, service_permissions: { [api]: ['read'] }, ...members };
}
