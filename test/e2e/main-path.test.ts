import { everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { allow, createAdministrator, question, setupLink, signIn, textsOf } from './support/steps.ts';

const ways = [
  ['with a large screen', 'alice', {}],
  ['with JavaScript disabled', 'bob', { javaScriptEnabled: false }],
  ['with a phone', 'carol', { viewport: { width: 375, height: 700 }, isMobile: true, hasTouch: true }],
  ['in the dark, without motion', 'dave', { colorScheme: 'dark', reducedMotion: 'reduce' }],
] as const;

describe('an app', () => {
  const { latchkey, app, browser } = startSite();

  test.each(ways)('gets what its user leaves ticked, until the user revokes it, %s', async (_way, login, options) => {
    const page = await browser.open(options);
    await page.goto(await app.signInUrl(everything));
    expect(await question(page)).toBe('Sign in');
    await signIn(page, login);

    expect(await question(page)).toMatch(/^Allow Inbox Assistant\s+to access your account\?$/);
    await page.getByRole('checkbox', { name: /^Send messages as you/ }).uncheck();
    await page.getByRole('checkbox', { name: /^Delete messages/ }).check();
    await allow(page);
    expect(await question(page)).toBe('signed in');
    const tokens = await app.redeem(page.url());
    expect(await app.scopeOf(tokens.access_token)).toBe('mail:read:* mail:delete:*');

    await page.goto(`${latchkey.issuer}/account/apps`);
    await page.getByRole('link', { name: 'Revoke access of Inbox Assistant' }).click();
    expect(await textsOf(page.locator('main li strong'))).toEqual([
      '1 long-lived connection',
      '1 access token',
      '1 sign-in',
    ]);
    await page.getByRole('button', { name: 'Revoke access of Inbox Assistant' }).click();
    expect(await page.getByRole('status').innerText()).toMatch(/^Access revoked/);
    expect(await app.scopeOf(tokens.access_token)).toBeUndefined();
    await expect(app.refresh(tokens)).rejects.toMatchObject({ error: 'invalid_grant' });

    await page.goto(await app.signInUrl(everything));
    expect(await question(page)).toMatch(/^Allow Inbox Assistant\s+to access your account\?$/);
  });
});

describe.each([
  ['with JavaScript', {}],
  ['with JavaScript disabled', { javaScriptEnabled: false }],
])('the link of the first start, %s', (_way, options) => {
  const site = startSite();

  test('creates one administrator, who is then signed in', async () => {
    const page = await site.browser.open(options);
    await page.goto(setupLink(site));
    expect(await question(page)).toBe('Create the first administrator of Acme');
    await createAdministrator(page, {});
    expect(await question(page)).toBe('Overview');

    await page.goto(setupLink(site));
    expect(await question(page)).toBe('This setup link is no longer valid');
  });
});
