import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { assertionType, keyedClient } from '../../support/client-assertion.ts';
import { wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { api, jwtApi, password, redirectUri, standardInstallation } from '../../support/installation.ts';
import { queueJob } from '../../support/jobs.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const [orders, ...others] = standardInstallation.resource_servers;
const [read, write] = orders?.scopes ?? [];
const apply = {
  ...standardInstallation,
  resource_servers: [{ ...orders, open_to: 'anyone', scopes: [{ ...read, open: true }, write] }, ...others],
};
const described = {
  client_name: 'Inspector',
  redirect_uris: [redirectUri],
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
};

type Registered = Record<string, unknown> & { client_id: string; client_secret: string };
type Answer = { status: number; headers: Headers; body: Registered };

async function register(issuer: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${issuer}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Registered };
}

describe('open registration (RFC 7591)', () => {
  const latchkey = startLatchkey({ apply, env: { LATCHKEY_REGISTRATION: 'open', LATCHKEY_TRUST_PROXY: '1' } });
  let addresses = 0;
  /** Registers a client from a new address. */
  const registerAnew = (body: unknown) => {
    addresses += 1;
    return register(latchkey.issuer, body, { 'x-forwarded-for': `198.51.100.${addresses}` });
  };

  test('is published, and registers a client that may request open scopes, and no claims about the user', async () => {
    const discovery = await fetch(`${latchkey.issuer}/.well-known/oauth-authorization-server`);
    expect(await discovery.json()).toMatchObject({ registration_endpoint: `${latchkey.issuer}/oauth/register` });
    const { status, headers, body } = await registerAnew({ ...described, unknown: 'member', scope: 'openid read' });
    expect(status).toBe(201);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toMatchObject({ client_id: expect.stringMatching(/^dyn_/), ...described });
    expect(body).not.toHaveProperty('client_secret');
    // Clients name all scopes that an API publishes: the response lists the open ones (RFC 7591 §3.2.1).
    const asksForAll = await registerAnew({ ...described, scope: 'openid profile read write' });
    expect(asksForAll).toMatchObject({ status: 201, body: { scope: 'openid read' } });
    const { client_id } = body;
    const browser = latchkey.browser();
    const signIn = await browser.get(latchkey.authorizeUrl({ client_id, scope: 'openid email read' }));
    const consent = await browser.submit(signIn, { login: 'alice', password }, '/sign-in');
    expect(consent.html).toContain('This app registered itself.');
    const tokens = await latchkey.tokens({ client_id, scope: 'openid email read' });
    expect(tokens.scope).toBe('openid read');
    expect(await latchkey.refresh(tokens.refresh_token, client_id)).toMatchObject({ status: 200 });
  });

  test.each<{ what: string; name?: string; redirect_uris: string[]; called: string; places: string }>([
    { what: 'its name', name: 'Claude', redirect_uris: [redirectUri], called: 'Claude', places: 'client.example' },
    {
      what: 'where it returns to, if its name cannot be used',
      name: 'claude.ai',
      redirect_uris: ['http://127.0.0.1:4000/cb', 'http://localhost/cb'],
      called: '127.0.0.1, localhost',
      places: '127.0.0.1, localhost',
    },
    {
      what: 'none of many places',
      redirect_uris: ['claude.ai', 'a.example', 'b.example', 'c.example'].map((host) => `https://${host}/cb`),
      called: 'Unnamed app',
      places: 'a.example, b.example, c.example, claude.ai',
    },
  ])('is shown on every page by $what, and as self-registered', async ({ name, redirect_uris, called, places }) => {
    const given = { ...described, client_name: name, redirect_uris };
    const { body } = await registerAnew(given);
    expect(body.client_name).toBe(called);
    const { client_id } = body;
    const browser = latchkey.browser();
    const asks = { client_id, scope: 'openid read', redirect_uri: String(redirect_uris[0]) };
    const signIn = await browser.get(latchkey.authorizeUrl(asks));
    const consent = await browser.submit(signIn, { login: 'alice', password }, '/sign-in');
    expect(wordsOf(consent)).toContain(`Allow ${called} to access your account?`);
    expect(wordsOf(consent)).toContain('Registered by the app itself');
    await browser.submit(consent, { decision: 'allow' }, '/consent');
    const apps = await browser.get(`${latchkey.issuer}/account/apps`);
    expect(wordsOf(apps)).toContain(`${called} Registered itself · returns to ${places}`);
    const revoke = await browser.get(/href="([^"]+\/revoke-access)"/.exec(apps.html)?.[1] ?? '');
    expect(wordsOf(revoke)).toContain(`Revoke access of ${called}? Registered itself · returns to ${places}`);
    const inGerman = latchkey.browser('A browser in German', 'de');
    await inGerman.submit(await inGerman.get('/sign-in'), { login: 'alice', password }, '/sign-in');
    const german = await inGerman.get('/account/apps');
    expect(wordsOf(german)).toContain(`Hat sich selbst registriert · zurück zu ${places}`);
    const pages = [signIn, consent, apps, revoke, await browser.get(`${latchkey.issuer}/account/activity`)];
    const console = `${latchkey.issuer}/console`;
    for (const path of ['clients', 'consents', 'grants', 'audit-log'])
      pages.push(await browser.get(`${console}/${path}`));
    expect(wordsOf(pages.at(-4) ?? apps)).toContain(`${called} Registered itself, returns to ${places}`);
    expect(wordsOf(pages.at(-3) ?? apps)).toContain(`${called} Registered itself`);
    for (const page of pages) expect([page.url, wordsOf(page).includes(client_id)]).toEqual([page.url, false]);
  });

  test('issues a secret if the client authenticates with one', async () => {
    const { token_endpoint_auth_method: _, ...rest } = described;
    const { body } = await registerAnew(rest);
    expect(body).toMatchObject({ token_endpoint_auth_method: 'client_secret_basic', client_secret_expires_at: 0 });
    expect(await latchkey.isLetIn(body.client_id, body.client_secret)).toBe(true);
    expect(await latchkey.isLetIn(body.client_id, 'another secret')).toBe(false);
  });

  test.each([
    { what: 'client credentials', asks: { grant_types: ['client_credentials'] }, error: 'invalid_client_metadata' },
    {
      what: 'client credentials beside codes',
      asks: { grant_types: ['authorization_code', 'client_credentials'] },
      error: 'invalid_client_metadata',
    },
    { what: 'a scope that is not open', asks: { scope: 'write' }, error: 'invalid_client_metadata' },
    {
      what: 'a scope of an API that is not open',
      asks: { scope: 'read report:read' },
      error: 'invalid_client_metadata',
    },
    { what: 'a scope of the admin API', asks: { scope: 'latchkey:user:read' }, error: 'invalid_client_metadata' },
    { what: 'javascript', asks: { redirect_uris: ['javascript:alert(1)'] }, error: 'invalid_redirect_uri' },
    { what: 'a wildcard', asks: { redirect_uris: ['https://*.example/cb'] }, error: 'invalid_redirect_uri' },
    {
      what: 'plain http',
      asks: { redirect_uris: [redirectUri, 'http://app.example/'] },
      error: 'invalid_redirect_uri',
    },
    { what: 'no redirect', asks: { redirect_uris: [] }, error: 'invalid_redirect_uri' },
    {
      what: 'private keys',
      asks: { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } },
      error: 'invalid_client_metadata',
    },
  ])('refuses $what', async ({ asks, error }) => {
    expect(await registerAnew({ ...described, ...asks })).toMatchObject({ status: 400, body: { error } });
  });

  test('grants nothing that is not open, whatever else is requested', async () => {
    const more = {
      first_party: true,
      resources: { [api]: ['*'] },
      service_permissions: { [api]: ['*'] },
      introspects: [api],
    };
    const { body } = await registerAnew({ ...described, ...more, client_id: 'web-app' });
    const { client_id } = body;
    expect(client_id).not.toBe('web-app');
    const owner = await asOwner(latchkey);
    expect(await owner.get(`/clients/${client_id}`)).toMatchObject({
      body: { first_party: false, resources: {}, service_permissions: {}, introspects: [], registered_by: 'dynamic' },
    });
    const refused = await latchkey
      .browser()
      .get(latchkey.authorizeUrl({ client_id, resource: jwtApi, scope: 'report:read' }));
    expect(new URL(refused.url).searchParams.get('error')).toBe('invalid_scope');
    expect((await latchkey.clientCredentials({ resource: api }, client_id)).body.error).toBe('unauthorized_client');
    expect(await owner.patch(`/clients/${client_id}`, { resources: { [api]: ['write'] } })).toMatchObject({
      status: 409,
    });
  });

  test('does not fetch keys for each request of an unauthenticated caller', async () => {
    let connections = 0;
    const trap = createServer((socket) => {
      connections += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(trap, 'listening');
    const jwks_uri = `https://localhost:${(trap.address() as AddressInfo).port}/jwks`;
    const { body } = await registerAnew({ ...described, token_endpoint_auth_method: 'private_key_jwt', jwks_uri });
    const { assertion } = await keyedClient(body.client_id);
    for (let n = 0; n < 20; n += 1) {
      const form = { grant_type: 'authorization_code', code: 'none', client_assertion_type: assertionType };
      const client_assertion = await assertion(latchkey.issuer);
      const answer = await latchkey.post('/oauth/token', { ...form, client_assertion });
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    }
    trap.close();
    expect(connections).toBe(1);
  });

  test('is limited by address, and unused clients are deleted after a day', async () => {
    const from = { 'x-forwarded-for': '203.0.113.60' };
    const answers = await Promise.all(Array.from({ length: 60 }, () => register(latchkey.issuer, described, from)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
    const [limited] = answers.filter(({ status }) => status === 429);
    expect(Number(limited?.headers.get('retry-after'))).toBeGreaterThan(0);
    const used = (await registerAnew(described)).body.client_id;
    await latchkey.tokens({ client_id: used, scope: 'read' });
    await latchkey.advance(25 * 3600);
    await queueJob(latchkey.database, 'remove-expired');
    const left = async () => {
      const { rows } = await latchkey.database.query(`select client_id from clients where registered_by = 'dynamic'`);
      return rows.map(({ client_id }) => client_id);
    };
    const ids = await eventually(left, (each) => each.length < 20, { pauseMs: 200 });
    expect(ids).toContain(used);
  });
});

describe('registration with a credential', () => {
  const latchkey = startLatchkey({ apply, env: { LATCHKEY_REGISTRATION: 'token' } });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  test('accepts an access token with the permission for it, and nothing less', async () => {
    expect(await register(latchkey.issuer, described)).toMatchObject({ status: 401 });
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    expect(await register(latchkey.issuer, described, bearer('lk_at_wrong'))).toMatchObject({ status: 401 });
    const { body } = await owner.post('/clients', {
      client_id: 'registrar',
      grant_types: ['client_credentials'],
      service_permissions: { [`${latchkey.issuer}/admin`]: ['latchkey:client:register', 'latchkey:client:read'] },
    });
    const tokenFor = async (scope: string) => {
      const response = await fetch(`${latchkey.issuer}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${latchkey.issuer}/admin`, scope }),
        headers: { authorization: `Basic ${btoa(`registrar:${body.client_secret}`)}` },
      });
      return String(((await response.json()) as { access_token: string }).access_token);
    };
    const reading = bearer(await tokenFor('latchkey:client:read'));
    expect(await register(latchkey.issuer, described, reading)).toMatchObject({ status: 403 });
    const registering = bearer(await tokenFor('latchkey:client:register'));
    const registered = await register(latchkey.issuer, described, registering);
    expect(registered.status).toBe(201);
    expect(await latchkey.auditEvents('client.created')).toContainEqual(
      expect.objectContaining({ target_id: registered.body.client_id, actor_id: 'registrar' }),
    );
  });
});

describe('registration that is disabled', () => {
  const latchkey = startLatchkey();

  test('has no endpoint, and is not published', async () => {
    expect(await register(latchkey.issuer, described)).toMatchObject({ status: 404 });
    const discovery = await fetch(`${latchkey.issuer}/.well-known/oauth-authorization-server`);
    expect(await discovery.json()).not.toHaveProperty('registration_endpoint');
  });
});
