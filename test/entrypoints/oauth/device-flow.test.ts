import * as client from 'openid-client';
import { api, password, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { Page, UserAgent } from '../../support/user-agent.ts';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const guardedApi = 'https://guarded.example';
const installation = {
  ...standardInstallation,
  resource_servers: [
    ...standardInstallation.resource_servers,
    {
      identifier: guardedApi,
      name: 'Guarded API',
      assignment_required: true,
      scopes: [{ name: 'guard:read', description: 'Read guarded records', default: true }],
    },
  ],
  clients: [
    ...standardInstallation.clients,
    {
      client_id: 'tv',
      client_name: 'Television',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: [deviceGrant, 'refresh_token'],
      scope: 'openid profile',
      resources: { [api]: ['read'], [guardedApi]: ['guard:read'] },
    },
  ],
};

describe('a device', () => {
  const latchkey = startLatchkey({ apply: installation });
  let configuration: client.Configuration;
  beforeAll(async () => {
    configuration = await client.discovery(new URL(latchkey.issuer), 'tv', undefined, client.None(), {
      execute: [client.allowInsecureRequests],
    });
  });

  const ask = () => client.initiateDeviceAuthorization(configuration, { scope: 'openid profile read', resource: api });
  const poll = (device_code: string) => latchkey.post('/oauth/token', { grant_type: deviceGrant, device_code }, 'tv');

  async function enter(browser: UserAgent, address: string): Promise<Page> {
    const page = await browser.get(address);
    const user_code = /name="user_code"[^>]* value="([A-Z-]+)"/.exec(page.html)?.[1] ?? '';
    return browser.submit(page, { user_code }, '/device');
  }

  async function answer(browser: UserAgent, address: string, decision = 'allow', login = 'alice'): Promise<Page> {
    let page = await browser.submit(await enter(browser, address), { confirm: 'yes' }, '/device');
    if (page.html.includes('name="password"')) page = await browser.submit(page, { login, password }, '/sign-in');
    if (page.html.includes('value="allow"')) page = await browser.submit(page, { decision }, '/consent');
    return page;
  }

  test('gets tokens once its user entered the short code and allowed it (RFC 8628 §3)', async () => {
    const asked = await ask();
    expect(asked).toMatchObject({
      user_code: expect.stringMatching(/^[A-Z]{4}-[A-Z]{4}$/),
      verification_uri: `${latchkey.issuer}/device`,
      expires_in: 600,
    });
    const page = await answer(latchkey.browser(), asked.verification_uri_complete ?? '');
    expect(page.html).toContain('Television is connected');
    const tokens = await client.pollDeviceAuthorizationGrant(configuration, { ...asked, interval: 1 });
    expect(tokens.claims()).toMatchObject({ sub: expect.any(String) });
    expect(await latchkey.refresh(String(tokens.refresh_token), 'tv')).toMatchObject({ status: 200 });
  });

  test('is told to wait, and to slow down when it asks too soon (RFC 8628 §3.5)', async () => {
    const { device_code } = await ask();
    expect((await poll(device_code)).body.error).toBe('authorization_pending');
    expect((await poll(device_code)).body.error).toBe('slow_down');
    await latchkey.advance(6);
    expect((await poll(device_code)).body.error).toBe('slow_down');
    await latchkey.advance(16);
    expect((await poll(device_code)).body.error).toBe('authorization_pending');
  });

  test('redeems one device code once, also with simultaneous requests, and a later use revokes its tokens', async () => {
    const asked = await ask();
    await answer(latchkey.browser(), asked.verification_uri_complete ?? '');
    const answers = await Promise.all(Array.from({ length: 30 }, () => poll(asked.device_code)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ body }) => body.error === 'invalid_grant')).toHaveLength(29);
    expect(await latchkey.refresh(won[0]?.body.refresh_token ?? '', 'tv')).toMatchObject({ status: 400 });
    expect(await latchkey.auditEvents('device_code.reuse')).not.toHaveLength(0);
  });

  test('is refused when the user refuses, with another client’s code, and after ten minutes', async () => {
    const refused = await ask();
    await answer(latchkey.browser(), refused.verification_uri_complete ?? '', 'deny');
    expect((await poll(refused.device_code)).body.error).toBe('access_denied');

    const late = await ask();
    const foreign = await latchkey.post(
      '/oauth/token',
      { grant_type: deviceGrant, device_code: late.device_code },
      'native',
    );
    expect(foreign.status).toBe(400);
    await latchkey.advance(601);
    expect((await poll(late.device_code)).body.error).toBe('expired_token');
    expect((await enter(latchkey.browser(), late.verification_uri_complete ?? '')).html).toContain(
      'This code has expired',
    );
  });

  test.each(['openid guard:read', 'guard:read'])(
    'is denied for a user without the role that its API needs (scope %s, RFC 8628 §3.5)',
    async (scope) => {
      const asked = await client.initiateDeviceAuthorization(configuration, { scope, resource: guardedApi });
      const browser = latchkey.browser();
      const page = await answer(browser, asked.verification_uri_complete ?? '', 'allow', 'bob');
      expect(page.status).toBe(403);
      expect(page.html).toContain('Access denied');
      expect((await poll(asked.device_code)).body).toMatchObject({ error: 'access_denied' });
      // A signed-in user sees it at once.
      const again = await client.initiateDeviceAuthorization(configuration, { scope, resource: guardedApi });
      expect((await answer(browser, again.verification_uri_complete ?? '')).html).toContain('Access denied');
      expect((await poll(again.device_code)).body).toMatchObject({ error: 'access_denied' });
    },
  );

  test('shows its code in large letters and as a QR code for a phone', async () => {
    const { user_code } = await ask();
    const page = await latchkey.browser().get(`/device-code?user_code=${user_code}`);
    expect(page.html).toContain(user_code);
    const picture = await fetch(`${latchkey.issuer}/device-code/qr.svg?user_code=${user_code}`);
    expect(picture.headers.get('content-type')).toContain('image/svg+xml');
    expect(await picture.text()).toMatch(/^<svg/);
  });

  test('keeps its tokens when its user signs out of the browser', async () => {
    const asked = await ask();
    const browser = latchkey.browser();
    await answer(browser, asked.verification_uri_complete ?? '');
    const { body } = await poll(asked.device_code);
    await browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' });
    expect(await latchkey.refresh(body.refresh_token, 'tv')).toMatchObject({ status: 200 });
  });
});

describe('guessing user codes', () => {
  const latchkey = startLatchkey({ apply: installation });

  test('is throttled (RFC 8628 §5.1)', async () => {
    const browser = latchkey.browser();
    let page = await browser.get('/device');
    for (let attempt = 0; attempt < 41 && page.status === 200; attempt += 1)
      page = await browser.submit(page, { user_code: 'BBBB-BBBB' });
    expect(page.status).toBe(429);
    expect(page.headers.get('retry-after')).toMatch(/^\d+$/);
  });
});
