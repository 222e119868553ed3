import { everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { connect, question, signedIn, signIn, textsOf } from './support/steps.ts';

describe('signing out', () => {
  const site = startSite();
  const { latchkey, app } = site;

  test('requested by a client ends the session and redirects back, and keeps the consent', async () => {
    const page = await signedIn(site);
    await connect(page, site, everything);
    const tokens = await app.redeem(page.url());

    await page.goto(app.signOutUrl(tokens));
    expect(await question(page)).toBe('Sign out of Acme?');
    expect(await page.locator('main').innerText()).toContain('Signed in as alice@example.com');
    expect(await page.locator('main').innerText()).toContain('Inbox Assistant asks to sign you out.');
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(page.url()).toBe(`${app.origin}/signed-out?state=the+state`);
    await expect(app.refresh(tokens)).rejects.toMatchObject({ error: 'invalid_grant' });

    await page.goto(await app.signInUrl(everything));
    await signIn(page);
    expect(await textsOf(page.locator('.scope'))).toEqual([expect.stringMatching(/^Delete messages/)]);
  });

  test('from a page of the account confirms that it is done', async () => {
    const page = await signedIn(site);
    await page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(await question(page)).toBe('Signed out');
    await page.getByRole('link', { name: 'Sign in again' }).click();
    expect(await question(page)).toBe('Sign in');
  });

  test('can be cancelled, which keeps the session', async () => {
    const page = await signedIn(site);
    await page.goto(`${latchkey.issuer}/oauth/logout`);
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await question(page)).toBe('Still signed in');
    await page.getByRole('link', { name: 'Go to your account' }).click();
    expect(await question(page)).toBe('Alice Example');
  });

  test('from a client alone says so', async () => {
    const page = await signedIn(site, { login: 'bob' });
    await connect(page, site, everything);
    await page.goto(`${latchkey.issuer}/oauth/logout?client_id=inbox-assistant`);
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await question(page)).toMatch(/^Signed out of\s+Inbox Assistant$/);
    expect(await page.locator('main').innerText()).toContain('You are still signed in to Acme as bob@example.com');
  });

  test('requested by a client without a session redirects at once', async () => {
    const page = await signedIn(site, { login: 'carol' });
    await connect(page, site, everything);
    const tokens = await app.redeem(page.url());
    await page.context().clearCookies();
    await page.goto(app.signOutUrl(tokens));
    await page.waitForURL(`${app.origin}/signed-out?state=the+state`);
  });
});
