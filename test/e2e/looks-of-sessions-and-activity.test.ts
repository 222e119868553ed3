import { inspect, still } from './support/inspection.ts';
import { calendar, everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { allow, connect, guessTenTimes, signedIn, signIn } from './support/steps.ts';

const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';

describe('nothing is wrong with the look of a page', () => {
  const site = startSite();
  const { latchkey, app, browser } = site;

  test('for listing sessions and signing them out', async () => {
    const page = await signedIn(site, still);
    await page.goto(`${latchkey.issuer}/account/sessions`);
    expect(await inspect(page, 'sessions-one')).toEqual([]);
    const other = await signedIn(site, { userAgent: phone });
    for (const client_id of ['zebra-drive', 'long-name', 'meeting-notes'])
      await connect(other, site, { client_id, scope: 'openid', resource: calendar });
    await other.goto(
      await app.signInUrl({ ...everything, scope: `${everything.scope} offline_access`, prompt: 'consent' }),
    );
    await allow(other);
    await app.redeem(other.url());
    await signedIn(site, { userAgent: 'W'.repeat(200) });
    await latchkey.advance(3 * 3600);
    await page.goto(`${latchkey.issuer}/account/sessions`);
    expect(await inspect(page, 'sessions')).toEqual([]);
    await page.getByRole('link', { name: /^Sign out of Safari on iPhone/ }).click();
    expect(await inspect(page, 'sign-out-session')).toEqual([]);
    await page.getByRole('link', { name: 'Cancel' }).click();
    await page.getByRole('link', { name: 'Sign out 2 other sessions' }).click();
    expect(await inspect(page, 'sign-out-others')).toEqual([]);
    await page.getByRole('button', { name: 'Sign out 2 other sessions' }).click();
    expect(await inspect(page, 'sessions-signed-out')).toEqual([]);
    await page.goto(`${latchkey.issuer}/account/sessions/sign-out-others`);
    expect(await inspect(page, 'sign-out-others-none')).toEqual([]);
  });

  test('for reading the activity and downloading personal data', async () => {
    const page = await signedIn(site, { ...still, login: 'bob' });
    await connect(page, site, { client_id: 'long-name', scope: 'openid', resource: calendar });
    const another = latchkey.browser(phone);
    const asked = { client_id: 'zebra-drive', redirect_uri: app.redirectUri, scope: 'openid', resource: null };
    for (let round = 0; round < 20; round += 1) await latchkey.code({ ...asked, prompt: 'consent' }, another, 'bob');
    await guessTenTimes(site, 'bob');
    const throttled = await browser.open({ userAgent: phone });
    await throttled.goto(`${latchkey.issuer}/sign-in`);
    await signIn(throttled, 'bob');
    await throttled.getByText('Too many attempts').waitFor();
    await page.goto(`${latchkey.issuer}/account/activity`);
    expect(await inspect(page, 'activity')).toEqual([]);
    await page.getByRole('link', { name: 'Older' }).click();
    expect(await inspect(page, 'activity-older')).toEqual([]);
    await page.goto(`${latchkey.issuer}/account/activity?before=00000000-0000-7000-8000-000000000000`);
    expect(await inspect(page, 'activity-none')).toEqual([]);
    await page.getByRole('link', { name: 'Your data' }).click();
    expect(await inspect(page, 'own-data')).toEqual([]);
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download your data' }).press('Enter');
    expect((await downloading).suggestedFilename()).toMatch(/^account-data-[\d-]+\.json$/);
  });
});
