import { everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { allow, createAdministrator, question, setupLink, signedIn, signIn } from './support/steps.ts';

describe('a request that cannot be answered', () => {
  const site = startSite();
  const { latchkey, app, browser } = site;

  test('of a client is explained to the user in plain words, and to the developer on demand', async () => {
    const page = await browser.open();
    await page.goto(await app.signInUrl({ ...everything, redirect_uri: 'https://evil.example/' }));
    expect(await question(page)).toBe('This app sent an invalid request');
    expect(page.url().startsWith(latchkey.issuer)).toBe(true);
    expect(await page.locator('main').innerText()).not.toContain('redirect_uri');
    await page.getByText('For developers').click();
    const text = await page.locator('main').innerText();
    expect(text).toContain('invalid_redirect_uri');
    expect(text).toContain("redirect_uri did not match any of the client's registered redirect_uris");
  });

  test('can be for a page that was completed already', async () => {
    const page = await signedIn(site);
    await page.goto(await app.signInUrl(everything));
    const address = page.url();
    await allow(page);
    await page.goto(address);
    expect(await question(page)).toBe('This page has expired');
    expect(await page.locator('main').innerText()).toContain('Return to the app and try again.');
  });

  test('can be for a page of another browser', async () => {
    const page = await browser.open();
    await page.goto(await app.signInUrl(everything));
    const other = await browser.open();
    await other.goto(page.url());
    expect(await question(other)).toBe('This page has expired, or cookies are blocked');
  });

  test('can be for a page that was open for longer than an hour', async () => {
    const page = await browser.open();
    await page.goto(await app.signInUrl(everything));
    await latchkey.advance(3660);
    await signIn(page, 'bob');
    expect(await question(page)).toBe('This page has expired');
  });

  test('can be for an address without a page', async () => {
    const page = await browser.open();
    const response = await page.goto(`${latchkey.issuer}/nowhere`);
    expect(response?.status()).toBe(404);
    expect(await question(page)).toBe('Page not found');
    await page.getByRole('link', { name: 'Go to Acme' }).click();
    expect(page.url()).toBe(`${latchkey.issuer}/`);
  });

  test('shows its request id, to be copied', async () => {
    const page = await browser.open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(`${latchkey.issuer}/nowhere`);
    const [id = ''] = /[0-9a-f-]{36}/.exec(await page.locator('.request').innerText()) ?? [];
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(id);
    expect(latchkey.server.output()).toContain(id);
  });

  test('from a form that is not ours is refused, and the page says what to do', async () => {
    const page = await browser.open();
    await page.goto(`${latchkey.issuer}/sign-in`);
    await page.context().clearCookies();
    await signIn(page);
    expect(await question(page)).toBe('This form could not be submitted');
  });
});

describe('a first administrator', () => {
  const site = startSite();

  test('whose username is taken sees an error, and the input is kept', async () => {
    const page = await site.browser.open();
    await page.goto(setupLink(site));
    await createAdministrator(page, { username: 'alice' });
    expect(await page.getByRole('alert').innerText()).toBe('Another user has this username or e-mail address.');
    expect(await page.getByLabel('E-mail').inputValue()).toBe('ada@example.com');
  });
});
