import { everything, mail } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { allow, connect, countOf, question, signedIn, signIn, textsOf } from './support/steps.ts';

describe('the consent page', () => {
  const site = startSite();
  const { latchkey, app } = site;
  const https = 'https://inbox-assistant.example/callback';

  test('shows who asks, for which account, what, at which service, where it redirects, how long and where to revoke it', async () => {
    const page = await signedIn(site);
    await page.goto(await app.signInUrl({ ...everything, redirect_uri: https }));
    const text = await page.locator('main').innerText();
    expect(text).toMatch(/Allow Inbox Assistant\s+to access your account\?/);
    expect(text).toContain('Signed in as alice@example.com\u00a0· Not you?');
    expect(text).toMatch(/Support Mail\s+Read your messages\s+mail:read:\* · required/);
    expect(text).toMatch(/Delete messages Risky\s+mail:delete:\*/);
    expect(text).toMatch(/Returns to\s+inbox-assistant\.example/);
    expect(text).toMatch(/Duration\s+until you revoke access/);
    expect(text).toMatch(/Revoke access\s+any time under Connected apps/);
    expect(text).toMatch(/App ID\s+inbox-assistant/);
    expect(text).not.toContain('this computer');
  });

  test('warns when it redirects to a program on this computer', async () => {
    const page = await signedIn(site);
    await page.goto(await app.signInUrl(everything));
    expect(await page.locator('main').innerText()).toContain('This app runs on this computer.');
  });

  test('has two buttons of one size, and the first does not allow', async () => {
    const page = await signedIn(site);
    await page.goto(await app.signInUrl(everything));
    const buttons = await page.locator('.actions button').all();
    expect(await Promise.all(buttons.map((button) => button.innerText()))).toEqual(['Don’t allow', 'Allow']);
    const [first, second] = await Promise.all(buttons.map((button) => button.boundingBox()));
    expect([first?.width, first?.height]).toEqual([second?.width, second?.height]);
  });

  test('redirects to the client with an error after a refusal, and grants nothing', async () => {
    const page = await signedIn(site, { login: 'bob' });
    await page.goto(await app.signInUrl(everything));
    await page.getByRole('button', { name: 'Don’t allow' }).click();
    expect(await question(page)).toBe('access_denied');
    expect(page.url().startsWith(app.redirectUri)).toBe(true);
    await page.goto(`${latchkey.issuer}/account/apps`);
    expect(await page.locator('main').innerText()).toContain('No connected apps');
  });

  test('can be answered by a user other than the one who is signed in', async () => {
    const page = await signedIn(site);
    await page.goto(await app.signInUrl(everything));
    await page.getByRole('button', { name: 'Not you?' }).click();
    expect(await page.getByRole('status').innerText()).toBe('Sign in with the account you want to use.');
    await signIn(page, 'bob');
    await page.waitForLoadState();
    expect(await page.locator('main').innerText()).toContain('Signed in as bob@example.com');
    await allow(page);
    const tokens = await app.redeem(page.url());
    expect(tokens.claims()).toMatchObject({ preferred_username: 'bob' });
  });

  test('asks later only for new scopes, unticked and marked as new', async () => {
    const page = await signedIn(site, { login: 'carol' });
    await connect(page, site, { scope: 'openid profile email mail:read:*', resource: mail });
    await page.goto(await app.signInUrl(everything));
    expect(await textsOf(page.locator('.scope'))).toEqual([
      expect.stringMatching(/^Send messages as you New\s+mail:send$/),
      expect.stringMatching(/^Delete messages New Risky\s+mail:delete:\*$/),
    ]);
    expect(await countOf(page.locator('.scope input:checked'))).toBe(0);
    expect(await page.locator('.before').innerText()).toMatch(
      /^Already allowed\n[\s\S]*Read your messages mail:read:\*/,
    );
    expect(await countOf(page.locator('.before input'))).toBe(0);
  });

  test('shows what was allowed before when a client asks for the same again, and when it asks for less', async () => {
    const page = await signedIn(site, { login: 'erin' });
    await connect(page, site, everything);
    await page.goto(await app.signInUrl({ ...everything, prompt: 'consent' }));
    const allowed = await countOf(page.locator('.scope', { hasText: 'already allowed' }));
    expect(allowed).toBe((await countOf(page.locator('.scope'))) - 1);
    expect(await textsOf(page.locator('.scope', { hasText: 'New' }))).toEqual([
      expect.stringMatching(/^Delete messages New Risky/),
    ]);
    expect(await countOf(page.locator('.before'))).toBe(0);
    await page.goto(await app.signInUrl({ scope: 'openid', prompt: 'consent' }));
    expect(await page.locator('.before').innerText()).toMatch(/Read your messages[\s\S]*Send messages as you/);
  });

  test('does not ask again for what was allowed or left out, in the same browser', async () => {
    const page = await signedIn(site, { login: 'dave' });
    await connect(page, site, everything);
    const first = await app.redeem(page.url());
    await page.goto(await app.signInUrl(everything));
    expect(await question(page)).toBe('signed in');
    const second = await app.redeem(page.url());
    expect(second.scope).toBe(first.scope);
  });
});
