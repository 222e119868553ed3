import { inspect, still } from './support/inspection.ts';
import { calendar } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { allow, signedIn } from './support/steps.ts';

describe('nothing is wrong with the look of a page', () => {
  const site = startSite();
  const { latchkey, browser } = site;

  test('of the demo app', async () => {
    const page = await signedIn(site, still);
    await page.goto(`${latchkey.issuer}/demo`);
    expect(await inspect(page, 'demo')).toEqual([]);
    await page.getByRole('button', { name: 'Sign in with Acme' }).click();
    expect(await inspect(page, 'demo-consent')).toEqual([]);
    await allow(page);
    await page.getByRole('button', { name: 'Call the API' }).click();
    expect(await inspect(page, 'demo-tokens')).toEqual([]);
  });

  test('for confirming a device', async () => {
    const asked = await latchkey.post(
      '/oauth/device_authorization',
      { scope: 'openid calendar:read', resource: calendar },
      'television',
    );
    const page = await signedIn(site, { ...still, login: 'bob' });
    await page.goto(`${latchkey.issuer}/device`);
    expect(await inspect(page, 'device')).toEqual([]);
    await page.getByLabel('Code').fill('BCDF-GHJK');
    await page.getByRole('button', { name: 'Continue' }).click();
    expect(await inspect(page, 'device-unknown-code')).toEqual([]);
    await page.getByLabel('Code').fill(String(asked.body.user_code));
    await page.getByRole('button', { name: 'Continue' }).click();
    expect(await inspect(page, 'device-confirm')).toEqual([]);
    await page.getByRole('button', { name: 'Continue' }).click();
    expect(await inspect(page, 'device-consent')).toEqual([]);
    await allow(page);
    expect(await inspect(page, 'device-connected')).toEqual([]);
  });

  test('that a device without a page of its own can show', async () => {
    const page = await browser.open(still);
    await page.goto(`${latchkey.issuer}/device-code?user_code=BCDF-GHJK`);
    expect(await inspect(page, 'device-code')).toEqual([]);
  });
});
