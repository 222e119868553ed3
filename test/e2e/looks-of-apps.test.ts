import { DocumentHost } from '../support/document-host.ts';
import { password } from '../support/installation.ts';
import { inspect, still } from './support/inspection.ts';
import { calendar, everything, mail } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { connect, guessTenTimes, signedIn, signIn } from './support/steps.ts';

describe('nothing is wrong with the look of a page', () => {
  const site = startSite();
  const { app, browser, latchkey } = site;
  const https = 'https://inbox-assistant.example/callback';

  test('for signing in to a client', async () => {
    const page = await browser.open(still);
    await page.goto(await app.signInUrl(everything));
    expect(await inspect(page, 'sign-in')).toEqual([]);
    await signIn(page, 'alice', 'wrong');
    expect(await inspect(page, 'sign-in-wrong')).toEqual([]);
    await guessTenTimes(site, 'somebody');
    await signIn(page, 'somebody', 'wrong');
    expect(await inspect(page, 'sign-in-throttled')).toEqual([]);
  });

  test('for a first consent', async () => {
    const page = await signedIn(site, still);
    await page.goto(await app.signInUrl({ ...everything, redirect_uri: https }));
    expect(await inspect(page, 'consent')).toEqual([]);
    await page.getByRole('button', { name: 'Not you?' }).click();
    expect(await inspect(page, 'switch-account')).toEqual([]);
    await page.goto(await app.signInUrl({ client_id: 'atlas-reports', scope: 'openid profile' }));
    expect(await inspect(page, 'consent-profile-on-this-computer')).toEqual([]);
  });

  test('for a further consent', async () => {
    const page = await signedIn(site, { ...still, login: 'bob' });
    await connect(page, site, { scope: 'openid profile email mail:read:*', resource: mail });
    await page.goto(await app.signInUrl({ ...everything, redirect_uri: https }));
    expect(await inspect(page, 'consent-new')).toEqual([]);
    await page.goto(await app.signInUrl({ scope: 'openid mail:read:*', resource: mail, prompt: 'consent' }));
    expect(await inspect(page, 'consent-again')).toEqual([]);
  });

  test('for a client described only by its metadata document', async () => {
    const host = new DocumentHost();
    await host.start();
    const returns = {
      'consent-of-document': https,
      'consent-of-document-on-this-computer': 'http://127.0.0.1/callback',
    };
    const page = await signedIn(site, { ...still, login: 'erin' });
    for (const [name, redirect_uri] of Object.entries(returns)) {
      const client_id = host.document(`/${name}.json`, { client_name: 'Code Helper', redirect_uris: [redirect_uri] });
      await page.goto(latchkey.authorizeUrl({ client_id, redirect_uri, scope: 'calendar:read', resource: calendar }));
      expect(await inspect(page, name)).toEqual([]);
    }
    expect(await page.locator('main').innerText()).toMatch(/at localhost:\d+\. No administrator has reviewed it/);
    await host.stop();
  });

  test('in German', async () => {
    const page = await browser.open({ ...still, locale: 'de-DE' });
    await page.goto(await app.signInUrl(everything));
    expect(await inspect(page, 'sign-in-german')).toEqual([]);
    await page.getByLabel('E-Mail-Adresse oder Benutzername').fill('dave');
    await page.getByLabel('Passwort').fill(password);
    await page.getByRole('button', { name: 'Anmelden', exact: true }).click();
    expect(await inspect(page, 'consent-german')).toEqual([]);
    await page.getByRole('button', { name: 'Erlauben', exact: true }).click();
    for (const [name, path] of [
      ['account-german', '/account'],
      ['connected-apps-german', '/account/apps'],
      ['sessions-german', '/account/sessions'],
      ['activity-german', '/account/activity'],
      ['own-data-german', '/account/data'],
      ['mail-language-german', '/account/language'],
      ['change-password-german', '/account/password'],
      ['device-german', '/device'],
    ] as const) {
      await page.goto(`${latchkey.issuer}${path}`);
      expect(await inspect(page, name)).toEqual([]);
    }
  });

  test('for a client with a very long name', async () => {
    const page = await signedIn(site, { ...still, login: 'carol' });
    await page.goto(await app.signInUrl({ client_id: 'long-name', scope: 'openid calendar:read', resource: calendar }));
    expect(await inspect(page, 'consent-long-name')).toEqual([]);
  });
});
