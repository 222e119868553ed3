import { api, clientSecrets, redirectUri, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const shortApi = 'https://short.example';
const installation = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    { identifier: shortApi, name: 'Short', access_token_ttl_seconds: 30, scopes: [{ name: 'read', default: true }] },
  ],
  clients: [
    ...standardInstallation.clients,
    {
      client_id: 'short-lived',
      client_secret: clientSecrets['web-app'],
      redirect_uris: [redirectUri],
      first_party: true,
      scope: 'openid offline_access',
      resources: { [api]: ['read'], [shortApi]: ['read'] },
      lifetimes: { access_token: 60, refresh_token_idle: 120, refresh_token_absolute: 300, refresh_grace: 0 },
    },
    {
      client_id: 'short-service',
      client_secret: clientSecrets['web-app'],
      grant_types: ['client_credentials'],
      service_permissions: { [shortApi]: ['read'] },
    },
  ],
};

describe('lifetimes', () => {
  const env = { LATCHKEY_SESSION_SECONDS: '400', LATCHKEY_SESSION_ABSOLUTE_SECONDS: '600' };
  const latchkey = startLatchkey({ apply: installation, env });
  const authorization = { client_id: 'short-lived', scope: 'openid read' };

  test('of access tokens are the shorter one of client and resource server', async () => {
    expect((await latchkey.tokens(authorization)).expires_in).toBe(60);
    expect((await latchkey.tokens({ ...authorization, resource: shortApi })).expires_in).toBe(30);
    expect((await latchkey.clientCredentials({ resource: shortApi }, 'short-service')).body.expires_in).toBe(30);
    expect((await latchkey.tokens()).expires_in).toBe(600);
  });

  test('of refresh tokens follow the client: idle, and absolute however often they are used', async () => {
    const idle = await latchkey.tokens(authorization);
    let { refresh_token } = await latchkey.tokens(authorization);
    for (const seconds of [100, 100]) {
      await latchkey.advance(seconds);
      const { status, body } = await latchkey.refresh(refresh_token, 'short-lived');
      expect(status).toBe(200);
      refresh_token = body.refresh_token;
    }
    expect(await latchkey.refresh(idle.refresh_token, 'short-lived')).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    await latchkey.advance(101);
    expect(await latchkey.refresh(refresh_token, 'short-lived')).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });

  test('of browser sessions: idle, and absolute from the sign-in on, however often clients use them', async () => {
    const [used, idle] = [latchkey.browser(), latchkey.browser()];
    for (const browser of [used, idle]) await latchkey.tokens(authorization, browser);
    const errorIn = async (browser: typeof used) => {
      const { url } = await browser.get(latchkey.authorizeUrl({ ...authorization, prompt: 'none' }));
      return new URL(url).searchParams.get('error');
    };
    await latchkey.advance(300);
    expect(await errorIn(used)).toBeNull();
    await latchkey.advance(250);
    expect([await errorIn(used), await errorIn(idle)]).toEqual([null, 'login_required']);
    await latchkey.advance(60);
    expect(await errorIn(used)).toBe('login_required');
    await latchkey.tokens(authorization, used);
    expect(await errorIn(used)).toBeNull();
  });

  test('apply to access tokens and codes', async () => {
    const { access_token } = await latchkey.tokens(authorization);
    const code = await latchkey.code(authorization);
    await latchkey.advance(90);
    expect(await latchkey.isActive(access_token, 'short-lived')).toBe(false);
    expect(await latchkey.redeem(code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
});
