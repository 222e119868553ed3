import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { freePort } from '../support/free-port.ts';
import { standardInstallation } from '../support/installation.ts';
import { answerOf, basic, Latchkey } from '../support/latchkey.ts';
import { type Page, UserAgent } from '../support/user-agent.ts';

const example = path.join(import.meta.dirname, '../../examples/web-app');
const client_id = 'web-app-example';
const client_secret = 'the secret of the example';

/** The example as in its README: a separate process, registered from its own file. */
describe('the web app on its own', () => {
  const latchkey = new Latchkey();
  let app: ChildProcess;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    url = `http://localhost:${port}`;
    const file = (await readFile(path.join(example, 'latchkey.yaml'), 'utf8')).replaceAll('http://localhost:4000', url);
    const { resource_servers, clients } = parse(file);
    await latchkey.start({
      ownProcess: true,
      env: { PORT: String(await freePort()) },
      apply: {
        ...standardInstallation,
        resource_servers: [...standardInstallation.resource_servers, ...resource_servers],
        clients: [...standardInstallation.clients, { ...clients[0], client_secret }],
      },
    });
    const env = { ISSUER: latchkey.issuer, CLIENT_ID: client_id, CLIENT_SECRET: client_secret, PORT: String(port) };
    app = spawn(process.execPath, [path.join(example, 'main.ts')], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    if (app.stdout) await once(app.stdout, 'data');
  });

  afterAll(async () => {
    app.kill();
    await latchkey.stop();
  });

  /** Two hosts: the app's cookies in one user agent, the issuer's in another. */
  async function signIn(browser: UserAgent): Promise<Page> {
    const leave = await browser.submit(await browser.get('/'), {}, '/sign-in');
    const back = await latchkey.visit(latchkey.browser(), leave.url, { tick: [`${url}/api orders:read`] });
    return browser.get(back.url);
  }

  test('signs in, calls the API, renews, revokes and signs out', async () => {
    const browser = new UserAgent(url);
    const tokens = await signIn(browser);
    expect(tokens.url).toBe(`${url}/tokens`);
    expect(tokens.html).toContain('Alice Example');
    const called = await browser.submit(tokens, {}, '/call-api');
    expect(called.html).toMatch(/The API answered[\s\S]*Reading lamp/);
    const renewed = await browser.submit(called, {}, '/refresh');
    expect(renewed.html).toContain('Refreshed: 1');
    const revoked = await browser.submit(renewed, {}, '/revoke');
    const refused = await browser.submit(revoked, {}, '/call-api');
    expect(refused.html).toContain('The API refused');
    const left = new URL((await browser.submit(refused, {}, '/sign-out')).url);
    expect(`${left.origin}${left.pathname}`).toBe(`${latchkey.issuer}/oauth/logout`);
    expect(left.searchParams.get('post_logout_redirect_uri')).toBe(url);
    expect((await browser.get('/tokens')).html).toContain('action="/sign-in"');
  });

  test('runs no script, cannot be framed, and its forms redirect only here and to the issuer', async () => {
    const { headers } = await new UserAgent(url).get('/');
    expect(headers.get('content-security-policy')).toBe(
      `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' ${latchkey.issuer}`,
    );
    expect(headers.get('set-cookie')).toMatch(/^web_app=[\w-]{43}; path=\/; samesite=lax; httponly$/);
  });

  test('accepts no form from another site, and none that is too large', async () => {
    const browser = new UserAgent(url);
    const { html } = await browser.get('/');
    const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? '';
    const send = (body: Record<string, string>, headers = {}) =>
      browser.post('/sign-in', new URLSearchParams(body), headers);
    expect((await send({ csrf }, { origin: latchkey.issuer })).status).toBe(403);
    expect((await send({ csrf: '' })).status).toBe(403);
    expect((await send({ csrf, more: 'x'.repeat(5000) })).status).toBe(413);
  });

  test('has an API that refuses a token of the same app that is not for it (RFC 9700 §2.3)', async () => {
    const asApp = async (endpoint: string, parameters: Record<string, string>) => {
      const headers = { authorization: basic(client_id, client_secret) };
      const body = new URLSearchParams(parameters);
      return (await answerOf(await fetch(`${latchkey.issuer}/oauth/${endpoint}`, { method: 'POST', body, headers })))
        .body;
    };
    const wanted = { client_id, redirect_uri: `${url}/callback`, scope: 'openid', resource: null };
    const { client_id: _, ...code } = await latchkey.code(wanted);
    const { access_token, refresh_token } = await asApp('token', { grant_type: 'authorization_code', ...code });
    for (const token of [access_token, refresh_token]) {
      const answer = await fetch(`${url}/api/orders`, { headers: { authorization: `Bearer ${token}` } });
      expect(await asApp('introspect', { token })).toMatchObject({ active: true });
      expect(answer.status).toBe(401);
    }
  });

  test('reports in a sentence that the issuer is unavailable, and works when it is back', async () => {
    const browser = new UserAgent(url);
    const tokens = await signIn(browser);
    await latchkey.process.kill('SIGKILL');
    const home = await browser.submit(tokens, {}, '/refresh');
    const { host } = new URL(latchkey.issuer);
    expect(home).toMatchObject({ status: 502, html: expect.stringContaining(`${host} did not answer as it should.`) });
    expect(home.html).toContain('See what it got');
    expect((await fetch(`${url}/api/orders`, { headers: { authorization: 'Bearer some-token' } })).status).toBe(503);
    const { port } = new URL(latchkey.issuer);
    await latchkey.startAnother({ env: { PORT: port } });
    expect((await browser.submit(tokens, {}, '/refresh')).html).toContain('Refreshed: 1');
  });
});
