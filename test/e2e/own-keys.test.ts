import { asOwner } from '../support/admin.ts';
import { Gateway } from '../support/gateway.ts';
import { password } from '../support/installation.ts';
import { letPeople } from '../support/own-keys.ts';
import { inspect, still } from './support/inspection.ts';
import { calendar, mail } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { countOf, problemBeside, question, signedIn } from './support/steps.ts';

const rights = [
  { resource: mail, pattern: 'mail:read:*' },
  { resource: mail, pattern: 'mail:delete:*' },
  { resource: calendar, pattern: 'calendar:read' },
  { pattern: 'reports:*' },
];

describe('a user’s own API keys', () => {
  const site = startSite();
  const { latchkey } = site;
  const at = (path = '') => `${latchkey.issuer}/account/keys${path}`;
  let gateway: Gateway;

  beforeAll(async () => {
    const owner = await asOwner(latchkey);
    await letPeople(owner, { role: 'writer', people: ['alice', 'carol'], rights });
    gateway = await Gateway.open(latchkey, owner);
  });

  const works = async (key: string) =>
    (await gateway.verify({ key, permission: 'mail:read:inbox', resource: mail, ip: '10.0.1.50' })).valid;

  test('are created, copied, used, restricted, rotated and revoked', async () => {
    const page = await signedIn(site, { permissions: ['clipboard-read', 'clipboard-write'] });
    const clipboard = async () => String(await page.evaluate('navigator.clipboard.readText()'));
    await page.getByRole('link', { name: 'API keys' }).click();
    expect(await question(page)).toBe('API keys');
    await page.getByRole('link', { name: 'Create API key' }).first().click();
    await page.getByLabel('Name', { exact: true }).fill('Mail to ticket');
    await page.getByRole('checkbox', { name: /^Read your messages/ }).check();
    await page.getByLabel('Custom patterns').fill('mail:send at https://mail.example');
    await page.getByText('Advanced').click();
    await page.getByLabel('Allowed networks').fill('10.0.1.50');
    await page.getByRole('button', { name: 'Create API key' }).click();
    expect(await problemBeside(page, 'Custom patterns')).toContain('"mail:send" at https://mail.example');
    expect(await page.getByRole('checkbox', { name: /^Read your messages/ }).isChecked()).toBe(true);
    await page.getByLabel('Custom patterns').fill('');
    await page.getByRole('button', { name: 'Create API key' }).click();

    expect(await question(page)).toBe('API key created');
    const key = await page.locator('.secret code').innerText();
    await page.locator('.secret').getByRole('button', { name: 'Copy' }).click();
    await page.locator('.secret').getByRole('button', { name: 'Copied' }).waitFor();
    expect(await clipboard()).toBe(key);
    expect(key).toMatch(/^sk_dev_[0-9A-Za-z]{49}$/);
    await page.locator('.snippet').first().getByRole('button', { name: 'Copy' }).click();
    await page.locator('.snippet').first().getByRole('button', { name: 'Copied' }).waitFor();
    expect(await clipboard()).toContain(`-H 'X-API-Key: ${key}'`);
    expect(await works(key)).toBe(true);
    expect(await gateway.verify({ key, permission: 'mail:read:inbox', resource: mail, ip: '192.0.2.1' })).toMatchObject(
      {
        code: 'ip_not_allowed',
      },
    );

    await page.getByRole('link', { name: 'Done' }).click();
    const details = page.url();
    // The browser has not kept the page with the key, and does not resubmit its form by itself.
    await expect(page.goBack()).rejects.toThrow('ERR_CACHE_MISS');
    await page.waitForURL(/^chrome-error:/);
    await page.goto(details);
    expect(await page.content()).not.toContain(key);
    await page.getByRole('link', { name: 'Rotate' }).click();
    await page.getByLabel('Overlap').selectOption('1 hour');
    await page.getByRole('button', { name: 'Rotate key' }).click();
    const next = await page.locator('.secret code').innerText();
    await page.locator('.secret').getByRole('button', { name: 'Copy' }).click();
    await page.locator('.secret').getByRole('button', { name: 'Copied' }).waitFor();
    expect(await clipboard()).toBe(next);
    expect(await page.locator('main').innerText()).toMatch(
      /accepted until .* UTC\.[\s\S]*until the key expires on .* UTC\./,
    );
    expect([await works(key), await works(next)]).toEqual([true, true]);
    await page.getByRole('link', { name: 'Done' }).click();
    expect(await countOf(page.getByRole('table', { name: 'Versions' }).getByText('Active'))).toBe(2);

    await page.getByRole('link', { name: 'Revoke' }).click();
    expect(await question(page)).toBe('Revoke Mail to ticket?');
    expect(await page.locator('.impact').innerText()).toContain('2 versions of this key');
    await page.getByRole('button', { name: 'Revoke 1 key' }).click();
    expect(await page.getByRole('status').innerText()).toBe('The key is revoked. It is refused from now on.');
    expect([await works(key), await works(next)]).toEqual([false, false]);
  });

  test('can be marked and copied by hand without JavaScript', async () => {
    const page = await signedIn(site, { javaScriptEnabled: false, login: 'carol' });
    await page.goto(at('/new'));
    await page.getByLabel('Name', { exact: true }).fill('By hand');
    await page.getByRole('checkbox', { name: /^Read your messages/ }).check();
    await page.getByRole('button', { name: 'Create API key' }).click();
    const secret = page.locator('.secret code');
    expect(await secret.innerText()).toMatch(/^sk_dev_/);
    expect(await page.locator('.secret button').isVisible()).toBe(false);
    await page.getByRole('link', { name: 'Done' }).click();
    expect(await question(page)).toMatch(/^By hand/);
  });

  test('look right in German', async () => {
    const page = await site.browser.open({ ...still, locale: 'de-DE' });
    await page.goto(at());
    await page.getByLabel('E-Mail-Adresse oder Benutzername').fill('alice');
    await page.getByLabel('Passwort').fill(password);
    await page.getByRole('button', { name: 'Anmelden', exact: true }).click();
    await page.waitForURL(at());
    await page.goto(at('/new'));
    await page.getByText('Erweitert').click();
    expect(await inspect(page, 'own-key-new-german')).toEqual([]);
    await page.getByLabel('Name', { exact: true }).fill('Wetterdienst');
    await page.getByRole('checkbox', { name: /^Read your messages/ }).check();
    await page.getByLabel('Eigene Laufzeit (Tage)').fill('5');
    await page.getByLabel('Erlaubte Netze').fill('10.0.1');
    await page.getByRole('button', { name: 'API-Schlüssel erstellen' }).click();
    expect(await inspect(page, 'own-key-refused-german')).toEqual([]);
    await page.getByLabel('Erlaubte Netze').fill('10.0.1.0/24');
    await page.getByRole('button', { name: 'API-Schlüssel erstellen' }).click();
    expect(await inspect(page, 'own-key-made-german')).toEqual([]);
    await page.getByRole('link', { name: 'Fertig' }).click();
    expect(await inspect(page, 'own-key-german')).toEqual([]);
    const key = page.url();
    for (const act of ['rotate', 'change', 'revoke']) {
      await page.goto(`${key}/${act}`);
      expect(await inspect(page, `own-key-${act}-german`)).toEqual([]);
    }
    await page.goto(at());
    expect(await inspect(page, 'own-keys-german')).toEqual([]);
    await page.setViewportSize({ width: 840, height: 800 });
    const right = async (part: string) => {
      const box = await page.locator(part).boundingBox();
      return box ? box.x + box.width : Number.NaN;
    };
    expect(await right('table.list')).toBeLessThanOrEqual(await right('main'));
  });

  test('look right', async () => {
    const page = await signedIn(site, { ...still, login: 'carol' });
    await page.goto(at('?q=nothing'));
    expect(await inspect(page, 'own-keys-none-found')).toEqual([]);
    await page.goto(at('/new'));
    expect(await inspect(page, 'own-key-new')).toEqual([]);
    await page
      .getByLabel('Name', { exact: true })
      .fill('Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz');
    await page.getByText('Advanced').click();
    await page.getByLabel('Description').fill('What the print shop’s machine sends at night');
    for (const box of await page.getByRole('checkbox').all()) await box.check();
    await page.getByLabel('Allowed networks').fill('10.0.1');
    await page.getByLabel('Rate limits').fill('often');
    await page.getByLabel('Allowed from').fill('08:00');
    await page.getByLabel('Allowed until').fill('18:30');
    await page.getByLabel('Custom patterns').fill('mail:send');
    await page.getByRole('button', { name: 'Create API key' }).click();
    expect(await inspect(page, 'own-key-refused')).toEqual([]);
    await page.getByLabel('Allowed networks').fill('10.0.1.50\n2001:db8::/32');
    await page.getByLabel('Rate limits').fill('1000 requests/minute');
    await page.getByLabel('Custom patterns').fill('');
    await page.getByRole('button', { name: 'Create API key' }).click();
    expect(await inspect(page, 'own-key-made')).toEqual([]);
    await page.getByRole('link', { name: 'Done' }).click();
    expect(await inspect(page, 'own-key')).toEqual([]);
    const key = page.url();
    for (const act of ['rotate', 'change', 'disable', 'revoke']) {
      await page.goto(`${key}/${act}`);
      expect(await inspect(page, `own-key-${act}`)).toEqual([]);
    }
    await page.goto(at());
    expect(await inspect(page, 'own-keys')).toEqual([]);
    await page.goto(`${latchkey.issuer}/account`);
    expect(await inspect(page, 'account-with-keys')).toEqual([]);
    await latchkey.advance(11 * 60);
    await page.goto(`${key}/rotate`);
    await page.getByLabel('Your password').fill('wrong');
    await page.getByRole('button', { name: 'Rotate key' }).click();
    expect(await inspect(page, 'own-key-password-again')).toEqual([]);
  });

  test('look right for a user who may have none', async () => {
    const page = await signedIn(site, { ...still, login: 'bob' });
    await page.goto(at());
    expect(await inspect(page, 'own-keys-nothing-held')).toEqual([]);
    await page.goto(at('/new'));
    expect(await inspect(page, 'own-key-nothing-held')).toEqual([]);
  });
});
