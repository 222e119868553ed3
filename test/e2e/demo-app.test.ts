import type { Page } from 'playwright-core';
import { startSite } from './support/site.ts';
import { allow, createAdministrator, question, setupLink, signIn } from './support/steps.ts';

const press = async (page: Page, name: string) => {
  await page.getByRole('button', { name }).click();
  await page.waitForLoadState();
};

describe.each([
  ['with JavaScript', {}],
  ['with JavaScript disabled', { javaScriptEnabled: false }],
])('the demo app, %s', (_way, options) => {
  const site = startSite();
  const { latchkey, browser } = site;

  test('works from the first administrator to revoking the consent', async () => {
    const page = await browser.open(options);
    await page.goto(setupLink(site));
    await createAdministrator(page, {});

    await page.goto(`${latchkey.issuer}/demo`);
    await press(page, 'Sign in with Acme');
    expect(await question(page)).toMatch(/^Allow Demo app\s+to access your account\?$/);
    await allow(page);
    expect(await question(page)).toBe('Signed in as Ada Admin');
    await press(page, 'Call the API');
    expect(await page.getByRole('status').innerText()).toBe('The API answered.');
    expect(await page.locator('main').innerText()).toContain('Reading lamp');

    await page.goto(`${latchkey.issuer}/account/apps`);
    await page.getByRole('link', { name: 'Revoke access of Demo app' }).click();
    await press(page, 'Revoke access of Demo app');
    await page.goto(`${latchkey.issuer}/demo/tokens`);
    await press(page, 'Call the API');
    expect(await page.getByRole('status').innerText()).toMatch(/^The API refused: the access token does not work/);
    await press(page, 'Refresh');
    expect(await page.getByRole('alert').innerText()).toBe('That sign-in is over. Sign in again.');
    await press(page, 'Sign in with Acme');
    expect(await question(page)).toMatch(/^Allow Demo app\s+to access your account\?$/);
  });

  test('does not get what its user left unticked', async () => {
    const page = await browser.open(options);
    await page.goto(`${latchkey.issuer}/demo`);
    await press(page, 'Sign in with Acme');
    await signIn(page, 'bob');
    await page.getByRole('checkbox', { name: /^See what you ordered/ }).uncheck();
    await allow(page);
    await press(page, 'Call the API');
    expect(await page.getByRole('status').innerText()).toMatch(/^The API refused: you did not allow this app/);
  });
});
