import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { UserAgent } from '../../support/user-agent.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

describe('the copy of a user’s data', () => {
  const latchkey = startLatchkey();
  const download = async (browser: UserAgent, headers = {}) =>
    browser.submit(await browser.get('/account/data'), {}, '/account/data', headers);

  test('is a file with profile, roles, browsers, consents and events', async () => {
    const browser = latchkey.browser(firefox);
    await latchkey.tokens({ scope: 'openid read', prompt: 'consent' }, browser);
    await latchkey.tokens({}, latchkey.browser('another'));
    const { headers, html, status } = await download(browser);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="account-data-\d{4}-\d\d-\d\d\.json"$/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(JSON.parse(html)).toMatchObject({
      issuer: latchkey.issuer,
      profile: { username: 'alice', email: 'alice@example.com', name: 'Alice Example' },
      roles: ['owner'],
      sessions: [
        { user_agent: firefox, address: '127.0.0.1', is_this_browser: true, apps: [{ name: 'Shop', lasting: false }] },
        { user_agent: 'another', is_this_browser: false },
      ],
      consents: [
        { client_id: 'web-app', client_name: 'Shop', revoked_at: null, scopes: { openid: ['openid', 'profile'] } },
      ],
      security_events: expect.arrayContaining([
        expect.objectContaining({ what: 'You signed in', action: 'session.started', user_agent: firefox }),
        expect.objectContaining({ what: 'You downloaded your data' }),
      ]),
    });
  });

  test('contains no credential, not even as a digest, and nothing of another user', async () => {
    const browser = latchkey.browser(firefox);
    const tokens = await latchkey.tokens({}, browser, 'bob');
    const { html } = await download(browser);
    const { rows } = await latchkey.database.query(`select encode(digest, 'hex') as secret from session_ids
      union all select encode(digest, 'base64') from session_ids union all select hash from credentials
      union all select uid from sessions union all select encode(digest, 'hex') from access_tokens`);
    const secrets = [password, tokens.access_token, tokens.refresh_token, ...rows.map(({ secret }) => secret)];
    const cookies = browser.cookies().map(({ value }) => value);
    for (const secret of [...secrets, ...cookies, 'alice', '$argon2']) expect(html).not.toContain(secret);
  });

  test('is sent only for the user’s own form, and is recorded', async () => {
    const browser = latchkey.browser();
    expect((await browser.get('/account/data')).url).toContain('/sign-in');
    await browser.submit(await browser.get('/sign-in'), { login: 'bob', password });
    const before = (await latchkey.auditEvents('user.data_downloaded')).length;
    expect(await download(browser, { origin: 'https://evil.example' })).toMatchObject({ status: 403 });
    expect(await browser.post('/account/data', new URLSearchParams())).toMatchObject({ status: 403 });
    expect((await browser.get('/account/data')).headers.get('content-type')).toMatch(/^text\/html/);
    expect(await latchkey.auditEvents('user.data_downloaded')).toHaveLength(before);
    await download(browser);
    expect((await latchkey.auditEvents('user.data_downloaded')).slice(before)).toMatchObject([{ actor_kind: 'user' }]);
  });
});
