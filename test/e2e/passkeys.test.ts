import type { CDPSession, Page } from 'playwright-core';
import { password } from '../support/installation.ts';
import { proofOf, type Said } from '../support/passkey-proofs.ts';
import { startSite } from './support/site.ts';
import { countOf, question, signedIn } from './support/steps.ts';

type Authenticator = { session: CDPSession; authenticatorId: string };

describe('a passkey', () => {
  const site = startSite();
  const { latchkey } = site;

  /** An authenticator of the page's device. */
  const authenticatorFor = async (
    page: Page,
    options: { transport?: 'internal' | 'usb' } = {},
  ): Promise<Authenticator> => {
    const session = await page.context().newCDPSession(page);
    await session.send('WebAuthn.enable');
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true, ...options },
      },
    });
    return { session, authenticatorId };
  };
  const credentials = async ({ session, authenticatorId }: Authenticator) =>
    (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  const addPasskey = async (page: Page, name: string) => {
    await page.goto(`${latchkey.issuer}/account/security/passkeys/new`);
    await page.getByLabel('Name of the passkey').fill(name);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.waitForURL(/done=passkey-added/);
  };
  const passkeyOn = async (page: Page, name: string, options: { transport?: 'internal' | 'usb' } = {}) => {
    const device = await authenticatorFor(page, options);
    await addPasskey(page, name);
    return device;
  };
  /** Signs out, with a browser that offers passkeys only by the button. */
  const signedOut = async (page: Page) => {
    await page.addInitScript('PublicKeyCredential.isConditionalMediationAvailable = async () => false');
    await page.context().clearCookies();
    await page.goto(`${latchkey.issuer}/sign-in`);
  };
  const removeAll = () => latchkey.database.query('delete from factors');
  afterEach(removeAll);

  test('is added, signs in without a password or a name, and makes the sign-in phishing-resistant', async () => {
    const page = await signedIn(site);
    const device = await authenticatorFor(page);
    await addPasskey(page, 'Laptop');
    expect(await countOf(page.getByRole('row', { name: /Laptop/ }))).toBe(1);
    expect((await credentials(device)).map(({ rpId }) => rpId)).toEqual(['localhost']);

    // The browser offers it in the field for the username (conditional UI); this device chooses at once.
    await page.context().clearCookies();
    await page.goto(`${latchkey.issuer}/sign-in`);
    await page.waitForURL(/\/account$/);
    expect(await question(page)).toBe('Alice Example');
    await signedOut(page);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.waitForURL(/\/account$/);
    const [session] = (await latchkey.database.query('select acr, amr from sessions order by created_at desc limit 1'))
      .rows;
    expect(session).toEqual({ acr: 'phr', amr: ['hwk', 'user', 'mfa'] });
  });

  test('is the second step after the password, and a removed one is refused', async () => {
    const page = await signedIn(site);
    await authenticatorFor(page);
    await addPasskey(page, 'Laptop');
    const enterPassword = async () => {
      await signedOut(page);
      await page.getByLabel('E-mail or username').fill('alice');
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    };
    await enterPassword();
    expect(await question(page)).toBe('Confirm that it’s you');
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.waitForURL(/\/account$/);

    await signedOut(page);
    await removeAll();
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    expect(await page.getByRole('alert').first().innerText()).toContain('This passkey was not accepted');
  });

  test('is refused without user verification, and if its counter decreases (WebAuthn L3 §6.1.1)', async () => {
    const page = await signedIn(site);
    const device = await authenticatorFor(page);
    await addPasskey(page, 'Laptop');
    const [credential] = await credentials(device);
    await signedOut(page);
    await latchkey.database.query('update factors set sign_count = 1000');
    await page.goto(`${latchkey.issuer}/sign-in`);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    expect(await page.getByRole('alert').first().innerText()).toContain('This passkey was not accepted');
    const refused = (await latchkey.auditEvents('session.refused')).map(({ reason }) => reason);
    expect(refused).toContain('wrong passkey counter');

    await latchkey.database.query('update factors set sign_count = 0');
    await device.session.send('WebAuthn.setUserVerified', {
      authenticatorId: device.authenticatorId,
      isUserVerified: false,
    });
    await page.goto(`${latchkey.issuer}/sign-in`);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    expect(await page.getByRole('alert').first().innerText()).toContain('The passkey was not used');
    expect(credential?.isResidentCredential).toBe(true);
  });

  test('confirms a sensitive action, at 375 px and with the keyboard alone', async () => {
    const page = await signedIn(site);
    await page.setViewportSize({ width: 375, height: 740 });
    await authenticatorFor(page);
    await addPasskey(page, 'Phone');
    await latchkey.advance(11 * 60);
    await page.goto(`${latchkey.issuer}/account/security/recovery-codes/new`);
    const button = page.getByRole('button', { name: 'Confirm with a passkey' });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(375);
  });

  test('answers one challenge once, in the browser and for the purpose that it was issued for (WebAuthn L3 §13.4.3)', async () => {
    const page = await signedIn(site);
    await authenticatorFor(page);
    await addPasskey(page, 'Laptop');
    await signedOut(page);
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    const body = new URLSearchParams((await sent).postData() ?? '');
    await page.waitForURL(/\/account$/);
    const answer = body.get('passkey') ?? '';
    const agent = latchkey.browser();
    const other = await agent.submit(await agent.get('/sign-in'), { passkey: answer }, '/sign-in');
    expect(other.status).toBe(422);
    const replayed = await page.request.post(`${latchkey.issuer}/sign-in`, {
      form: Object.fromEntries(body),
      headers: { origin: latchkey.issuer },
    });
    expect(replayed.status()).toBe(422);
  });

  test('is refused with another origin, relying party or type, or unverified; two open pages do no harm (WebAuthn L3 §7.2)', async () => {
    const page = await signedIn(site);
    const [passkey] = await credentials(await passkeyOn(page, 'Laptop'));
    const [{ issuer }, agent] = [latchkey, latchkey.browser()];
    const right: Said = { origin: issuer, rpId: 'localhost', count: 100 };
    /** In a browser that opened the page twice, the first page is sent; or the proof for it is, in another browser. */
    const signInWith = async (said: Partial<Said>, sender = agent) => {
      const first = await agent.get('/sign-in');
      const second = await sender.get('/sign-in');
      const [, options = ''] = /data-passkey="([^"]*)"/.exec(first.html) ?? [];
      const { challenge } = JSON.parse(options.replaceAll('&quot;', '"'));
      const proof = passkey && proofOf(passkey, challenge, { ...right, ...said });
      return (await sender.submit(sender === agent ? first : second, { passkey: proof ?? '' }, '/sign-in')).status;
    };
    const lies: Partial<Said>[] = [
      { origin: 'https://evil.example' },
      { origin: issuer.replace('localhost', 'localhost.evil.example') },
      { origin: issuer.replace('http:', 'https:') },
      { origin: 'http://localhost:1' },
      { rpId: 'evil.example' },
      { type: 'webauthn.create' },
      { isVerified: false },
    ];
    for (const lie of lies) expect({ lie, status: await signInWith(lie) }).toEqual({ lie, status: 422 });
    expect(await signInWith({}, latchkey.browser())).toBe(422);
    expect(await signInWith({})).toBe(200);
  });

  test('can be one of several, which are removed one by one', async () => {
    const page = await signedIn(site);
    const laptop = await passkeyOn(page, 'Laptop');
    await laptop.session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: laptop.authenticatorId });
    await passkeyOn(page, 'Key', { transport: 'usb' });
    const rows = async () => countOf(page.getByRole('row', { name: /Laptop|Key/ }));
    expect(await rows()).toBe(2);
    const removal = page.getByRole('row', { name: /Laptop/ }).locator('a[href$="/remove"]');
    await page.goto(new URL((await removal.getAttribute('href')) ?? '', latchkey.issuer).href);
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.waitForURL(/done=/);
    expect(await rows()).toBe(1);
    await signedOut(page);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.waitForURL(/\/account$/);
  });
});
