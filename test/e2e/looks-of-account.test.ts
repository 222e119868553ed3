import { password } from '../support/installation.ts';
import { inspect, still } from './support/inspection.ts';
import { everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { changePassword, connect, signedIn } from './support/steps.ts';

describe('nothing is wrong with the look of a page', () => {
  const site = startSite();
  const { latchkey, app } = site;

  test('with all that an account holds', async () => {
    const page = await signedIn(site, still);
    expect(await inspect(page, 'account')).toEqual([]);
    await page.goto(latchkey.issuer);
    expect(await inspect(page, 'home-signed-in')).toEqual([]);
    await page.goto(`${latchkey.issuer}/account/apps`);
    expect(await inspect(page, 'connected-apps-none')).toEqual([]);
  });

  test('for changing the password', async () => {
    await signedIn(site, { login: 'carol' });
    const page = await signedIn(site, { ...still, login: 'carol' });
    await page.goto(`${latchkey.issuer}/account/password`);
    expect(await inspect(page, 'change-password')).toEqual([]);
    await changePassword(page, { current: password, next: 'short' });
    expect(await inspect(page, 'change-password-refused')).toEqual([]);
    await changePassword(page, { current: password, next: 'seven wild horses' });
    expect(await inspect(page, 'password-changed')).toEqual([]);
  });

  test('for signing out', async () => {
    const page = await signedIn(site, { ...still, login: 'dave' });
    await connect(page, site, everything);
    await page.goto(app.signOutUrl(await app.redeem(page.url())));
    expect(await inspect(page, 'sign-out')).toEqual([]);
    await page.goto(`${latchkey.issuer}/oauth/logout`);
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await inspect(page, 'still-signed-in')).toEqual([]);
    await page.goto(`${latchkey.issuer}/oauth/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(await inspect(page, 'signed-out')).toEqual([]);
  });
});
