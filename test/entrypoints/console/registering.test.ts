import { type ConsoleBrowser, consoleAs, consoleOfNew, linkOn, wordsOf } from '../../support/console.ts';
import { ForeignCluster } from '../../support/foreign-cluster.ts';
import { ForeignIssuer } from '../../support/foreign-issuer.ts';
import { api, redirectUri } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('registering in the console', () => {
  const latchkey = startLatchkey();
  let alice: ConsoleBrowser;
  beforeAll(async () => {
    alice = await consoleAs(latchkey);
  });
  const secretOn = ({ html }: { html: string }) => /lk_cs_[0-9A-Za-z]+/.exec(html)?.[0] ?? '';

  test('a service: its secret is shown once and works at once, within the given limits', async () => {
    const rights = `read at ${api}`;
    const made = await alice.act('/new-client', {
      kind: 'service',
      client_id: 'mailer',
      client_name: 'Mailer',
      rights,
    });
    expect(wordsOf(made)).toContain('New client secret Mailer');
    const client_secret = secretOn(made);
    const ask = (scope: string) =>
      latchkey.post('/oauth/token', {
        grant_type: 'client_credentials',
        client_id: 'mailer',
        client_secret,
        resource: api,
        scope,
      });
    expect(await latchkey.isLetIn('mailer', client_secret)).toBe(true);
    const response = await fetch(`${latchkey.issuer}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`mailer:${client_secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: api, scope: 'read' }),
    });
    expect(response.status).toBe(200);
    expect((await ask('write')).status).toBeGreaterThanOrEqual(400);
    expect(wordsOf(await alice.get('/clients/mailer?tab=permissions'))).toMatch(
      /Mailer.*Service.*For itself .* https:\/\/api\.example read/,
    );
    expect((await alice.get('/clients/mailer')).html).not.toContain(client_secret);
  });

  test('a web app, an app without a secret, and errors beside their fields', async () => {
    const web = { kind: 'web', client_id: 'forum', client_name: 'Forum', redirect_uris: redirectUri };
    expect(secretOn(await alice.act('/new-client', web))).not.toBe('');
    const spa = {
      kind: 'spa',
      client_id: 'board',
      redirect_uris: 'https://board.example/back\nhttps://board.example/b',
    };
    expect(wordsOf(await alice.act('/new-client', spa))).toContain('Registered. It is active now.');
    const wrong = await alice.act('/new-client', { ...web, client_id: 'other', redirect_uris: 'http://*.example/' });
    expect(wrong.status).toBe(400);
    expect(wrong.html).toMatch(/id="redirect_uris"[^>]*aria-invalid="true"/);
    expect(wrong.html).toContain('value="other"');
    const taken = await alice.act('/new-client', web);
    expect(taken.status).toBe(409);
    const unreadable = await alice.act('/new-client', { ...web, client_id: 'other', rights: 'read everything' });
    expect(unreadable.html).toMatch(/id="rights"[^>]*aria-invalid="true"/);
  });

  test('a client is updated; items left out of a list are removed', async () => {
    const before = { kind: 'web', client_id: 'shelf', redirect_uris: redirectUri, rights: `read at ${api}` };
    await alice.act('/new-client', before);
    const page = await alice.get('/clients/shelf/change');
    expect(page.html).toContain(`read at ${api}`);
    const changed = await alice.send(page, {
      client_name: 'Shelf',
      redirect_uris: 'https://shelf.example/back',
      resources: '',
    });
    expect(wordsOf(changed)).toContain('Saved. Shelf Active');
    expect(wordsOf(await alice.get('/clients/shelf?tab=permissions'))).toContain('None: it cannot ask for access');
    expect(wordsOf(changed)).toContain('https://shelf.example/back');
    const stale = await alice.send(page, { client_name: 'Late', redirect_uris: redirectUri });
    expect(stale.status).toBe(412);
    expect(stale.html).toContain('Someone else changed this');
  });

  test('an API, then its permissions one by one, with the texts users see', async () => {
    const books = encodeURIComponent('https://books.example');
    const body = { identifier: 'https://books.example', name: 'Books', access_token_format: 'jwt' };
    const made = await alice.act('/new-api', body);
    expect(wordsOf(made)).toMatch(/Registered\. It is active now\. Books Active .*No permissions yet/);
    await alice.act(`/apis/${books}/scopes/add`, {
      scope: 'book:read',
      description: 'Read your books',
      marks: 'default',
    });
    const added = await alice.act(`/apis/${books}/scopes/add`, {
      scope: 'book:write',
      description: 'Change your books',
    });
    expect(wordsOf(added)).toMatch(/book:read Read your books Default .*book:write Change your books/);
    const twice = await alice.act(`/apis/${books}/scopes/add`, { scope: 'book:read' });
    expect(twice.html).toMatch(/id="scope"[^>]*aria-invalid="true"/);
    const wrong = await alice.act(`/apis/${books}/scopes/add`, { scope: 'read all' });
    expect(wrong.html).toMatch(/id="scope"[^>]*aria-invalid="true"/);
    const open = await alice.get(`/apis/${books}/scopes/book%3Awrite/change`);
    const marked = await alice.send(open, { description: 'Change your books', marks: 'sensitive' });
    expect(wordsOf(marked)).toContain('book:write Change your books Sensitive');
    expect((await alice.send(open, { description: 'Late' })).status).toBe(412);
    const removed = await alice.act(`/apis/${books}/scopes/book%3Awrite/remove`);
    expect(wordsOf(removed)).not.toContain('book:write');
    const renamed = await alice.act(`/apis/${books}/change`, { ...body, name: 'Library', needs: 'dpop' });
    expect(wordsOf(renamed)).toMatch(/Library Active .*Needs DPoP Yes/);
    expect(wordsOf(renamed)).toContain('book:read');
  });

  test('a user gets a link with which they choose a password, or a password', async () => {
    const invited = await alice.act('/new-user', { username: 'nora', email: 'nora@example.com', first: 'invite' });
    const url = /http[^"<\s]*\/password\/[^"<\s]+/.exec(invited.html)?.[0] ?? '';
    const nora = latchkey.browser();
    const page = await nora.get(url);
    const [first, second] = [
      ...page.html.matchAll(/type="password"[^>]*name="(\w+)"|name="(\w+)"[^>]*type="password"/g),
    ];
    expect(first).toBeDefined();
    expect(second ?? first).toBeDefined();
    const made = await alice.act('/new-user', { username: 'omar', first: 'password', roles: 'auditor' });
    const secret = /[a-z2-9]{6}(?:-[a-z2-9]{6}){3}/.exec(made.html)?.[0] ?? '';
    const omar = await consoleAs(latchkey, 'omar', secret);
    expect(await omar.get()).toMatchObject({ status: 200 });
  });

  test('is neither shown nor possible without the permission', async () => {
    const auditor = await consoleOfNew(latchkey, 'auditor');
    expect((await auditor.get('/clients')).html).not.toContain('/console/new-client');
    for (const path of [
      '/new-client',
      '/new-api',
      '/new-user',
      '/clients/web-app/change',
      `/apis/${encodeURIComponent(api)}/scopes/add`,
    ])
      expect(await auditor.get(path)).toMatchObject({ status: 403 });
    expect(await auditor.forge('/new-client', { kind: 'service', client_id: 'evil' })).toMatchObject({ status: 403 });
    // A user who may create users cannot assign roles with more than their own permissions.
    const operator = await consoleOfNew(latchkey, 'administrator');
    const refused = await operator.act('/new-user', { username: 'evil', first: 'password', roles: 'owner' });
    expect(refused.status).toBe(403);
  });

  test('a trust: its conditions are explained, and disabling it shows how many workloads are affected', async () => {
    const issuer = await ForeignIssuer.named('https://ci.example');
    const fields = {
      name: 'Deployments',
      issuer: issuer.issuer,
      conditions: 'sub begins with repo:acme/shop\nref = refs/heads/main | refs/heads/next',
      permissions: `read at ${api}`,
      jwks: JSON.stringify({ keys: issuer.keys }),
    };
    const wrong = await alice.act('/new-trust', { ...fields, conditions: 'somehow' });
    expect(wrong.status).toBe(400);
    expect(wrong.html).toMatch(/id="conditions"[^>]*aria-invalid="true"/);
    const made = await alice.act('/new-trust', fields);
    expect(wordsOf(made)).toMatch(/sub begins with repo:acme\/shop ref = refs\/heads\/main \| refs\/heads\/next/);
    const path = new URL(made.url).pathname.replace('/console', '');
    const sub = 'repo:acme/shop:ref:refs/heads/main';
    const token = (ref: string) => issuer.sign({ sub, ref, aud: latchkey.issuer });
    const explained = async (assertion: string) => wordsOf(await alice.act(`${path}/explain`, { assertion }));
    const refused = await alice.act(`${path}/explain`, { assertion: 'x'.repeat(40_000) });
    expect([refused.status, refused.html.includes('xxxxx')]).toEqual([400, false]);
    expect(await explained(await token('refs/heads/main'))).toMatch(
      /Token accepted .*registered as the client workload-/,
    );
    expect(await explained(await token('refs/heads/x'))).toMatch(
      /Token refused .*1 check failed.*Condition on ref Failed/,
    );
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', resource: api };
    const { status } = await latchkey.post('/oauth/token', { ...form, assertion: await token('refs/heads/next') });
    expect(status).toBe(200);
    const trusted = await alice.get(path);
    expect(wordsOf(trusted)).toContain(sub);
    const workload = await alice.get(String(linkOn(trusted, sub)).replace('/console', ''));
    expect(wordsOf(workload)).toMatch(/grant-type:jwt-bearer.*Registered by A trusted issuer/);
    expect(workload.html).not.toMatch(/Next\.js|\/change"/);
    const deletion = linkOn(trusted, 'Delete')?.replace('/console', '') ?? '';
    expect(wordsOf(await alice.act(deletion))).toContain('The workload is deleted.');
    const again = { ...form, assertion: await token('refs/heads/next') };
    expect(await latchkey.post('/oauth/token', again)).toMatchObject({ status: 200 });
    const changed = await alice.act(`${path}/change`, { ...fields, access_token_ttl_seconds: '120' });
    expect(wordsOf(changed)).toContain('At most 2 minutes');
    expect(wordsOf(await alice.get(`${path}/disable`))).toContain('Disable trust and 1 workload');
    expect(wordsOf(await alice.act(`${path}/disable`))).toMatch(/Deployments.* Disabled/);
    expect(wordsOf(await alice.act(`${path}/enable`))).toMatch(/Deployments.* Active/);
    expect(wordsOf(await alice.get('/search?q=deploym'))).toContain('Trusts');
  });

  test('a trust in a cluster that reviews each token, with a token that no page shows', async () => {
    const cluster = await ForeignCluster.serving();
    const issuer = await ForeignIssuer.named('https://kubernetes.example');
    const reviewer = 'reviewer-token-of-a-cluster';
    const fields = {
      ...{ name: 'Cluster', issuer: issuer.issuer, conditions: 'sub begins with system:serviceaccount:shop' },
      ...{ permissions: `read at ${api}`, url: cluster.address, token: reviewer },
    };
    const wrong = await alice.act('/new-trust', { ...fields, ca: 'no certificate' });
    expect(wrong.status).toBe(400);
    expect(wrong.html).toMatch(/id="ca"[^>]*aria-invalid="true"/);
    const made = await alice.act('/new-trust', fields);
    expect(wordsOf(made)).toContain(`Kubernetes API server for token review ${cluster.address}`);
    const path = new URL(made.url).pathname.replace('/console', '');
    const assertion = await issuer.sign({ sub: 'system:serviceaccount:shop:orders', aud: latchkey.issuer });
    const askedWith = async () => {
      await alice.act(`${path}/explain`, { assertion });
      return cluster.asked.at(-1)?.authorization;
    };
    expect(await askedWith()).toBe(`Bearer ${reviewer}`);
    const change = { ...fields, token: '' };
    await alice.act(`${path}/change`, { ...change, access_token_ttl_seconds: '120' });
    expect(await askedWith()).toBe(`Bearer ${reviewer}`);
    for (const { html } of [wrong, made, await alice.get(`${path}/change`)]) expect(html).not.toContain(reviewer);

    const ca = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----';
    await alice.act(`${path}/change`, { ...change, ca });
    expect(await askedWith()).toBe(`Bearer ${assertion}`);
    const certified = await alice.act(`${path}/change`, { ...change, ca, token: reviewer });
    expect(certified.html).not.toContain(reviewer);
    expect((await alice.get(`${path}/change`)).html).toContain('BEGIN CERTIFICATE');
    await alice.act(`${path}/change`, { ...change, ca });
    expect(await askedWith()).toBe(`Bearer ${reviewer}`);
    await alice.act(`${path}/change`, { ...change, ca: '' });
    expect((await alice.get(`${path}/change`)).html).not.toContain('BEGIN CERTIFICATE');
    const alone = await alice.act(`${path}/change`, { ...change, url: '' });
    expect(wordsOf(alone)).not.toContain('for token review');
    cluster.close();
  });

  test('an identity provider that users sign in with, with the redirect URI to register there', async () => {
    const login = { provider: 'google', client_id: 'at-google', client_secret: 'a secret of the provider' };
    const fields = { name: 'Google', issuer: 'https://accounts.google.com', conditions: 'hd = example.com', ...login };
    const wrong = await alice.act('/new-identity-provider', { ...fields, client_id: '' });
    expect([wrong.status, wordsOf(wrong)]).toEqual([400, expect.stringContaining('Client ID')]);
    const made = await alice.act('/new-identity-provider', fields);
    expect(wordsOf(made)).toMatch(/Provider Google Redirect URI http.*\/sign-in\/callback\//);
    expect(made.html).not.toContain(login.client_secret);
    const path = new URL(made.url).pathname.replace('/console', '');
    const changed = await alice.act(`${path}/change`, { ...fields, client_secret: '', label: 'Example Inc' });
    expect(wordsOf(changed)).toContain('Google');
    expect((await alice.get(`${path}/change`)).html).toContain('value="Example Inc"');
  });

  test('a trust in an identity provider, and the account of a user there, until it is unlinked', async () => {
    const issuer = await ForeignIssuer.named('https://idp.example', { alg: 'ES256', typ: 'oauth-id-jag+jwt' });
    const fields = { kind: 'id_jag', name: 'Company', issuer: issuer.issuer, permissions: `read at ${api}` };
    const made = await alice.act('/new-trust', { ...fields, jwks: JSON.stringify({ keys: issuer.keys }) });
    expect(wordsOf(made)).toContain('Users (identity assertions)');
    const linked = await alice.act('/users/bob/identities/link', { issuer: issuer.issuer, subject: '00u-bob' });
    expect(wordsOf(linked)).toContain('The account is linked.');
    const settings = await alice.get('/users/bob?tab=settings');
    expect(wordsOf(settings)).toMatch(/Linked accounts .*https:\/\/idp\.example 00u-bob/);
    const claims = { sub: '00u-bob', aud: latchkey.issuer, client_id: 'web-app', resource: api, scope: 'read' };
    const trust = new URL(made.url).pathname.replace('/console', '');
    const explained = await alice.act(`${trust}/explain`, { assertion: await issuer.sign(claims) });
    expect(wordsOf(explained)).toContain('The client web-app would get a token for the user bob.');
    const unlinked = await alice.act(linkOn(settings, 'Unlink')?.replace('/console', '') ?? '');
    expect(wordsOf(unlinked)).toContain('The account is unlinked.');
  });
});
