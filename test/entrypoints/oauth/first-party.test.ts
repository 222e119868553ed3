import { type AdminApi, asOwner } from '../../support/admin.ts';
import { api, clientSecrets, redirectUri, standardInstallation } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';
import type { Page } from '../../support/user-agent.ts';

const own = {
  client_secret: clientSecrets['web-app'],
  redirect_uris: [redirectUri],
  scope: 'openid profile',
  resources: { [api]: ['read', 'write', '*'] },
};
const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const installation = {
  ...standardInstallation,
  clients: [
    ...standardInstallation.clients,
    { ...own, client_id: 'own-app', client_name: 'Own app', first_party: true },
    {
      ...own,
      client_id: 'own-screen',
      first_party: true,
      grant_types: [deviceGrant, 'refresh_token'],
      redirect_uris: [],
    },
    { ...own, client_id: 'formerly-own', first_party: true },
    { ...own, client_id: 'formerly-trusted', first_party: true },
  ],
};

const isConsentPage = ({ html }: Page) => html.includes('value="allow"');
const errorIn = ({ url }: Page) => new URL(url).searchParams.get('error');

// An administrator of a client can choose its scopes, and anyone can send a user to its authorization request.
describe('a first-party client', () => {
  const latchkey = startLatchkey({ apply: installation });
  const admin = () => `${latchkey.issuer}/admin`;
  const asks = { client_id: 'own-app', scope: 'openid read' };
  const sensitive = { client_id: 'own-app', scope: 'openid read write' };

  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    await owner.patch('/clients/own-app', {
      resources: { [admin()]: ['latchkey:api_key:create', 'latchkey:*'] },
    });
  });

  test('gets its scopes without consent, in a session and with prompt=none', async () => {
    const browser = latchkey.browser();
    const { access_token } = await latchkey.tokens(asks, browser);
    expect(await latchkey.isActive(access_token, 'own-app')).toBe(true);
    const again = await browser.get(latchkey.authorizeUrl({ ...asks, prompt: 'none' }));
    expect(new URL(again.url).searchParams.get('code')).toEqual(expect.any(String));
  });

  test.each([
    ['a permission of the admin API', 'openid latchkey:api_key:create', admin],
    ['every permission of the admin API', 'openid latchkey:*', admin],
    ['a scope marked sensitive', 'openid read write', () => api],
    ['a pattern that covers a scope marked sensitive', 'openid *', () => api],
  ])('needs consent for %s, by page, by prompt=none and by a pushed request (RFC 9126)', async (_, scope, resource) => {
    const request = { client_id: 'own-app', scope, resource: resource() };
    const browser = latchkey.browser();
    await latchkey.tokens(asks, browser);
    expect(errorIn(await browser.get(latchkey.authorizeUrl({ ...request, prompt: 'none' })))).toMatch(/_required$/);
    expect(isConsentPage(await browser.get(latchkey.authorizeUrl(request)))).toBe(true);

    const pushed = await fetch(`${latchkey.issuer}/oauth/par`, {
      method: 'POST',
      headers: { authorization: basic('own-app', clientSecrets['web-app']) },
      body: new URL(latchkey.authorizeUrl({ ...request, prompt: 'none' })).searchParams,
    });
    const { request_uri } = (await pushed.json()) as { request_uri: string };
    const query = new URLSearchParams({ client_id: 'own-app', request_uri });
    expect(errorIn(await browser.get(`/oauth/authorize?${query}`))).toMatch(/_required$/);
  });

  test('asks once: the consent is listed as a connected app, and the question returns when it is revoked', async () => {
    const browser = latchkey.browser();
    const tokens = await latchkey.tokens({ ...sensitive }, browser, 'bob');
    expect(tokens.scope).not.toContain('write');
    const ticked = await latchkey.visit(browser, latchkey.authorizeUrl({ ...sensitive, prompt: 'consent' }), {
      login: 'bob',
      tick: [`${api} write`],
    });
    expect(new URL(ticked.url).searchParams.get('code')).toEqual(expect.any(String));
    const again = await browser.get(latchkey.authorizeUrl({ ...sensitive, prompt: 'none' }));
    expect(new URL(again.url).searchParams.get('code')).toEqual(expect.any(String));

    const { body } = await owner.get('/consents?user=bob&client_id=own-app&standing=true');
    expect(body.items).toHaveLength(1);
    await owner.post(`/consents/${body.items[0]?.consent_id}/revoke`);
    expect(await latchkey.refresh(tokens.refresh_token, 'own-app')).toMatchObject({ status: 400 });
    expect(isConsentPage(await browser.get(latchkey.authorizeUrl(sensitive)))).toBe(true);
  });

  test('on a device needs consent for sensitive scopes, whatever the user confirmed before (RFC 8628 §5.4)', async () => {
    const authorization = await fetch(`${latchkey.issuer}/oauth/device_authorization`, {
      method: 'POST',
      headers: { authorization: basic('own-screen', clientSecrets['web-app']) },
      body: new URLSearchParams({ client_id: 'own-screen', scope: 'openid write', resource: api }),
    });
    const { verification_uri_complete } = (await authorization.json()) as { verification_uri_complete: string };
    const browser = latchkey.browser();
    await latchkey.tokens({ client_id: 'own-app', scope: 'openid read' }, browser);
    const entered = await browser.get(verification_uri_complete);
    const user_code = /name="user_code"[^>]* value="([A-Z-]+)"/.exec(entered.html)?.[1] ?? '';
    const confirm = await browser.submit(entered, { user_code }, '/device');
    expect(isConsentPage(await browser.submit(confirm, { confirm: 'yes' }, '/device'))).toBe(true);
  });

  test('that loses this status loses all scopes without consent, in its session and at a refresh', async () => {
    const request = { client_id: 'formerly-own', scope: 'openid read' };
    const browser = latchkey.browser();
    const { refresh_token } = await latchkey.tokens(request, browser);
    expect(await owner.patch('/clients/formerly-own', { first_party: false })).toMatchObject({ status: 200 });
    expect(await latchkey.refresh(refresh_token, 'formerly-own')).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    expect(isConsentPage(await browser.get(latchkey.authorizeUrl(request)))).toBe(true);
  });

  test('that loses this status keeps what its user consented to, and nothing else', async () => {
    const request = { client_id: 'formerly-trusted', scope: 'openid read write' };
    const browser = latchkey.browser();
    await latchkey.tokens({ ...request, scope: 'openid read' }, browser);
    const asked = await browser.get(latchkey.authorizeUrl(request));
    await browser.submit(asked, { decision: 'allow', scope: [`${api} write`] }, '/consent');
    const { refresh_token, scope } = await latchkey.tokens(request, browser);
    expect(scope).toBe('openid read write');
    await owner.patch('/clients/formerly-trusted', { first_party: false });
    const refreshed = await latchkey.refresh(refresh_token, 'formerly-trusted');
    expect(refreshed).toMatchObject({ status: 200, body: { scope: 'write' } });
    expect(errorIn(await browser.get(latchkey.authorizeUrl({ ...request, prompt: 'none' })))).toBe('consent_required');
  });

  test('gets no more by a refresh once a scope became sensitive', async () => {
    const browser = latchkey.browser();
    const { refresh_token } = await latchkey.tokens(asks, browser);
    const path = `/resource-servers/${encodeURIComponent(api)}`;
    const { body } = await owner.get(path);
    const scopes = (body.scopes as { name: string }[]).map((scope) => ({ ...scope, sensitive: true }));
    expect(await owner.patch(path, { scopes })).toMatchObject({ status: 200 });
    const refreshed = await latchkey.refresh(refresh_token, 'own-app');
    expect(String(refreshed.body.scope ?? '')).not.toContain('read');
    expect(isConsentPage(await browser.get(latchkey.authorizeUrl(asks)))).toBe(true);
  });
});
