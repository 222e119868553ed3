import { createHash, randomBytes } from 'node:crypto';
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { api, clientSecrets, redirectUri, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('an authorization request', () => {
  let privateKey: client.CryptoKey;
  const latchkey = startLatchkey({
    prepare: async () => {
      const pair = await generateKeyPair('ES256', { extractable: true });
      privateKey = pair.privateKey;
      const jwks = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'request', alg: 'ES256', use: 'sig' }] };
      const app = {
        client_secret: clientSecrets['web-app'],
        redirect_uris: [redirectUri],
        first_party: true,
        scope: 'openid',
        resources: { [api]: ['read'] },
      };
      const clients = [
        { ...app, client_id: 'pusher', require_pushed_authorization_requests: true },
        { ...app, client_id: 'signer', jwks, request_object_signing_alg: 'ES256', require_signed_request_object: true },
        { ...app, client_id: 'jarm', authorization_signed_response_alg: 'ES256' },
      ];
      return { apply: { ...standardInstallation, clients: [...standardInstallation.clients, ...clients] } };
    },
  });

  const configurationOf = (client_id: string) =>
    client.discovery(
      new URL(latchkey.issuer),
      client_id,
      undefined,
      client.ClientSecretBasic(clientSecrets['web-app']),
      { execute: [client.allowInsecureRequests] },
    );
  const parametersOf = (code_verifier: string) => ({
    redirect_uri: redirectUri,
    scope: 'openid read',
    resource: api,
    state: 'the state',
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const finish = async (configuration: client.Configuration, url: URL, pkceCodeVerifier: string) => {
    const page = await latchkey.visit(latchkey.browser(), url.href);
    const checks = { pkceCodeVerifier, expectedState: 'the state' };
    return client.authorizationCodeGrant(configuration, new URL(page.url), checks, { resource: api });
  };

  test('can be pushed, and must be if the client is registered so (RFC 9126)', async () => {
    const configuration = await configurationOf('pusher');
    const code_verifier = randomBytes(32).toString('base64url');
    const url = await client.buildAuthorizationUrlWithPAR(configuration, parametersOf(code_verifier));
    expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri']);
    await expect(finish(configuration, url, code_verifier)).resolves.toMatchObject({ token_type: 'bearer' });
    const plain = await latchkey.browser().get(latchkey.authorizeUrl({ client_id: 'pusher', scope: 'openid read' }));
    expect(new URL(plain.url).searchParams.get('error')).toBe('invalid_request');
  });

  test('that is signed names the registered API in any spelling, also when it is pushed', async () => {
    const configuration = await configurationOf('signer');
    const key = { key: privateKey, kid: 'request' };
    for (const resource of ['HTTPS://Api.example/', 'https://API.example']) {
      const code_verifier = randomBytes(32).toString('base64url');
      const asked = { ...parametersOf(code_verifier), resource };
      const url = await client.buildAuthorizationUrlWithJAR(configuration, asked, key);
      const request = url.searchParams.get('request') ?? '';
      const pushed = await latchkey.post('/oauth/par', { request }, 'signer');
      const reference = new URLSearchParams({ client_id: 'signer', request_uri: String(pushed.body.request_uri) });
      for (const place of [url, new URL(`${latchkey.issuer}/oauth/authorize?${reference}`)]) {
        const { access_token } = await finish(configuration, place, code_verifier);
        const { body } = await latchkey.post('/oauth/introspect', { token: access_token }, 'service');
        expect(body).toMatchObject({ active: true, aud: api, scope: 'read' });
      }
    }
  });

  test('that was pushed is used once, also by two users at once (RFC 9126 §7.3)', async () => {
    const configuration = await configurationOf('pusher');
    const url = await client.buildAuthorizationUrlWithPAR(
      configuration,
      parametersOf(randomBytes(32).toString('base64url')),
    );
    const pages = await Promise.all(
      ['alice', 'bob'].map((login) => latchkey.visit(latchkey.browser(), url.href, { login })),
    );
    const codes = pages.filter((page) => new URL(page.url).searchParams.has('code'));
    expect(codes).toHaveLength(1);
    const late = await latchkey.visit(latchkey.browser(), url.href);
    expect(new URL(late.url).searchParams.has('code')).toBe(false);
  });

  test('can be signed, and must be if the client is registered so (RFC 9101)', async () => {
    const configuration = await configurationOf('signer');
    const code_verifier = randomBytes(32).toString('base64url');
    const key = { key: privateKey, kid: 'request' };
    const url = await client.buildAuthorizationUrlWithJAR(configuration, parametersOf(code_verifier), key);
    await expect(finish(configuration, url, code_verifier)).resolves.toMatchObject({ token_type: 'bearer' });

    const stranger = await generateKeyPair('ES256');
    const forged = await client.buildAuthorizationUrlWithJAR(configuration, parametersOf(code_verifier), {
      key: stranger.privateKey,
      kid: 'request',
    });
    expect((await latchkey.browser().get(forged.href)).html).toContain('invalid_request_object');
    const plain = await latchkey.browser().get(latchkey.authorizeUrl({ client_id: 'signer', scope: 'openid read' }));
    expect(new URL(plain.url).searchParams.get('error')).toBe('invalid_request');
  });

  test('can request a signed response (JARM)', async () => {
    const configuration = await configurationOf('jarm');
    client.useJwtResponseMode(configuration);
    const code_verifier = randomBytes(32).toString('base64url');
    const url = client.buildAuthorizationUrl(configuration, parametersOf(code_verifier));
    const page = await latchkey.visit(latchkey.browser(), url.href);
    const response = new URL(page.url).searchParams.get('response') ?? '';
    const jwks = createRemoteJWKSet(new URL(`${latchkey.issuer}/oauth/jwks`));
    const { payload } = await jwtVerify(response, jwks, { issuer: latchkey.issuer, audience: 'jarm' });
    expect(payload).toMatchObject({ code: expect.stringMatching(/^lk_ac_/), state: 'the state' });
    const checks = { pkceCodeVerifier: code_verifier, expectedState: 'the state' };
    await expect(
      client.authorizationCodeGrant(configuration, new URL(page.url), checks, { resource: api }),
    ).resolves.toBeTruthy();
  });

  test('can request the response as a form post', async () => {
    const page = await latchkey.visit(
      latchkey.browser(),
      latchkey.authorizeUrl({ client_id: 'first-party', scope: 'openid read', response_mode: 'form_post' }),
    );
    expect(page.html).toMatch(new RegExp(`<form method="post" action="${redirectUri}">`));
    expect(page.html).toMatch(/name="code" value="lk_ac_/);
    const hash = /script-src[^;]*'(sha256-[^']+)'/.exec(page.headers.get('content-security-policy') ?? '')?.[1];
    expect(hash).toBeTruthy();
    expect(page.headers.get('cache-control')).toContain('no-store');
  });

  test('that was pushed is valid for a minute, and only for its own client', async () => {
    const configuration = await configurationOf('pusher');
    const url = await client.buildAuthorizationUrlWithPAR(
      configuration,
      parametersOf(randomBytes(32).toString('base64url')),
    );
    const foreign = new URL(url);
    foreign.searchParams.set('client_id', 'web-app');
    expect((await latchkey.browser().get(foreign.href)).status).toBe(400);
    // The library uses the time of this machine: no later step depends on it.
    await latchkey.advance(76);
    expect((await latchkey.browser().get(url.href)).status).toBe(400);
  });
});
