import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { AdminApi, asOwner } from '../../support/admin.ts';
import {
  accessTokenType,
  apiKeyType,
  bound,
  data,
  exchangeInstallation,
  exchangeKey,
  refusal,
  tokenExchange,
} from '../../support/exchange.ts';
import { Gateway } from '../../support/gateway.ts';
import { api, clientSecrets, jwtApi } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';
import { discover } from '../../support/openid-client.ts';

const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1' }, apply: exchangeInstallation });
let owner: AdminApi;
let gateway: Gateway;
beforeAll(async () => {
  owner = await asOwner(latchkey);
  gateway = await Gateway.open(latchkey, owner);
});

const ofService = { owner: { client_id: 'service' } };
const ofAlice = { owner: { user: 'alice' } };
const mint = (given: object = {}) => gateway.mint({ ...ofService, permissions: ['read', 'write'], ...given });
const exchange = async (given: object, parameters: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  exchangeKey(latchkey, (await mint(given)).key, { resource: api, ...parameters }, { headers });
const introspected = async (token: string) => (await latchkey.post('/oauth/introspect', { token }, 'checker')).body;

describe('an API key is exchanged', () => {
  test('for an API that it names in another spelling (RFC 3986 §6.2)', async () => {
    for (const name of ['resource', 'audience']) {
      const { key } = await mint();
      const { body } = await exchangeKey(latchkey, key, { [name]: 'HTTPS://Api.example/' });
      expect(await introspected(body.access_token)).toMatchObject({ aud: api, scope: 'read' });
    }
  });

  test.each([
    ['an opaque token', api],
    ['a JWT', jwtApi],
  ])('for %s of its client, by nothing but the key (RFC 8693 §2.2.1)', async (_, resource) => {
    const answer = await exchange({ permissions: ['read', 'report:read'] }, { resource });
    const scope = resource === api ? 'read' : 'report:read';
    expect(answer.body).toEqual({
      access_token: expect.any(String),
      issued_token_type: accessTokenType,
      token_type: 'Bearer',
      expires_in: 600,
      scope,
    });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const { access_token } = answer.body;
    const told = { sub: 'service', client_id: 'service', aud: resource, scope };
    if (resource === api)
      expect(await introspected(access_token)).toMatchObject({ active: true, client_id: 'service' });
    else {
      const keys = createRemoteJWKSet(new URL(`${latchkey.issuer}/oauth/jwks`));
      const { payload } = await jwtVerify(access_token, keys, { issuer: latchkey.issuer, typ: 'at+jwt' });
      expect(payload).toMatchObject(told);
    }
    const verdict = await gateway.verify({ token: access_token, resource, permission: scope });
    expect(verdict).toMatchObject({ valid: true, subject: 'service', subject_kind: 'client', client_id: 'service' });
  });

  test('for the default scopes of an API, if none is requested', async () => {
    expect((await exchange({})).body.scope).toBe('read');
    expect((await exchange({ permissions: ['write'] })).body.scope).toBe('write');
  });

  test('for a token of its user, within the permissions of the user (DESIGN.md §7)', async () => {
    await owner.post('/roles', { name: 'reporter', permissions: [{ resource: jwtApi, pattern: 'report:*' }] });
    await owner.put('/roles/reporter/assignments/user/bob', {});
    const given = { owner: { user: 'bob' }, permissions: ['*'] };
    const { body } = await exchange(given, { resource: jwtApi });
    const { sub = '', client_id } = decodeJwt(body.access_token);
    expect(await owner.get(`/users/${sub}`)).toMatchObject({ body: { username: 'bob' } });
    expect([client_id, body.scope]).toEqual(['latchkey-api-keys', 'report:read']);
    expect(refusal(await exchange(given, { resource: api }))).toEqual([400, 'invalid_scope']);
  });

  test.each<[string[], string | undefined, string | undefined]>([
    [['database:*'], 'database:read:products', 'database:read:products'],
    [['database:*'], 'database:read:* database:write:products', 'database:read:* database:write:products'],
    [['database:*'], undefined, 'database:read:* database:write:products'],
    [['database:read:products', 'payments:*'], undefined, 'database:read:products'],
    [['*'], undefined, 'database:read:* database:write:products email:send'],
    [['database:read:products'], 'database:read:*', undefined],
    [['database:read:products'], 'database:read:products database:read:orders', undefined],
    [['database:write:orders'], 'database:write:orders', undefined],
    [['database:*'], 'database:*:orders', undefined],
    [['payments:*'], undefined, undefined],
    [['*'], 'openid', undefined],
    [['*'], 'latchkey:verify', undefined],
  ])(
    'that holds %j and is exchanged for %j for %j, as with client_credentials (RFC 6749 §3.3)',
    async (permissions, scope, given) => {
      const answer = await exchange({ permissions }, { resource: data, ...(scope && { scope }) });
      if (given === undefined) expect(refusal(answer)).toEqual([400, 'invalid_scope']);
      else expect([answer.status, answer.body.scope]).toEqual([200, given]);
    },
  );

  test('for the only API that it names, or the one of either parameter (RFC 8693 §2.1)', async () => {
    const permissions = [{ resource: data, pattern: 'database:*' }];
    const audience = async (parameters: Record<string, string>, given: object) => {
      const { body } = await exchangeKey(latchkey, (await mint(given)).key, parameters);
      return body.access_token ? (await introspected(body.access_token)).aud : body.error;
    };
    expect(await audience({}, { permissions })).toBe(data);
    expect(await audience({ audience: data }, { permissions })).toBe(data);
    expect(await audience({ audience: data, resource: data }, { permissions })).toBe(data);
    expect(await audience({}, {})).toBe('invalid_target');
    expect(await audience({ resource: api }, { permissions })).toBe('invalid_scope');
  });

  test('for as long as the API allows, and no longer than the key, or this version of it, is valid', async () => {
    expect((await exchange({ permissions: ['database:*'] }, { resource: data })).body.expires_in).toBe(120);
    const expires_at = new Date(Date.now() + 60_000).toISOString();
    const { body } = await exchange({ expires_at });
    expect(body.expires_in).toBeGreaterThan(40);
    expect(body.expires_in).toBeLessThanOrEqual(60);
    const before = await mint();
    const { key } = (await owner.post(`/api-keys/${before.id}/rotate`, { overlap_seconds: 30 })).body;
    const [old, present] = await Promise.all(
      [before.key, String(key)].map((text) => exchangeKey(latchkey, text, { resource: api })),
    );
    expect(old?.body.expires_in).toBeLessThanOrEqual(30);
    expect(present?.body.expires_in).toBe(600);
  });

  test('for the admin API too, where the token has what key and owner both have', async () => {
    const resource = `${latchkey.issuer}/admin`;
    const { body } = await exchange(
      { ...ofAlice, permissions: ['latchkey:api_key:read'] },
      { resource, scope: 'latchkey:api_key:read' },
    );
    const admin = new AdminApi(latchkey.issuer, body.access_token);
    expect((await admin.get('/api-keys')).status).toBe(200);
    expect((await admin.post('/api-keys', { name: 'another', environment: 'dev', permissions: [] })).status).toBe(403);
  });
});

describe('a client that exchanges a key', () => {
  const secret = { authorization: basic('service', clientSecrets.service) };
  test.each<
    [string, { given?: object; parameters?: Record<string, string>; headers?: Record<string, string> }, number, string]
  >([
    ['names its client', { parameters: { client_id: 'service' } }, 200, 'none'],
    ['authenticates as its client', { headers: secret }, 200, 'none'],
    [
      'does so in the body',
      { parameters: { client_id: 'service', client_secret: clientSecrets.service } },
      200,
      'none',
    ],
    ['has a wrong secret', { headers: { authorization: basic('service', 'wrong') } }, 401, 'invalid_client'],
    ['names another client', { parameters: { client_id: 'checker' } }, 401, 'invalid_client'],
    ['names another public client', { parameters: { client_id: 'spa' } }, 400, 'invalid_request'],
    [
      'authenticates as another client',
      { headers: { authorization: basic('checker', 'the secret of the checker') } },
      400,
      'invalid_request',
    ],
    [
      'names the client of people’s keys',
      { given: ofAlice, parameters: { client_id: 'latchkey-api-keys' } },
      200,
      'none',
    ],
    ['names that one for a client’s key', { parameters: { client_id: 'latchkey-api-keys' } }, 400, 'invalid_request'],
    ['names a client for a person’s key', { given: ofAlice, parameters: { client_id: 'spa' } }, 400, 'invalid_request'],
    ['authenticates for a person’s key', { given: ofAlice, headers: secret }, 400, 'invalid_request'],
    ['calls from a page', { headers: { origin: 'https://anywhere.example' } }, 200, 'none'],
  ])('%s (RFC 6749 §5.2)', async (_, { given = {}, parameters, headers }, status, error) => {
    expect(refusal(await exchange(given, parameters, headers))).toEqual([status, error]);
  });

  test('may have no secret at all', async () => {
    const { status, headers } = await exchange({ owner: { client_id: 'spa' } }, {}, { origin: 'https://page.example' });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, 'https://page.example']);
  });

  test('is not authenticated by the key anywhere else', async () => {
    const { key } = await mint();
    for (const parameters of [
      { grant_type: 'client_credentials', resource: api, client_id: 'service' },
      { grant_type: 'client_credentials', resource: api, client_id: 'latchkey-api-keys' },
      { grant_type: 'refresh_token', refresh_token: 'lk_rt_x', client_id: 'service' },
    ]) {
      const answer = await exchangeKey(latchkey, key, parameters);
      expect([400, 401]).toContain(answer.status);
      expect(answer.body.access_token).toBeUndefined();
    }
    const twice = [
      ['grant_type', tokenExchange],
      ['grant_type', 'client_credentials'],
    ] as [string, string][];
    expect(refusal(await exchangeKey(latchkey, key, twice))).toEqual([400, 'invalid_request']);
  });

  test('needs no registration of the grant, which cannot be registered', async () => {
    const { body } = await owner.post('/clients', { client_id: 'exchanger', grant_types: [tokenExchange] });
    expect(body).toMatchObject({ status: 400, detail: expect.stringContaining('grant_types') });
    expect((await owner.get('/clients?q=latchkey-api-keys')).body.items).toEqual([]);
    for (const changed of [
      await owner.post('/clients', { client_id: 'latchkey-api-keys', grant_types: ['client_credentials'] }),
      await owner.patch('/clients/latchkey-api-keys', { client_name: 'Mine' }),
      await owner.post('/clients/latchkey-api-keys/disable'),
    ])
      expect(changed.status).toBe(409);
    const metadata = await (await fetch(`${latchkey.issuer}/.well-known/oauth-authorization-server`)).json();
    expect(metadata).toMatchObject({ grant_types_supported: expect.arrayContaining([tokenExchange]) });
  });
});

describe('openid-client', () => {
  const subject = (key: string, more: object = {}) => ({
    subject_token: key,
    subject_token_type: apiKeyType,
    ...more,
  });

  test('exchanges a key as a client without a secret', async () => {
    const { key } = await mint();
    const configuration = await discover(latchkey, 'service', oidc.None(), 'oauth2');
    const tokens = await oidc.genericGrantRequest(configuration, tokenExchange, subject(key, { resource: api }));
    expect(tokens).toMatchObject({ scope: 'read', token_type: 'bearer', issued_token_type: accessTokenType });
  });

  test.each([api, bound])('binds the token for %s to a key of its own (RFC 9449)', async (resource) => {
    const { key } = await mint();
    const configuration = await discover(latchkey, 'service', oidc.None(), 'oauth2');
    const DPoP = oidc.getDPoPHandle(configuration, await oidc.randomDPoPKeyPair('ES256'));
    const { access_token, token_type } = await oidc.genericGrantRequest(
      configuration,
      tokenExchange,
      subject(key, { resource }),
      { DPoP },
    );
    expect(token_type).toBe('dpop');
    expect(await introspected(access_token)).toMatchObject({ cnf: { jkt: await DPoP.calculateThumbprint() } });
    expect(await gateway.verify({ token: access_token, resource })).toMatchObject({ code: 'proof_required' });
    if (resource === bound) expect(refusal(await exchange({}, { resource }))).toEqual([400, 'invalid_dpop_proof']);
  });
});
