import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { assertionType } from '../../support/client-assertion.ts';
import { DocumentHost } from '../../support/document-host.ts';
import { eventually } from '../../support/eventually.ts';
import { api, jwtApi, password, redirectUri, standardInstallation } from '../../support/installation.ts';
import { queueJob } from '../../support/jobs.ts';
import { type AuthorizeOptions, startLatchkey } from '../../support/latchkey.ts';

const [orders, ...others] = standardInstallation.resource_servers;
const [read, write] = orders?.scopes ?? [];
const open = { ...orders, open_to: 'documented', scopes: [{ ...read, open: true }, write] };

// Like the documents of assistants on the user's computer, and of assistants in the cloud.
const onDevice = {
  client_name: 'Terminal assistant',
  client_uri: 'https://assistant.example',
  redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
  software_statement: 'not understood',
};
const inCloud = {
  client_name: 'Cloud assistant',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
};
const loopback = 'http://127.0.0.1:33418/callback';

describe('a client described by its metadata document (Client ID Metadata Documents)', () => {
  const latchkey = startLatchkey({
    apply: { ...standardInstallation, resource_servers: [open, ...others] },
  });
  const host = new DocumentHost();
  let owner: AdminApi;
  beforeAll(async () => {
    await host.start();
    owner = await asOwner(latchkey);
  });
  afterAll(() => host.stop());

  const ask = (client_id: string, options: AuthorizeOptions = {}) =>
    latchkey.authorizeUrl({ client_id, scope: 'read', redirect_uri: redirectUri, ...options });
  /** The page after signing in. */
  const asked = async (url: string, browser = latchkey.browser()) => {
    const page = await browser.get(url);
    return page.html.includes('name="password"')
      ? browser.submit(page, { login: 'alice', password }, '/sign-in')
      : page;
  };
  /** The error of a request that is refused on a page or by a redirect. */
  const errorOf = async (url: string) => {
    const page = await asked(url);
    return new URL(page.url).searchParams.get('error') ?? /invalid_\w+/.exec(page.html)?.[0] ?? page.status;
  };
  const clients = async () => {
    const { rows } = await latchkey.database.query(`select client_id from clients where registered_by = 'document'`);
    return rows.map(({ client_id }) => client_id);
  };

  test('connects without a registration, and gets the open scopes of the API', async () => {
    const client_id = host.document('/terminal.json', onDevice);
    const scope = 'openid profile email read write offline_access';
    const page = await asked(ask(client_id, { redirect_uri: loopback, scope }));
    const recorded = async () =>
      (await latchkey.auditEvents('client.created')).filter(({ target_id }) => target_id === client_id);
    expect(await recorded()).toEqual([]);
    expect(page.html).toContain(`<strong>localhost:${host.port}</strong>`);
    expect(page.html).toContain('Any program on this computer can pretend to be this app.');
    expect(page.html).not.toContain('Change your orders');
    const tokens = await latchkey.tokens({ client_id, redirect_uri: loopback, scope });
    expect(String(tokens.scope).split(' ').sort()).toEqual(['openid', 'read']);
    expect(await latchkey.refresh(tokens.refresh_token, client_id)).toMatchObject({ status: 200 });
    expect(await owner.get(`/clients/${encodeURIComponent(client_id)}`)).toMatchObject({
      body: { type: 'agent', registered_by: 'document', grant_types: ['authorization_code', 'refresh_token'] },
    });
    // Anyone can name a document, so the log contains it from the first decision on.
    expect(await recorded()).toMatchObject([{ actor_kind: 'user', details: { registered_by: 'document' } }]);
  });

  test.each([
    ['is empty', ''],
    ['is an address', 'https://claude.ai'],
    ['is a host', 'Claude.ai'],
    ['contains a host', 'Sign in at claude\uff0eai'],
    ['turns the direction of writing', 'Claude\u202e'],
  ])('is shown by its host if its name %s', async (what, client_name) => {
    const path = `/${encodeURIComponent(what)}.json`;
    const { html } = await asked(ask(host.document(path, { ...inCloud, client_name })));
    expect(html).toContain(`Allow localhost:${host.port} to access your account?`);
  });

  test('is shown by its name otherwise', async () => {
    const { html } = await asked(ask(host.document('/named.json', { ...inCloud, client_name: 'Node.js 24.1 tools' })));
    expect(html).toContain('Allow Node.js 24.1 tools to access your account?');
  });

  test('stays connected when the user signs out in the browser', async () => {
    const client_id = host.document('/cloud.json', inCloud);
    const browser = latchkey.browser();
    const { refresh_token } = await latchkey.tokens({ client_id, scope: 'read' }, browser);
    await browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' });
    expect(await latchkey.refresh(refresh_token, client_id)).toMatchObject({ status: 200 });
  });

  test('gets no scope that no API is open with', async () => {
    const client_id = host.document('/nothing.json', inCloud);
    expect(await errorOf(ask(client_id, { scope: 'write' }))).toBe('invalid_scope');
    expect(await errorOf(ask(client_id, { resource: jwtApi, scope: 'report:read' }))).toBe('invalid_scope');
    expect(await errorOf(ask(client_id, { resource: `${latchkey.issuer}/admin`, scope: 'latchkey:user:read' }))).toBe(
      'invalid_scope',
    );
    const { body } = await latchkey.clientCredentials({ resource: api }, client_id);
    expect(body.error).toBe('unauthorized_client');
    const email = JSON.stringify({ userinfo: { email: null } });
    expect((await asked(ask(client_id, { scope: 'openid read', claims: email }))).html).not.toContain('e-mail address');
  });

  test('loses its access when the API is closed', async () => {
    const client_id = host.document('/closed.json', inCloud);
    const { access_token } = await latchkey.tokens({ client_id, scope: 'read' });
    const shown = async () => (await latchkey.post('/oauth/introspect', { token: access_token }, 'service')).body.scope;
    expect(await shown()).toBe('read');
    const path = `/resource-servers/${encodeURIComponent(api)}`;
    expect(await owner.patch(path, { open_to: 'registered' })).toMatchObject({ status: 200 });
    expect(await shown()).not.toBe('read');
    expect(await errorOf(ask(client_id))).toBe('invalid_scope');
    await owner.patch(path, { open_to: 'documented' });
  });

  test.each<{
    what: string;
    path: string;
    content: unknown;
    more?: { status?: number; headers?: Record<string, string> };
  }>([
    { what: 'is another client’s', path: '/other.json', content: { ...inCloud, client_id: 'https://other.example/' } },
    { what: 'has no name', path: '/nameless.json', content: { ...inCloud, client_name: undefined } },
    {
      what: 'needs a secret',
      path: '/secret.json',
      content: { ...inCloud, token_endpoint_auth_method: 'client_secret_post' },
    },
    {
      what: 'names no redirect URI that can be used',
      path: '/redirect.json',
      content: { ...inCloud, redirect_uris: ['http://app.example/cb', 'javascript:alert(1)'] },
    },
    {
      what: 'has keys and says not which',
      path: '/keys.json',
      content: { ...inCloud, token_endpoint_auth_method: 'private_key_jwt' },
    },
    {
      what: 'has a key set that no database stores',
      path: '/nul.json',
      content: {
        ...inCloud,
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: '\u0000' }] },
      },
    },
    { what: 'is no JSON', path: '/text.json', content: 'a client' },
    { what: 'is not there', path: '/missing.json', content: '', more: { status: 404 } },
    { what: 'is refused by its host', path: '/guarded.json', content: '', more: { status: 403 } },
    {
      what: 'is somewhere else',
      path: '/moved.json',
      content: '',
      more: { status: 302, headers: { location: '/cloud.json' } },
    },
    { what: 'is larger than 5 KB', path: '/large.json', content: { ...inCloud, filler: 'x'.repeat(5200) } },
  ])('is refused if its document $what', async ({ path, content, more }) => {
    const client_id = `${host.origin}${path}`;
    const described =
      typeof content === 'object' ? { client_id, token_endpoint_auth_method: 'none', ...content } : content;
    host.publish(path, described, more);
    const page = await asked(ask(client_id));
    expect(page.status).toBe(400);
    expect(page.html).toContain('the metadata document');
    expect(await clients()).not.toContain(client_id);
  });

  test('is refused if its document names keys at a forbidden address', async () => {
    const places = [`${latchkey.issuer}/oauth/jwks`, 'https://keys.example:444/jwks', 'https://10.0.0.1/jwks'];
    for (const [n, jwks_uri] of places.entries()) {
      const described = { ...inCloud, token_endpoint_auth_method: 'private_key_jwt', jwks_uri };
      const page = await asked(ask(host.document(`/keys-at-${n}.json`, described)));
      expect([page.status, page.html.includes('jwks_uri must lead to a host')]).toEqual([400, true]);
    }
  });

  test('is refused what its document no longer contains, on every node after its max-age', async () => {
    const fresh = { headers: { 'cache-control': 'max-age=120' } };
    const both = { ...inCloud, redirect_uris: [redirectUri, 'https://client.example/other'] };
    const client_id = host.document('/changing.json', both, fresh);
    const { address } = await latchkey.startNode();
    const isAskedAt = async (node: string, redirect_uri: string) => {
      const { pathname, search } = new URL(ask(client_id, { redirect_uri }));
      const headers = { 'x-forwarded-host': new URL(latchkey.issuer).host };
      return (await fetch(`${node}${pathname}${search}`, { headers, redirect: 'manual' })).status === 303;
    };
    const places = [latchkey.issuer, address];
    const everywhere = (redirect_uri: string) => Promise.all(places.map((node) => isAskedAt(node, redirect_uri)));
    expect(await everywhere('https://client.example/other')).toEqual([true, true]);
    const browser = latchkey.browser();
    await latchkey.tokens({ client_id, scope: 'read' }, browser);
    host.document('/changing.json', inCloud, fresh);
    expect(await everywhere('https://client.example/other')).toEqual([true, true]);
    await latchkey.advance(121);
    expect(await everywhere('https://client.example/other')).toEqual([false, false]);
    expect(new URL((await browser.get(ask(client_id))).url).searchParams.get('code')).toBeTruthy();

    // A consent from before another redirect URI was added is requested again.
    host.document('/changing.json', { ...inCloud, redirect_uris: [redirectUri, 'https://new.example/'] }, fresh);
    await latchkey.advance(121);
    const page = await browser.get(ask(client_id));
    expect(page.html).toContain('value="allow"');
    const again = await browser.submit(page, { decision: 'allow' }, '/consent');
    expect(new URL(again.url).searchParams.get('code')).toBeTruthy();
    expect(new URL((await browser.get(ask(client_id))).url).searchParams.get('code')).toBeTruthy();
  });

  test('authenticates with the keys that its document names, until it names others', async () => {
    const [key, next] = await Promise.all(['RS256', 'RS256'].map((alg) => generateKeyPair(alg, { extractable: true })));
    if (!key || !next) throw new Error('no keys');
    const keySet = async (pair: typeof key, kid: string) => ({
      keys: [{ ...(await exportJWK(pair.publicKey)), kid, alg: 'RS256', use: 'sig' }],
    });
    const jwks_uri = host.publish('/jwks.json', await keySet(key, 'one'));
    const confidential = { ...inCloud, token_endpoint_auth_method: 'private_key_jwt', jwks_uri };
    const client_id = host.document('/confidential.json', confidential);
    const assertion = async (pair = key, kid = 'one') => ({
      client_assertion_type: assertionType,
      client_assertion: await new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'RS256', kid })
        .setIssuer(client_id)
        .setSubject(client_id)
        .setAudience(latchkey.issuer)
        .setIssuedAt()
        .setExpirationTime('50m')
        .sign(pair.privateKey),
    });
    const { code, code_verifier } = await latchkey.code({ client_id, scope: 'read' });
    const form = { grant_type: 'authorization_code', code, code_verifier, redirect_uri: redirectUri };
    expect(await latchkey.post('/oauth/token', form, client_id)).toMatchObject({ status: 401 });
    const { status, body } = await latchkey.post('/oauth/token', { ...form, ...(await assertion()) });
    expect(status).toBe(200);

    host.publish('/jwks.json', await keySet(next, 'two'));
    await latchkey.advance(301);
    const refreshing = { grant_type: 'refresh_token', refresh_token: body.refresh_token };
    expect(await latchkey.post('/oauth/token', { ...refreshing, ...(await assertion()) })).toMatchObject({
      status: 401,
    });
    const rotated = { ...refreshing, ...(await assertion(next, 'two')) };
    expect(await latchkey.post('/oauth/token', rotated)).toMatchObject({ status: 200 });
    // It can introspect its own tokens, and no one else's, whatever its address is.
    const foreign = await latchkey.clientCredentials();
    const looking = { token: foreign.body.access_token, ...(await assertion(next, 'two')) };
    expect((await latchkey.post('/oauth/introspect', looking)).body).toEqual({ active: false });
  });

  test('can be disabled by an operator, which lasts, and not changed otherwise', async () => {
    const client_id = host.document('/disabled.json', inCloud);
    const { refresh_token } = await latchkey.tokens({ client_id, scope: 'read' });
    owner = await asOwner(latchkey);
    const path = `/clients/${encodeURIComponent(client_id)}`;
    for (const change of [{ resources: { [api]: ['write'] } }, { first_party: true }, { client_name: 'Ours' }])
      expect(await owner.patch(path, change)).toMatchObject({ status: 409 });
    expect(await owner.post(`${path}/disable`)).toMatchObject({ status: 200 });
    const before = host.fetches;
    await latchkey.advance(400);
    expect((await latchkey.refresh(refresh_token, client_id)).status).toBe(401);
    expect(await errorOf(ask(client_id))).toBe('invalid_client');
    expect(host.fetches).toBe(before);
    expect(await owner.patch(path, { enabled: true })).toMatchObject({ status: 200 });
    expect(
      new URL((await latchkey.visit(latchkey.browser(), ask(client_id))).url).searchParams.get('code'),
    ).toBeTruthy();
  });

  test('is refused while its document is missing, and accepted again afterwards', async () => {
    const client_id = host.document('/gone.json', inCloud);
    const { refresh_token: first } = await latchkey.tokens({ client_id, scope: 'read' });
    // A host that refuses to answer does not mean that the document is missing.
    host.publish('/gone.json', '<title>Are you human?</title>', { status: 403 });
    await latchkey.advance(301);
    const { status, body } = await latchkey.refresh(first, client_id);
    expect(status).toBe(200);
    const { refresh_token } = body;
    host.publish('/gone.json', '', { status: 404 });
    await latchkey.advance(301);
    await latchkey.stayWithin('minute');
    for (let n = 0; n < 3; n += 1)
      expect((await latchkey.refresh(refresh_token, client_id)).body.error).toBe('invalid_client');
    const refusals = await latchkey.auditEvents('client.refused');
    expect(refusals.filter(({ target_id }) => target_id === client_id)).toHaveLength(1);
    host.document('/gone.json', inCloud);
    await latchkey.advance(11);
    expect(await latchkey.refresh(refresh_token, client_id)).toMatchObject({ status: 200 });
  });

  test('is refused if its address is the identifier of an API', async () => {
    const client_id = host.document('/api.json', inCloud);
    owner = await asOwner(latchkey);
    await owner.post('/resource-servers', { identifier: client_id, name: 'An API' });
    expect(await errorOf(ask(client_id))).toBe('invalid_client');
  });

  test('becomes a registered client when an operator registers it', async () => {
    const client_id = host.document('/taken.json', inCloud);
    const { refresh_token } = await latchkey.tokens({ client_id, scope: 'read' });
    const registered = {
      client_id,
      ...inCloud,
      token_endpoint_auth_method: 'none',
      resources: { [api]: ['read', 'write'] },
    };
    owner = await asOwner(latchkey);
    expect(await owner.post('/clients', registered)).toMatchObject({
      status: 201,
      body: { registered_by: 'operator' },
    });
    const before = host.fetches;
    await latchkey.advance(400);
    expect(await latchkey.refresh(refresh_token, client_id)).toMatchObject({ status: 200 });
    expect((await asked(ask(client_id, { scope: 'read write' }))).html).toContain('Change your orders');
    expect(host.fetches).toBe(before);
    expect(await owner.post('/clients', registered)).toMatchObject({ status: 409 });
  });

  test('requires consent again if its document was widened before an operator registered it', async () => {
    const fresh = { headers: { 'cache-control': 'max-age=60' } };
    const client_id = host.document('/widened.json', inCloud, fresh);
    const browser = latchkey.browser();
    await latchkey.tokens({ client_id, scope: 'read' }, browser);
    const redirect_uris = [redirectUri, 'https://elsewhere.example/callback'];
    host.document('/widened.json', { ...inCloud, redirect_uris }, fresh);
    await latchkey.advance(61);
    await fetch(ask(client_id), { redirect: 'manual' });
    owner = await asOwner(latchkey);
    const registered = { client_id, ...inCloud, redirect_uris, token_endpoint_auth_method: 'none' };
    const { status } = await owner.post('/clients', { ...registered, resources: { [api]: ['read'] } });
    expect(status).toBe(201);
    expect((await browser.get(ask(client_id))).html).toContain('value="allow"');
  });

  test('is not read again while its host confirms the document and its keys (RFC 9110 §13.1)', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    const keySet = async (kid: string) => ({ keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'ES256' }] });
    const dated = { headers: { 'last-modified': 'Sat, 29 Nov 2025 10:00:00 GMT', 'cache-control': 'max-age=600' } };
    const tagged = { headers: { etag: '"one"', 'cache-control': 'max-age=600' } };
    const jwks_uri = host.publish('/confirmed-keys.json', await keySet('one'), dated);
    const described = { ...inCloud, token_endpoint_auth_method: 'private_key_jwt', jwks_uri };
    const client_id = host.document('/confirmed.json', described, tagged);
    const stored = async () => {
      const { rows } = await latchkey.database.query(
        `select c.version, c.metadata -> 'jwks' -> 'keys' -> 0 ->> 'kid' as kid, c.metadata ->> 'client_name' as name
          from clients c where client_id = $1`,
        [client_id],
      );
      return rows[0];
    };
    /** What the next request fetches, and how much of it was unchanged. */
    const fetchedBy = async () => {
      const [fetches, confirmations] = [host.fetches, host.confirmations];
      await asked(ask(client_id));
      return { fetched: host.fetches - fetches, confirmed: host.confirmations - confirmations };
    };
    await asked(ask(client_id));
    const before = await stored();
    await latchkey.advance(601);
    expect(await fetchedBy()).toEqual({ fetched: 2, confirmed: 2 });
    await latchkey.advance(580);
    expect(await fetchedBy()).toEqual({ fetched: 0, confirmed: 0 });
    expect(await stored()).toEqual(before);

    // Either can change without the other.
    host.publish('/confirmed-keys.json', await keySet('two'));
    await latchkey.advance(21);
    expect(await fetchedBy()).toEqual({ fetched: 2, confirmed: 1 });
    expect(await stored()).toMatchObject({ kid: 'two', name: 'Cloud assistant' });
    const renamed = { ...described, client_name: 'Renamed' };
    host.publish('/confirmed-keys.json', await keySet('two'), dated);
    host.document('/confirmed.json', renamed, { headers: { ...tagged.headers, etag: '"two"' } });
    await latchkey.advance(601);
    expect(await fetchedBy()).toEqual({ fetched: 2, confirmed: 0 });
    expect(await stored()).toMatchObject({ kid: 'two', name: 'Renamed' });

    // A withdrawn document is read in full, and so is one that was only revalidated for a week.
    host.publish('/confirmed.json', '', { status: 404 });
    await latchkey.advance(601);
    expect(await errorOf(ask(client_id))).toBe('invalid_client');
    host.document('/confirmed.json', renamed, { headers: { ...tagged.headers, etag: '"two"' } });
    await latchkey.advance(11);
    expect(await fetchedBy()).toEqual({ fetched: 2, confirmed: 0 });
    await latchkey.advance(601);
    expect(await fetchedBy()).toEqual({ fetched: 2, confirmed: 2 });
    await latchkey.advance(7 * 24 * 3600);
    expect(await fetchedBy()).toEqual({ fetched: 2, confirmed: 0 });
  });

  test.each([
    { answer: 'of another document', headers: { etag: '"other"' }, status: 200 },
    { answer: 'that was not requested', headers: undefined, status: 400 },
  ])('is not confirmed by a response $answer', async ({ answer, headers, status }) => {
    const path = `/${encodeURIComponent(answer)}.json`;
    const client_id = host.document(path, inCloud, headers && { headers: { etag: '"own"' } });
    expect((await asked(ask(client_id))).status).toBe(200);
    await latchkey.advance(301);
    const before = host.fetches;
    host.answers304 = (known) => known !== undefined || headers === undefined;
    host.publish(
      path,
      { ...inCloud, client_id, token_endpoint_auth_method: 'none', client_name: 'New' },
      headers && { headers },
    );
    const page = await asked(ask(client_id));
    host.answers304 = undefined;
    expect([page.status, host.fetches - before]).toEqual([status, headers ? 2 : 1]);
    expect(page.html.includes('Allow New to access')).toBe(status === 200);
  });

  test('starts on one node and continues on another that starts later, while its host is unavailable', async () => {
    const client_id = host.document('/away.json', inCloud);
    const code = await latchkey.code({ client_id, scope: 'read' });
    host.others = (url) => ({
      body: JSON.stringify({ ...inCloud, client_id: url, token_endpoint_auth_method: 'none' }),
    });
    for (let n = 0; n < 200; n += 1) await fetch(ask(`${host.origin}/other/${n}`), { redirect: 'manual' });
    const { port } = host;
    await host.stop();
    const { address } = await latchkey.startNode();
    const { status, body } = await latchkey.redeem(code, address);
    expect(status).toBe(200);
    // Its earlier content is used for a day, and no longer.
    await latchkey.advance(3600);
    expect(await latchkey.refresh(body.refresh_token, client_id, address)).toMatchObject({ status: 200 });
    await latchkey.advance(25 * 3600);
    const late = await latchkey.refresh(body.refresh_token, client_id, address);
    expect(late.body.error).toBe('invalid_client');
    await host.start(port);
  });

  test('is fetched a limited number of times, and deleted when it is unused', async () => {
    host.others = (url) => ({
      body: JSON.stringify({ ...inCloud, client_id: url, token_endpoint_auth_method: 'none' }),
    });
    await latchkey.advance(600);
    const before = host.fetches;
    for (let n = 0; n < 1000; n += 1) await fetch(ask(`${host.origin}/flood/${n}`), { redirect: 'manual' });
    expect(host.fetches - before).toBeGreaterThan(100);
    expect(host.fetches - before).toBeLessThan(650);
    const recorded = (await latchkey.auditEvents('client.created')).map(({ target_id }) => String(target_id));
    expect(recorded.filter((id) => id.includes('/flood/'))).toEqual([]);
    // A used client is kept, and so is its consent.
    const used = host.document('/used.json', inCloud);
    await latchkey.advance(600);
    await latchkey.tokens({ client_id: used, scope: 'read' });
    await latchkey.advance(2 * 3600);
    await queueJob(latchkey.database, 'remove-expired');
    const left = await eventually(clients, (ids) => !ids.some((id) => id.includes('/flood/')), { pauseMs: 200 });
    expect(left).toContain(used);
    const { rows } = await latchkey.database.query(`select count(*)::int as n from subjects s
      where kind = 'client' and not exists (select from clients c where c.id = s.id)`);
    expect(rows[0].n).toBe(0);
  });
});
