import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { api, clientSecrets, jwtApi, standardInstallation } from '../../../support/installation.ts';
import { startLatchkey } from '../../../support/latchkey.ts';
import { discover, signIn } from '../../../support/openid-client.ts';

const reportsApi = {
  client_id: 'reports-api',
  client_secret: 'the secret of the reports API',
  grant_types: ['client_credentials'],
  introspects: [jwtApi],
};
const latchkey = startLatchkey({
  apply: { ...standardInstallation, clients: [...standardInstallation.clients, reportsApi] },
});
const withSecret = (client_id: keyof typeof clientSecrets) =>
  discover(latchkey, client_id, oidc.ClientSecretBasic(clientSecrets[client_id]));
const asReportsApi = () => discover(latchkey, 'reports-api', oidc.ClientSecretBasic(reportsApi.client_secret));
const verified = (token: string) => {
  const jwks = createRemoteJWKSet(new URL(`${latchkey.issuer}/oauth/jwks`));
  return jwtVerify(token, jwks, { issuer: latchkey.issuer, audience: jwtApi, typ: 'at+jwt' });
};

describe('an app that uses openid-client to call APIs', () => {
  test('gets an opaque token that only this API and the client itself can introspect (RFC 7662 §4)', async () => {
    const config = await withSecret('web-app');
    const tokens = await (
      await signIn(latchkey, config, { parameters: { scope: 'openid read', resource: api } })
    ).tokens();
    const { access_token } = tokens;
    const seen = { active: true, client_id: 'web-app', sub: tokens.claims()?.sub, aud: api, scope: 'read' };
    expect(await oidc.tokenIntrospection(await withSecret('service'), access_token)).toMatchObject(seen);
    expect(await oidc.tokenIntrospection(config, access_token)).toMatchObject(seen);
    const stranger = await asReportsApi();
    expect(await oidc.tokenIntrospection(stranger, access_token)).toEqual({ active: false });
  });

  test('can still call userinfo with a token for an API, which its scope shows (OpenID Connect Core §5.3)', async () => {
    const config = await withSecret('web-app');
    const parameters = { scope: 'openid profile read', resource: api };
    const tokens = await (await signIn(latchkey, config, { parameters })).tokens();
    expect(tokens.scope).toBe('openid profile read');
    const sub = tokens.claims()?.sub ?? '';
    expect(await oidc.fetchUserInfo(config, tokens.access_token, sub)).toMatchObject({ name: 'Alice Example' });
    const narrow = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', { scope: 'read' });
    expect(narrow.scope).toBe('read');
    await expect(oidc.fetchUserInfo(config, narrow.access_token, sub)).rejects.toMatchObject({ status: 403 });
  });

  test('gets a token for each API with one code and its refresh token (RFC 8707 §2.2)', async () => {
    const config = await withSecret('web-app');
    const parameters: [string, string][] = [
      ['scope', 'openid read report:read'],
      ['resource', api],
      ['resource', jwtApi],
    ];
    const flow = await signIn(latchkey, config, { parameters });
    const first = await flow.tokens({ resource: api });
    expect(first.scope).toBe('openid read');
    const second = await oidc.refreshTokenGrant(config, first.refresh_token ?? '', { resource: jwtApi });
    expect(second.scope).toBe('openid report:read');
    expect((await verified(second.access_token)).payload).toMatchObject({ scope: 'report:read' });
    expect(await oidc.tokenIntrospection(config, first.access_token)).toMatchObject({ active: true, aud: api });
  });

  test('gets no token for an API that the user was not asked about (RFC 8707 §2.2)', async () => {
    const config = await withSecret('web-app');
    const tokens = await (
      await signIn(latchkey, config, { parameters: { scope: 'openid read', resource: api } })
    ).tokens();
    await expect(
      oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', { resource: jwtApi }),
    ).rejects.toMatchObject({ status: 400, error: 'invalid_target' });
    const unknown = await signIn(latchkey, config, { parameters: { resource: 'https://unknown.example' } });
    await expect(unknown.tokens()).rejects.toMatchObject({ error: 'invalid_target' });
  });
});

describe('an API with JWT access tokens', () => {
  const reportTokens = async () => {
    const config = await withSecret('web-app');
    const parameters = { scope: 'openid profile report:read', resource: jwtApi };
    return { config, tokens: await (await signIn(latchkey, config, { parameters })).tokens() };
  };

  test('verifies them offline: signature, type and claims (RFC 9068 §2, §4)', async () => {
    const { tokens } = await reportTokens();
    const { payload, protectedHeader } = await verified(tokens.access_token);
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(payload).toEqual({
      ...{ acr: 'urn:latchkey:acr:one-factor', amr: ['pwd'], auth_time: expect.any(Number) },
      iss: latchkey.issuer,
      aud: jwtApi,
      sub: tokens.claims()?.sub,
      client_id: 'web-app',
      scope: 'report:read',
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: Number(payload.iat) + 600,
      status: { status_list: { idx: expect.any(Number), uri: `${latchkey.issuer}/status-lists/1` } },
    });
    // An ID token must not be accepted as an access token: it has another type and audience (RFC 9068 §5).
    expect(decodeProtectedHeader(tokens.id_token ?? '').typ).not.toBe('at+jwt');
  });

  test('introspects them, and so does the client, until the client revokes them (RFC 7009 §2.1)', async () => {
    const { config, tokens } = await reportTokens();
    const { payload } = await verified(tokens.access_token);
    const seen = {
      active: true,
      client_id: 'web-app',
      aud: jwtApi,
      scope: 'report:read',
      jti: payload.jti,
      token_type: 'Bearer',
    };
    const itself = await asReportsApi();
    const stranger = await withSecret('service');
    expect(await oidc.tokenIntrospection(itself, tokens.access_token)).toMatchObject(seen);
    expect(await oidc.tokenIntrospection(config, tokens.access_token)).toMatchObject(seen);
    expect(await oidc.tokenIntrospection(stranger, tokens.access_token)).toEqual({ active: false });
    await expect(oidc.tokenRevocation(stranger, tokens.access_token)).rejects.toMatchObject({
      error: 'invalid_request',
    });

    await oidc.tokenRevocation(config, tokens.access_token);
    expect(await oidc.tokenIntrospection(itself, tokens.access_token)).toEqual({ active: false });
    expect(await oidc.tokenIntrospection(config, tokens.access_token)).toEqual({ active: false });
  });

  test('refuses those that were tampered with', async () => {
    const { config, tokens } = await reportTokens();
    const [header, payload, signature] = tokens.access_token.split('.');
    const other = (await reportTokens()).tokens.access_token.split('.');
    expect(await oidc.tokenIntrospection(config, [header, other[1], signature].join('.'))).toEqual({ active: false });
    expect(await oidc.tokenIntrospection(config, [header, payload, ''].join('.'))).toEqual({ active: false });
  });

  test('allows its tokens at userinfo too, in the header or in a form (RFC 6750 §2.2)', async () => {
    const { config, tokens } = await reportTokens();
    const sub = tokens.claims()?.sub ?? '';
    expect(await oidc.fetchUserInfo(config, tokens.access_token, sub)).toMatchObject({ name: 'Alice Example' });
    const body = new URLSearchParams({ access_token: tokens.access_token });
    const posted = await fetch(`${latchkey.issuer}/oauth/userinfo`, { method: 'POST', body });
    expect([posted.status, await posted.json()]).toMatchObject([200, { sub, name: 'Alice Example' }]);
  });
});
