import { assistant } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { question, signIn } from './support/steps.ts';

describe('an administrator', () => {
  const site = startSite();
  const { latchkey, browser } = site;

  test('goes from the first page to a new secret, which they copy, and to the end of the old one', async () => {
    await latchkey.command(['user', 'create', 'ada', '--role', 'owner', '--password-stdin'], 'a long sentence');
    const page = await browser.open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(`${latchkey.issuer}/sign-in`);
    await signIn(page, 'ada', 'a long sentence');
    await page.getByRole('link', { name: 'Administer' }).click();
    expect(await question(page)).toBe('Overview');
    await page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name: 'Clients' }).click();
    await page.getByLabel('Name or client_id').fill('inbox');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('link', { name: 'Inbox Assistant' }).click();

    await page.getByRole('link', { name: 'Add a secret' }).click();
    await page.getByLabel('Label').fill('next');
    await page.getByRole('button', { name: 'Make a secret' }).click();
    expect(await question(page)).toMatch(/^Here is the new secret of\s+Inbox Assistant$/);
    const secret = await page.locator('.secret code').innerText();
    await page.locator('.secret').getByRole('button', { name: 'Copy' }).click();
    await page.locator('.secret').getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(secret);
    await page.locator('.paste').first().getByRole('button', { name: 'Copy' }).click();
    await page.locator('.paste').first().getByRole('button', { name: 'Copied' }).waitFor();
    const curl = String(await page.evaluate('navigator.clipboard.readText()'));
    expect(curl).toContain(`curl ${latchkey.issuer}/oauth/`);
    expect(curl).toContain(secret);

    await page.getByRole('link', { name: /^I have it/ }).click();
    await page.getByRole('link', { name: 'Revoke the secret configuration' }).click();
    await page.getByRole('button', { name: 'Revoke 1 secret' }).click();
    expect(await page.getByRole('status').innerText()).toBe('The secret is revoked: it is refused from now on.');
    const post = (client_secret: string) =>
      fetch(`${latchkey.issuer}/oauth/introspect`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`inbox-assistant:${encodeURIComponent(client_secret)}`)}` },
        body: new URLSearchParams({ token: 'none' }),
      });
    expect((await post(secret)).status).toBe(200);
    expect((await post(assistant.client_secret)).status).toBe(401);
  });
});
