import { inspect, still } from './support/inspection.ts';
import { calendar, everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { allow, connect, signedIn } from './support/steps.ts';

describe('nothing is wrong with the look of a page', () => {
  const site = startSite();
  const { latchkey, app } = site;

  test('for finding and revoking connected apps', async () => {
    const page = await signedIn(site, { ...still, login: 'bob' });
    for (const client_id of ['zebra-drive', 'long-name', 'meeting-notes'])
      await connect(page, site, { client_id, scope: 'openid profile calendar:read', resource: calendar });
    await page.goto(await app.signInUrl(everything));
    await page.getByRole('checkbox', { name: /^Delete messages/ }).check();
    await allow(page);
    await app.redeem(page.url());
    await latchkey.advance(3 * 86_400);
    await page.goto(`${latchkey.issuer}/account/apps`);
    expect(await inspect(page, 'connected-apps')).toEqual([]);
    await page.getByText('Access', { exact: true }).first().click();
    expect(await inspect(page, 'connected-apps-open')).toEqual([]);
    await page.goto(`${latchkey.issuer}/account/apps?q=unicorn`);
    expect(await inspect(page, 'connected-apps-not-found')).toEqual([]);
    await page.goto(`${latchkey.issuer}/account/apps?q=inbox`);
    await page.getByRole('link', { name: /^Revoke access/ }).click();
    expect(await inspect(page, 'revoke-access')).toEqual([]);
    await page.getByRole('button', { name: /^Revoke access/ }).click();
    expect(await inspect(page, 'connected-apps-revoked')).toEqual([]);
  });
});
