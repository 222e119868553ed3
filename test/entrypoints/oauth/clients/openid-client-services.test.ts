import { createRemoteJWKSet, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { api, clientSecrets, redirectUri, standardInstallation } from '../../../support/installation.ts';
import { startLatchkey } from '../../../support/latchkey.ts';
import { discover, signIn } from '../../../support/openid-client.ts';

const algs = ['ES256', 'EdDSA', 'RS256'] as const;
const keyPairs = {
  ES256: await generateKeyPair('ES256'),
  EdDSA: await generateKeyPair('EdDSA'),
  RS256: await generateKeyPair('RS256'),
};
const signedApi = (alg: string) => `https://${alg.toLowerCase()}.example`;
const resourceServers = algs.map((alg) => ({
  identifier: signedApi(alg),
  name: `${alg} API`,
  access_token_format: 'jwt',
  access_token_signing_alg: alg,
  scopes: [{ name: 'use', default: true }],
}));
const keyClients = await Promise.all(
  algs.map(async (alg) => ({
    client_id: `${alg}-service`,
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['client_credentials', 'authorization_code'],
    redirect_uris: [redirectUri],
    scope: 'openid',
    id_token_signed_response_alg: alg,
    jwks: { keys: [{ ...(await exportJWK(keyPairs[alg].publicKey)), alg, kid: alg, use: 'sig' }] },
    service_permissions: { [signedApi(alg)]: ['use'] },
  })),
);

const latchkey = startLatchkey({
  apply: {
    ...standardInstallation,
    resource_servers: [...standardInstallation.resource_servers, ...resourceServers],
    clients: [...standardInstallation.clients, ...keyClients],
  },
});
const withSecret = (client_id: keyof typeof clientSecrets) =>
  discover(latchkey, client_id, oidc.ClientSecretBasic(clientSecrets[client_id]));
const withKey = (alg: (typeof algs)[number], change?: (payload: Record<string, unknown>) => void) =>
  discover(
    latchkey,
    `${alg}-service`,
    oidc.PrivateKeyJwt(keyPairs[alg].privateKey, {
      ...(change && {
        [oidc.modifyAssertion]: (_header: unknown, payload: Record<string, unknown>) => change(payload),
      }),
    }),
  );
const verified = (token: string, audience: string) =>
  jwtVerify(token, createRemoteJWKSet(new URL(`${latchkey.issuer}/oauth/jwks`)), {
    issuer: latchkey.issuer,
    audience,
    typ: 'at+jwt',
  });
const invalidClient = { status: 401, cause: [{ scheme: 'basic', parameters: { error: 'invalid_client' } }] };

describe('a service that uses openid-client', () => {
  test('gets a token with client_secret_basic, for its default scope (RFC 6749 §4.4)', async () => {
    const token = await oidc.clientCredentialsGrant(await withSecret('service'), { resource: api });
    expect(token).toEqual({
      access_token: expect.stringMatching(/^lk_at_/),
      token_type: 'bearer',
      expires_in: 600,
      scope: 'read',
    });
  });

  test('authenticates with client_secret_post if it is registered with that', async () => {
    const config = await discover(latchkey, 'post-app', oidc.ClientSecretPost(clientSecrets['post-app']));
    const tokens = await (await signIn(latchkey, config, { parameters: { scope: 'openid' } })).tokens();
    expect(tokens.claims()).toMatchObject({ aud: 'post-app' });
  });

  test('sends its secret by Basic or in the body, no matter which of the two is registered', async () => {
    const config = await discover(latchkey, 'service', oidc.ClientSecretPost(clientSecrets.service));
    expect(await oidc.clientCredentialsGrant(config, { resource: api })).toMatchObject({ scope: 'read' });
  });

  test('authenticates in no other way than the registered one (RFC 7591 §2)', async () => {
    const asService = (authentication: oidc.ClientAuth) => discover(latchkey, 'service', authentication);
    const refused = [
      await asService(oidc.ClientSecretBasic('not its secret')),
      await asService(oidc.ClientSecretPost('not its secret')),
      await asService(oidc.None()),
      await discover(latchkey, 'ES256-service', oidc.PrivateKeyJwt(keyPairs.RS256.privateKey)),
    ];
    for (const config of refused) {
      await expect(oidc.clientCredentialsGrant(config, { resource: api })).rejects.toMatchObject(invalidClient);
    }
  });

  test.each(algs)('authenticates at every endpoint with a signed assertion, %s (RFC 7523 §2.2)', async (alg) => {
    const config = await withKey(alg);
    const { access_token } = await oidc.clientCredentialsGrant(config);
    const { payload, protectedHeader } = await verified(access_token, signedApi(alg));
    expect(protectedHeader.alg).toBe(alg);
    expect(payload).toMatchObject({ sub: `${alg}-service`, client_id: `${alg}-service`, scope: 'use' });
    expect(await oidc.tokenIntrospection(config, access_token)).toMatchObject({
      active: true,
      client_id: `${alg}-service`,
    });
    await oidc.tokenRevocation(config, access_token);
    expect(await oidc.tokenIntrospection(config, access_token)).toEqual({ active: false });
  });

  test.each(algs)('signs users in with an ID token of the registered algorithm, %s', async (alg) => {
    const config = await withKey(alg);
    const tokens = await (await signIn(latchkey, config, { parameters: { scope: 'openid' } })).tokens();
    expect(decodeProtectedHeader(tokens.id_token ?? '').alg).toBe(alg);
    expect(tokens.claims()).toMatchObject({ aud: `${alg}-service` });
    // It did not register for refresh tokens.
    expect(tokens.refresh_token).toBeUndefined();
  });

  test('is refused an assertion that was used before, or that was issued to another client (RFC 7523 §3)', async () => {
    const repeating = await withKey('ES256', (payload) => Object.assign(payload, { jti: 'always the same' }));
    await oidc.clientCredentialsGrant(repeating);
    const misdirected = await withKey('ES256', (payload) => Object.assign(payload, { aud: 'https://other.example' }));
    const expired = await withKey('ES256', (payload) =>
      Object.assign(payload, { exp: Math.floor(Date.now() / 1000) - 60 }),
    );
    for (const config of [repeating, misdirected, expired]) {
      await expect(oidc.clientCredentialsGrant(config)).rejects.toMatchObject(invalidClient);
    }
  });

  test('gets an error that names the wrong resource or scope (RFC 8707 §2, RFC 6749 §5.2)', async () => {
    const config = await withSecret('service');
    const wrong = [
      [{}, 'invalid_target'],
      [{ resource: 'https://unknown.example' }, 'invalid_target'],
      [{ resource: api, scope: 'write' }, 'invalid_scope'],
      [{ resource: api, scope: 'openid' }, 'invalid_scope'],
    ] as const;
    for (const [parameters, error] of wrong) {
      await expect(oidc.clientCredentialsGrant(config, parameters)).rejects.toMatchObject({ status: 400, error });
    }
  });
});
