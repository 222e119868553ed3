import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../support/free-port.ts';
import { api, password } from '../support/installation.ts';
import { Latchkey, startLatchkey } from '../support/latchkey.ts';
import { testRootKey } from '../support/server.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';

const root = path.join(import.meta.dirname, '../..');

describe('the demo app', () => {
  const latchkey = startLatchkey();
  const demoScope = (name: string) => `${latchkey.issuer}/demo/api ${name}`;

  async function ask(browser: UserAgent): Promise<Page> {
    return browser.submit(await browser.get('/demo'), {}, '/demo/sign-in');
  }

  async function signIn(browser: UserAgent, allowed = ['orders:read'], login = 'alice'): Promise<Page> {
    const asked = await ask(browser);
    return latchkey.visit(browser, asked.url, { login, tick: allowed.map(demoScope) });
  }

  function callApi(token: string): Promise<Response> {
    return fetch(`${latchkey.issuer}/demo/api/orders`, { headers: { authorization: `Bearer ${token}` } });
  }

  test('describes scopes in words, and leaves risky ones unticked', async () => {
    const browser = latchkey.browser();
    const consent = await browser.submit(await ask(browser), { login: 'bob', password }, '/sign-in');
    expect(consent.html).toMatch(/Allow <strong>Demo app<\/strong> to access your account\?/);
    expect(consent.html).toMatch(/orders:read" checked>\s*<span>See what you ordered/);
    expect(consent.html).toMatch(/orders:cancel">\s*<span>Cancel your orders\s*<mark class="risk">Risky/);
  });

  test('shows a signed-in user what it got', async () => {
    const page = await signIn(latchkey.browser());
    expect(page.url).toBe(`${latchkey.issuer}/demo/tokens`);
    expect(page.html).toContain('Signed in as <strong>Alice Example</strong>');
    expect(page.headers.get('cache-control')).toBe('no-store');
    const text = page.html.replaceAll(/<[^>]*>|\s+/g, ' ');
    expect(text).toMatch(new RegExp(`ID token .* iss +${latchkey.issuer} .* Access token .* active +true`));
    expect(text).toMatch(/scope +orders:read .* Userinfo .* email +alice@example\.com/);
  });

  test('keeps its tokens out of all pages and cookies', async () => {
    const browser = latchkey.browser();
    const page = await signIn(browser);
    expect(page.html).not.toMatch(/lk_[a-z]+_/);
    expect(JSON.stringify(browser.cookies())).not.toMatch(/lk_[a-z]+_/);
  });

  test('gives the browser a new session id at sign-in, so that a fixed one gives no access', async () => {
    const browser = latchkey.browser();
    const named = () => browser.cookies().find(({ name }) => name === 'web_app');
    await browser.get('/demo');
    const before = named();
    await signIn(browser);
    expect(before).toMatchObject({ path: '/demo', value: expect.stringMatching(/^[\w-]{43}$/) });
    expect(named()?.value).not.toBe(before?.value);
  });

  test('calls the API, which answers for the user', async () => {
    const browser = latchkey.browser();
    const page = await browser.submit(await signIn(browser), {}, '/call-api');
    expect(page.html).toContain('The API answered.');
    expect(page.html).toContain('Reading lamp');
  });

  test('reports that the user did not allow an action (RFC 6750 §3.1)', async () => {
    const browser = latchkey.browser();
    const page = await browser.submit(await signIn(browser, ['orders:cancel'], 'bob'), {}, '/call-api');
    expect(page.html).toContain('you did not allow this app to see your orders');
    expect(page.html).toContain('error=&quot;insufficient_scope&quot;, scope=&quot;orders:read&quot;');
    expect(page.html).not.toContain('Reading lamp');
  });

  test('renews its tokens, and counts how often', async () => {
    const browser = latchkey.browser();
    const once = await browser.submit(await signIn(browser), {}, '/refresh');
    expect(once.html).toContain('The tokens were refreshed once');
    const twice = await browser.submit(once, {}, '/refresh');
    expect(twice.html).toContain('The tokens were refreshed 2 times');
    expect((await browser.submit(twice, {}, '/call-api')).html).toContain('The API answered.');
  });

  test('revokes both tokens: the API refuses at once, and renewing requires a new sign-in (RFC 7009 §2)', async () => {
    const browser = latchkey.browser();
    const revoked = await browser.submit(await signIn(browser), {}, '/revoke');
    expect(revoked.html).toContain('Both tokens were given back.');
    const refused = await browser.submit(revoked, {}, '/call-api');
    expect(refused.html).toContain('The API refused: the access token does not work any more.');
    expect(refused.html).toContain('error=&quot;invalid_token&quot;');
    const ended = await browser.submit(refused, {}, '/refresh');
    expect(ended).toMatchObject({ status: 400, html: expect.stringContaining('That sign-in is over. Sign in again.') });
    expect((await browser.submit(ended, {}, '/demo/sign-in')).html).toContain('Alice Example');
  });

  test('signs out here and at the issuer, and returns', async () => {
    const browser = latchkey.browser();
    const question = await browser.submit(await signIn(browser), {}, '/demo/sign-out');
    const home = await browser.submit(question, { logout: 'yes' }, '/logout/confirm');
    expect(home).toMatchObject({ status: 200, url: `${latchkey.issuer}/demo` });
    expect((await browser.get('/demo/tokens')).url).toBe(`${latchkey.issuer}/demo`);
    expect((await ask(browser)).html).toContain('name="password"');
  });

  test('reports in a sentence that access was denied, and offers to sign in', async () => {
    const browser = latchkey.browser();
    const consent = await browser.submit(await ask(browser), { login: 'bob', password }, '/sign-in');
    const home = await browser.submit(consent, { decision: 'deny' }, '/consent');
    expect(home).toMatchObject({ status: 200, html: expect.stringContaining('You did not allow it') });
    expect(home.html).toContain('action="/demo/sign-in"');
  });

  test.each(['?code=a&state=b', '?error=access_denied&state=b', '?state=a&state=b', ''])(
    'completes no sign-in that this browser did not start, and keeps its session (callback%s)',
    async (query) => {
      const browser = latchkey.browser();
      await signIn(browser);
      const home = await browser.get(`/demo/callback${query}`);
      expect(home).toMatchObject({ status: 400, html: expect.stringContaining('That sign-in took too long') });
      expect((await browser.get('/demo/tokens')).html).toContain('Alice Example');
    },
  );

  test('completes a sign-in only in the browser that started it, and once (RFC 9700 §4.7)', async () => {
    const [victim, attacker] = [latchkey.browser(), latchkey.browser()];
    const { html } = await attacker.get('/demo');
    const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
    const cookie = attacker.cookies().map(({ name, value }) => `${name}=${value}`);
    const started = await fetch(`${latchkey.issuer}/demo/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ csrf }),
      headers: { cookie: cookie.join('; ') },
      redirect: 'manual',
    });
    const { searchParams } = new URL(started.headers.get('location') ?? '');
    const state = searchParams.get('state');
    expect(Object.fromEntries(searchParams)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      resource: `${latchkey.issuer}/demo/api`,
    });
    const denied = `/demo/callback?${new URLSearchParams({ error: 'access_denied', state: state ?? '', iss: latchkey.issuer })}`;
    expect((await victim.get(denied)).html).toContain('That sign-in took too long');
    expect((await attacker.get(denied)).html).toContain('You did not allow it');
    expect((await attacker.get(denied)).html).toContain('That sign-in took too long');
  });

  test.each(['sign-in', 'call-api', 'refresh', 'revoke', 'sign-out'])(
    'accepts no form from another site: %s',
    async (action) => {
      const browser = latchkey.browser();
      const page = await signIn(browser);
      const own = /name="csrf" value="([^"]+)"/.exec(page.html)?.[1] ?? '';
      const foreign = /name="csrf" value="([^"]+)"/.exec((await latchkey.browser().get('/demo')).html)?.[1] ?? '';
      const post = async (csrf: string, headers: Record<string, string> = {}) =>
        (await browser.post(`/demo/${action}`, new URLSearchParams({ csrf }), headers)).status;
      expect([
        await post(''),
        await post(foreign),
        await post(own, { origin: 'https://evil.example' }),
        await post(own, { origin: 'null' }),
        await post(own, { 'sec-fetch-site': 'cross-site' }),
        await post(own, { 'sec-fetch-site': 'same-site' }),
      ]).toEqual([403, 403, 403, 403, 403, 403]);
      const still = await browser.submit(await browser.get('/demo/tokens'), {}, '/call-api');
      expect(still.html).toContain('The tokens were issued when you signed in.');
      expect(still.html).toContain('The API answered.');
    },
  );

  test('has an API that accepts no request without a token for it (RFC 6750 §3)', async () => {
    const without = await fetch(`${latchkey.issuer}/demo/api/orders`);
    expect([without.status, without.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="orders"']);
    const others = [(await latchkey.tokens({ resource: api })).access_token, 'lk_at_nonsense'];
    for (const answer of await Promise.all(others.map(callApi))) {
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        'Bearer realm="orders", error="invalid_token"',
      ]);
    }
  });

  test('is registered once, with one secret that every node has and none prints', async () => {
    const another = await latchkey.startAnother({ env: { LATCHKEY_ISSUER: latchkey.issuer } });
    const events = [
      ...(await latchkey.auditEvents('client.secret.created')),
      ...(await latchkey.auditEvents('client.updated')),
      ...(await latchkey.auditEvents('resource_server.updated')),
    ];
    expect(events.filter(({ target_id }) => String(target_id).includes('demo'))).toHaveLength(1);
    expect(another.output() + latchkey.server.output()).not.toMatch(/lk_cs_/);
  });

  test('is in no exported file, and is kept when one is applied with --prune', async () => {
    const env = {
      PATH: process.env.PATH,
      DATABASE_URL: latchkey.database.url,
      LATCHKEY_ROOT_KEY: testRootKey,
      LATCHKEY_ISSUER: latchkey.issuer,
    };
    const latchkeyCommand = async (...parameters: string[]) =>
      (await promisify(execFile)(process.execPath, ['bin/latchkey.js', ...parameters], { cwd: root, env })).stdout;
    const exported = await latchkeyCommand('export');
    expect(exported).toContain('"client_id": "web-app"');
    expect(exported).not.toContain('demo');

    const folder = await mkdtemp(path.join(tmpdir(), 'latchkey-export-'));
    const file = path.join(folder, 'exported.json');
    await writeFile(file, exported);
    const applied = JSON.parse(await latchkeyCommand('apply', file, '--prune', '--yes', '--json'));
    await rm(folder, { recursive: true });
    expect(applied.pruned).toEqual([]);
    expect((await signIn(latchkey.browser())).html).toContain('Alice Example');
  });
});

describe('the demo app is absent', () => {
  test.each(['production', 'test'])('in %s, and nothing of it is registered', async (environment) => {
    const latchkey = new Latchkey();
    try {
      const port = await freePort();
      const env = { NODE_ENV: environment, PORT: String(port), LATCHKEY_ISSUER: `http://localhost:${port}` };
      await latchkey.start({ env });
      const paths = ['/demo', '/demo/tokens', '/demo/api/orders'];
      const answers = await Promise.all(paths.map((each) => fetch(`${latchkey.issuer}${each}`)));
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 404]);
      expect(await (await fetch(latchkey.issuer)).text()).not.toContain('/demo');
      expect(latchkey.server.output()).not.toContain('Demo:');
      const { rows } = await latchkey.database.query(
        "select client_id from clients where client_id like '%demo%' union all select identifier from resource_servers where identifier like '%demo%'",
      );
      expect(rows).toEqual([]);
    } finally {
      await latchkey.stop();
    }
  });
});
