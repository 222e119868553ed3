import { exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';
import {
  api,
  clientSecrets,
  jwtApi,
  password,
  redirectUri,
  standardInstallation,
} from '../../../support/installation.ts';
import { startLatchkey } from '../../../support/latchkey.ts';
import type { UserAgent } from '../../../support/user-agent.ts';

const keyPair = await generateKeyPair('ES256');
const keyClient = {
  client_id: 'key-service',
  token_endpoint_auth_method: 'private_key_jwt',
  grant_types: ['client_credentials'],
  jwks: { keys: [{ ...(await exportJWK(keyPair.publicKey)), alg: 'ES256', kid: 'key of the service' }] },
  service_permissions: { [jwtApi]: ['report:read'] },
};
const latchkey = startLatchkey({
  apply: { ...standardInstallation, clients: [...standardInstallation.clients, keyClient] },
});

const overHttp = { [oauth.allowInsecureRequests]: true };
const client: oauth.Client = { client_id: 'web-app' };
const secret = oauth.ClientSecretBasic(clientSecrets['web-app']);

async function discovered(): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(latchkey.issuer);
  const response = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...overHttp });
  return oauth.processDiscoveryResponse(issuer, response);
}

type Request = { url: string; code_verifier: string; state: string; nonce: string };

async function request(
  as: oauth.AuthorizationServer,
  parameters: Record<string, string | undefined> = {},
): Promise<Request> {
  const code_verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const url = new URL(as.authorization_endpoint ?? '');
  const all = {
    client_id: client.client_id,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid profile',
    code_challenge: await oauth.calculatePKCECodeChallenge(code_verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...parameters,
  };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value);
  return { url: url.href, code_verifier, state, nonce };
}

async function tokensOf(
  as: oauth.AuthorizationServer,
  parameters: Record<string, string> = {},
): Promise<oauth.TokenEndpointResponse> {
  const { url, code_verifier, state, nonce } = await request(as, parameters);
  const page = await latchkey.visit(latchkey.browser(), url);
  const answer = oauth.validateAuthResponse(as, client, new URL(page.url), state);
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    secret,
    answer,
    redirectUri,
    code_verifier,
    overHttp,
  );
  const checks = { expectedNonce: nonce, requireIdToken: true };
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, checks);
  await oauth.validateApplicationLevelSignature(as, response, overHttp);
  return tokens;
}

async function introspected(as: oauth.AuthorizationServer, token: string): Promise<oauth.IntrospectionResponse> {
  const response = await oauth.introspectionRequest(as, client, secret, token, overHttp);
  return oauth.processIntrospectionResponse(as, client, response);
}

describe('an app that uses oauth4webapi', () => {
  test('signs a user in, reads their profile and keeps them signed in', async () => {
    const as = await discovered();
    const tokens = await tokensOf(as);
    const sub = oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '';
    const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, overHttp);
    expect(await oauth.processUserInfoResponse(as, client, sub, userinfo)).toMatchObject({
      sub,
      name: 'Alice Example',
    });

    const { refresh_token = '' } = tokens;
    const response = await oauth.refreshTokenGrantRequest(as, client, secret, refresh_token, overHttp);
    const next = await oauth.processRefreshTokenResponse(as, client, response);
    expect(oauth.getValidatedIdTokenClaims(next)?.sub).toBe(sub);
    expect(await introspected(as, next.access_token)).toMatchObject({ active: true, sub, scope: 'openid profile' });
  });

  test('revokes a refresh token, and with it the tokens issued for it (RFC 7009 §2.1)', async () => {
    const as = await discovered();
    const { access_token, refresh_token = '' } = await tokensOf(as);
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, secret, refresh_token, overHttp));
    expect(await introspected(as, refresh_token)).toEqual({ active: false });
    expect(await introspected(as, access_token)).toEqual({ active: false });
    const unknown = await oauth.revocationRequest(as, client, secret, 'never issued', overHttp);
    await expect(oauth.processRevocationResponse(unknown)).resolves.toBeUndefined();
  });

  test('gets a token for one API, which that API validates by itself (RFC 8707 §2, RFC 9068 §4)', async () => {
    const as = await discovered();
    const { access_token, scope } = await tokensOf(as, { scope: 'openid report:read', resource: jwtApi });
    expect(scope).toBe('openid report:read');
    const call = new Request(jwtApi, { headers: { authorization: `Bearer ${access_token}` } });
    expect(await oauth.validateJwtAccessToken(as, call, jwtApi, overHttp)).toMatchObject({ scope: 'report:read' });
    await expect(oauth.validateJwtAccessToken(as, call.clone(), api, overHttp)).rejects.toThrow('unexpected JWT "aud"');
  });

  test('gets client_credentials tokens with a secret, and with a key (RFC 6749 §4.4, RFC 7523 §2.2)', async () => {
    const as = await discovered();
    const own = async (client_id: string, authentication: oauth.ClientAuth, parameters: Record<string, string>) => {
      const response = await oauth.clientCredentialsGrantRequest(
        as,
        { client_id },
        authentication,
        parameters,
        overHttp,
      );
      return oauth.processClientCredentialsResponse(as, { client_id }, response);
    };
    const bySecret = await own('service', oauth.ClientSecretBasic(clientSecrets.service), {
      resource: api,
      scope: 'read',
    });
    expect(bySecret).toMatchObject({ scope: 'read', token_type: 'bearer' });
    const key = { key: keyPair.privateKey, kid: 'key of the service' };
    const byKey = await own('key-service', oauth.PrivateKeyJwt(key), {});
    expect(byKey).toMatchObject({ scope: 'report:read', token_type: 'bearer' });
    const lone = own('service', oauth.ClientSecretBasic(clientSecrets.service), { resource: api, scope: 'write' });
    await expect(lone).rejects.toMatchObject({ status: 400, error: 'invalid_scope' });
  });

  test('gets a challenge when its secret is wrong (RFC 6749 §5.2)', async () => {
    const as = await discovered();
    const wrong = oauth.ClientSecretBasic('not the secret');
    const response = await oauth.refreshTokenGrantRequest(as, client, wrong, 'whatever', overHttp);
    await expect(oauth.processRefreshTokenResponse(as, client, response)).rejects.toMatchObject({
      status: 401,
      cause: [{ scheme: 'basic', parameters: { realm: latchkey.issuer, error: 'invalid_client' } }],
    });
  });
});

describe('the response to an authorization request that fails', () => {
  const refusal = async (browser: UserAgent, parameters: Record<string, string | undefined>) => {
    const as = await discovered();
    const { url, state } = await request(as, parameters);
    const page = await browser.get(url);
    return { as, state, page };
  };
  const judged = (as: oauth.AuthorizationServer, answer: URLSearchParams, state: string) => () =>
    oauth.validateAuthResponse(as, client, answer, state);

  test.each([
    ['an unknown scope alone', 'invalid_scope', { scope: 'unknown', nonce: undefined }],
    ['the scope of another API', 'invalid_scope', { scope: 'openid report:read', resource: api }],
    ['an unknown API', 'invalid_target', { resource: 'https://unknown.example' }],
    [
      'neither PKCE nor a nonce',
      'invalid_request',
      { code_challenge: undefined, code_challenge_method: undefined, nonce: undefined },
    ],
    ['plain PKCE', 'invalid_request', { code_challenge_method: 'plain' }],
    ['no user signed in', 'login_required', { prompt: 'none' }],
    ['an unknown response mode', 'unsupported_response_mode', { response_mode: 'unknown' }],
    ['an unsigned request object', 'invalid_request_object', { request: 'e30.e30.' }],
  ])('names its issuer, for %s: %s (RFC 9207 §2)', async (_, error, parameters) => {
    const { as, state, page } = await refusal(latchkey.browser(), parameters);
    const answer = new URL(page.url);
    expect(`${answer.origin}${answer.pathname}`).toBe(redirectUri);
    expect(Object.fromEntries(answer.searchParams)).toMatchObject({ error, state, iss: latchkey.issuer });
    expect(judged(as, answer.searchParams, state)).toThrow(oauth.AuthorizationResponseError);
  });

  test('names its issuer in the fragment if the response type uses it', async () => {
    const { as, state, page } = await refusal(latchkey.browser(), { response_type: 'token' });
    const answer = new URLSearchParams(new URL(page.url).hash.slice(1));
    expect(Object.fromEntries(answer)).toMatchObject({ error: 'unsupported_response_type', iss: latchkey.issuer });
    expect(judged(as, answer, state)).toThrow(oauth.AuthorizationResponseError);
  });

  test('names its issuer when the user cancels or does not consent (RFC 9207 §2)', async () => {
    const browser = latchkey.browser();
    const { as, state, page } = await refusal(browser, { scope: 'openid write', resource: api });
    const cancelled = await browser.submit(page, { decision: 'cancel' }, '/sign-in');
    const again = await browser.get((await request(as, { state, scope: 'openid write', resource: api })).url);
    const consent = await browser.submit(again, { login: 'bob', password }, '/sign-in');
    const denied = await browser.submit(consent, { decision: 'deny' }, '/consent');
    for (const { url } of [cancelled, denied]) {
      const answer = new URL(url).searchParams;
      expect(Object.fromEntries(answer)).toMatchObject({ error: 'access_denied', state, iss: latchkey.issuer });
      expect(judged(as, answer, state)).toThrow(oauth.AuthorizationResponseError);
    }
  });

  test.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['no client', { client_id: undefined }],
    ['an address that the client did not register', { redirect_uri: 'https://evil.example/callback' }],
    ['a longer address than it registered', { redirect_uri: `${redirectUri}/more` }],
    ['no address', { redirect_uri: undefined }],
  ])('is a page and no redirect for %s (RFC 6749 §4.1.2.1)', async (_, parameters) => {
    const { page } = await refusal(latchkey.browser(), parameters);
    expect(page).toMatchObject({ status: 400, url: expect.stringContaining(`${latchkey.issuer}/oauth/authorize?`) });
    expect(page.headers.get('location')).toBeNull();
    expect(page.headers.get('content-type')).toContain('text/html');
  });
});
