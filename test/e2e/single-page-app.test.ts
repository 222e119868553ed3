import type { Page } from 'playwright-core';
import { startSite } from './support/site.ts';
import { allow, signIn } from './support/steps.ts';

type Shown = { access_token?: string; refresh_token?: string; scope?: string; profile?: Record<string, unknown> };

async function shown(page: Page): Promise<Shown & Record<string, unknown>> {
  const output = page.locator('output:not(:empty)');
  await output.waitFor();
  const text = await output.innerText();
  await page.evaluate("document.querySelector('output').textContent = ''");
  return JSON.parse(text);
}

describe('a single-page app in a browser', () => {
  const { latchkey, app, dashboard, browser } = startSite();

  const signedIn = async () => {
    const page = await browser.open();
    await page.goto(dashboard.origin);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await signIn(page);
    if (page.url().includes('/interaction/')) await allow(page);
    return { page, tokens: await shown(page) };
  };

  test('signs its user in with a code and PKCE, and reads their profile across origins', async () => {
    const { page, tokens } = await signedIn();
    expect(tokens).toMatchObject({
      access_token: expect.stringMatching(/^lk_at_/),
      scope: expect.stringContaining('calendar:read'),
      profile: { name: 'Alice Example', email: 'alice@example.com' },
    });
    await page.getByRole('button', { name: 'Who am I?' }).click();
    expect(await shown(page)).toMatchObject({ status: 200, preferred_username: 'alice' });
  });

  test('renews its tokens across origins with the refresh token, which rotates', async () => {
    const { page, tokens } = await signedIn();
    await page.getByRole('button', { name: 'Renew' }).click();
    const renewed = await shown(page);
    expect(renewed.access_token).toMatch(/^lk_at_/);
    expect(renewed.refresh_token).toMatch(/^lk_rt_/);
    expect(renewed.access_token).not.toBe(tokens.access_token);
    expect(renewed.refresh_token).not.toBe(tokens.refresh_token);
  });

  test('revokes its tokens across origins, and they are then refused', async () => {
    const { page, tokens } = await signedIn();
    await page.getByRole('button', { name: 'Revoke' }).click();
    expect(await shown(page)).toEqual({ revoked: true });
    const answer = await latchkey.post('/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token ?? '',
      client_id: 'dashboard',
    });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });

  test('cannot have its refresh token used by pages of other origins at the token endpoint', async () => {
    const { tokens } = await signedIn();
    const foreign = await browser.open();
    browser.expectComplaint(/blocked by CORS policy|Failed to load resource/);
    await foreign.goto(app.origin);
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token ?? '',
      client_id: 'dashboard',
    });
    const call = `fetch('${latchkey.issuer}/oauth/token', { method: 'POST', body: new URLSearchParams('${body}') }).then((response) => response.text(), ({ message }) => message)`;
    expect(await foreign.evaluate(call)).toBe('Failed to fetch');
  });
});
