import { createHash } from 'node:crypto';
import { generateSync } from 'otplib';
import { inspect, still } from './support/inspection.ts';
import { everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { createAdministrator, setupLink, textsOf } from './support/steps.ts';

describe('nothing is wrong with the look of a page', () => {
  // No e-mail is sent here: the links are stored where the test opens them.
  const mail = { LATCHKEY_SMTP_URL: 'smtp://127.0.0.1:1', LATCHKEY_MAIL_FROM: 'id@example.com' };
  const site = startSite({ env: { ...mail, LATCHKEY_SIGN_UP: 'example.com' } });
  const { latchkey, app, browser } = site;

  test('for creating the first administrator', async () => {
    const page = await browser.open(still);
    await page.goto(latchkey.issuer);
    expect(await inspect(page, 'home-to-be-set-up')).toEqual([]);
    await page.goto(setupLink(site));
    expect(await inspect(page, 'setup')).toEqual([]);
    const german = await browser.open({ ...still, locale: 'de-DE' });
    await german.goto(setupLink(site));
    await german.getByLabel('E-Mail').fill('ada@example.com');
    await german.getByLabel('Ihr Name').fill('Ada');
    await german.getByLabel('Passwort', { exact: true }).fill('kurz');
    await german.getByLabel('Passwort wiederholen').fill('lang');
    await german.getByLabel('Benutzername').fill('ad min');
    await german.getByRole('button', { name: 'Administratorkonto anlegen' }).click();
    expect(await textsOf(german.locator('.problem'))).toEqual([
      'Geben Sie einen Benutzernamen aus Buchstaben, Ziffern und den Zeichen „.“, „_“ und „-“ ein.',
      'Die beiden Passwörter sind nicht gleich.',
    ]);
    expect(await inspect(german, 'setup-german')).toEqual([]);
    await createAdministrator(page, { username: 'ad min', again: 'another sentence' });
    expect(await inspect(page, 'setup-refused')).toEqual([]);
    // A policy from a configuration file locks no one out: this link also allows adding a second factor.
    await latchkey.command(['sign-in-policy', 'set', '--administrators', 'two-factor']);
    await createAdministrator(page, {});
    await page.waitForURL('**/second-factor/**');
    expect(await inspect(page, 'enrolment')).toEqual([]);
    const link = page.url();
    await german.goto(link);
    expect(await inspect(german, 'enrolment-german')).toEqual([]);
    await german.goto(`${latchkey.issuer}/sign-in`);
    await german.getByLabel('Benutzername').fill('ada');
    await german.getByLabel('Passwort', { exact: true }).fill('a long sentence');
    await german.getByRole('button', { name: 'Anmelden', exact: true }).click();
    expect(await german.locator('h1').innerText()).toBe('Ein zweiter Faktor ist erforderlich');
    expect(await inspect(german, 'enrolment-required-german')).toEqual([]);
    await page.goto(link);
    const secret = (await page.locator('code').innerText()).replaceAll(' ', '');
    await page.getByLabel('Your password').fill('a long sentence');
    await page.getByLabel('Code').fill(generateSync({ secret }));
    await page.getByRole('button', { name: 'Set up' }).click();
    await page.waitForURL('**/account/security**');
    await page.goto(`${latchkey.issuer}/console/settings/sign-in-policy`);
    expect(await inspect(page, 'console-sign-in-policy')).toEqual([]);
    await latchkey.command(['sign-in-policy', 'set', '--administrators', 'any']);
    await latchkey.command(['user', 'reset-factors', 'ada', '--yes']);
    await page.goto(setupLink(site));
    expect(await inspect(page, 'setup-link-used')).toEqual([]);
  });

  test('for the start', async () => {
    const page = await browser.open(still);
    await page.goto(`${latchkey.issuer}/sign-in`);
    expect(await inspect(page, 'sign-in-to-account')).toEqual([]);
  });

  test('for creating an account', async () => {
    const page = await browser.open(still);
    await page.goto(`${latchkey.issuer}/sign-in`);
    await page.getByRole('link', { name: 'Create an account' }).click();
    await page.getByLabel('E-mail address').fill('ada@example.net');
    await page.getByRole('button', { name: 'Send link' }).click();
    expect(await page.getByRole('alert').innerText()).toContain('addresses of this domain');
    expect(await inspect(page, 'sign-up-refused')).toEqual([]);
    await page.getByLabel('E-mail address').fill('ada.lovelace@example.com');
    await page.getByRole('button', { name: 'Send link' }).click();
    expect(await inspect(page, 'sign-up-sent')).toEqual([]);
    const secret = 'lk_su_of_a_test';
    await latchkey.database.query(
      `insert into sign_ups values ($1, 'ada.lovelace@example.com', now(), now() + interval '1 hour')`,
      [createHash('sha256').update(secret).digest()],
    );
    await page.goto(`${latchkey.issuer}/sign-up/${secret}`);
    expect(await inspect(page, 'new-account')).toEqual([]);
    await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
    await page.getByLabel('Password', { exact: true }).fill('seven wild horses');
    await page.getByLabel('Repeat').fill('eight wild horses');
    await page.getByRole('button', { name: 'Create account' }).click();
    expect(await inspect(page, 'new-account-refused')).toEqual([]);
    await page.getByLabel('Password', { exact: true }).fill('seven wild horses');
    await page.getByLabel('Repeat').fill('seven wild horses');
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.waitForURL(/\/account$/);
  });

  test('that describes the admin API', async () => {
    const page = await browser.open(still);
    await page.goto(`${latchkey.issuer}/admin/docs`);
    expect(await inspect(page, 'api-reference')).toEqual([]);
    await page.getByRole('searchbox').fill('rotate secret');
    await page.getByRole('searchbox').press('Enter');
    expect(await textsOf(page.locator('.operation code + code'))).toContain(
      '/admin/v1/clients/{client_id}/secrets/rotate',
    );
    expect(await inspect(page, 'api-reference-found')).toEqual([]);
    await page.getByRole('link', { name: /clients\/\{client_id\}\/secrets\/rotate/ }).click();
    expect(await inspect(page, 'api-reference-group')).toEqual([]);
  });

  test('of the docs, with the address of this server in its examples', async () => {
    const page = await browser.open(still);
    await page.goto(latchkey.issuer);
    await page.getByText('For developers').click();
    await page.getByRole('link', { name: '/docs', exact: true }).click();
    expect(await inspect(page, 'docs')).toEqual([]);
    await page.getByRole('link', { name: 'Protect an API' }).click();
    expect(await page.locator('pre').first().innerText()).not.toContain('http://localhost:3000');
    expect(await page.locator('.text').innerText()).toContain(latchkey.issuer);
    expect(await inspect(page, 'docs-guide')).toEqual([]);
    await page.getByRole('searchbox').fill('REVOKE everything');
    await page.getByRole('button', { name: 'Search' }).click();
    expect(await inspect(page, 'docs-found')).toEqual([]);
    const [heading] = await textsOf(page.locator('.found a'));
    await page.locator('.found a').first().click();
    expect(await page.locator(':target').innerText()).toBe(heading);
    await page.goto(`${latchkey.issuer}/docs/search?q=unicorn+%3Cb%3E`);
    expect(await page.getByRole('main').innerText()).toContain('No results');
    expect(await inspect(page, 'docs-found-none')).toEqual([]);
    await page.goto(`${latchkey.issuer}/docs/readme`);
    expect(await page.locator('img').evaluate((image) => Reflect.get(image, 'naturalWidth'))).toBeGreaterThan(0);
    await page.goto(`${latchkey.issuer}/docs/settings`);
    expect(await inspect(page, 'docs-settings')).toEqual([]);
  });

  test('with an error', async () => {
    const page = await browser.open(still);
    await page.goto(await app.signInUrl({ ...everything, redirect_uri: 'https://evil.example/' }));
    await page.getByText('For developers').click();
    expect(await inspect(page, 'broken-request')).toEqual([]);
    await page.goto(`${latchkey.issuer}/interaction/unknown`);
    expect(await inspect(page, 'expired')).toEqual([]);
    await page.goto(`${latchkey.issuer}/nowhere`);
    expect(await inspect(page, 'not-found')).toEqual([]);
  });
});
