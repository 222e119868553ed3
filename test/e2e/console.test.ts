import { assistant } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { question, signIn } from './support/steps.ts';

describe('an administrator', () => {
  const site = startSite();
  const { latchkey, browser } = site;

  test('gets from the first page to a new secret, copies it, and revokes the old one', async () => {
    await latchkey.command(['user', 'create', 'ada', '--role', 'owner', '--password-stdin'], 'a long sentence');
    const page = await browser.open({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(`${latchkey.issuer}/sign-in`);
    await signIn(page, 'ada', 'a long sentence');
    await page.getByRole('link', { name: 'Console' }).click();
    expect(await question(page)).toBe('Overview');
    await page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name: 'Clients' }).click();
    await page.getByLabel('Name or client ID').fill('inbox');
    await page.getByRole('button', { name: 'Apply' }).click();
    await page.getByRole('link', { name: 'Inbox Assistant' }).click();

    await page
      .getByRole('navigation', { name: 'Parts of this page' })
      .getByRole('link', { name: 'Credentials' })
      .click();
    await page.getByRole('link', { name: 'Add secret' }).click();
    await page.getByLabel('Label').fill('next');
    await page.getByRole('button', { name: 'Add secret' }).click();
    expect(await question(page)).toBe('New client secret');
    const secret = await page.locator('.secret code').innerText();
    await page.locator('.secret').getByRole('button', { name: 'Copy' }).click();
    await page.locator('.secret').getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(secret);
    await page.locator('.snippet').first().getByRole('button', { name: 'Copy' }).click();
    await page.locator('.snippet').first().getByRole('button', { name: 'Copied' }).waitFor();
    const curl = String(await page.evaluate('navigator.clipboard.readText()'));
    expect(curl).toContain(`curl ${latchkey.issuer}/oauth/`);
    expect(curl).toContain(secret);

    await page.getByRole('link', { name: 'Done' }).click();
    await page
      .getByRole('navigation', { name: 'Parts of this page' })
      .getByRole('link', { name: 'Credentials' })
      .click();
    await page.getByRole('link', { name: 'Revoke secret configuration' }).click();
    await page.getByRole('button', { name: 'Revoke 1 secret' }).click();
    expect(await page.getByRole('status').innerText()).toBe('The secret is revoked. It is refused from now on.');
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
