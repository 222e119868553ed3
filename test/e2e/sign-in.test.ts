import { UpstreamProvider, upstreamClient } from '../support/upstream-provider.ts';
import { inspect, still } from './support/inspection.ts';
import { everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { guessTenTimes, question, signIn } from './support/steps.ts';

describe('signing in', () => {
  const site = startSite();
  const { latchkey, app, browser } = site;

  test('shows the same error for an unknown user and a wrong password', async () => {
    const page = await browser.open();
    await page.goto(await app.signInUrl(everything));
    const sentences: string[] = [];
    for (const login of ['bob', 'bob@example.com', 'nobody']) {
      await signIn(page, login, 'not the password');
      sentences.push(await page.getByRole('alert').innerText());
      expect(await page.getByLabel('E-mail or username').inputValue()).toBe(login);
    }
    expect(new Set(sentences)).toEqual(
      new Set(['The e-mail address or username and the password don’t match. Try again.']),
    );
  });

  test('shows the wait time after ten wrong passwords, and still accepts the user in a known browser', async () => {
    const own = await browser.open();
    await own.goto(`${latchkey.issuer}/sign-in`);
    await signIn(own, 'bob');
    await own.context().clearCookies({ name: /session/ });

    await guessTenTimes(site, 'bob');
    const guessing = await browser.open();
    await guessing.goto(`${latchkey.issuer}/sign-in`);
    await signIn(guessing, 'bob');
    expect(await guessing.getByRole('alert').innerText()).toMatch(
      /^Too many attempts\. Wait 1\d minutes and try again/,
    );
    expect(await guessing.getByLabel('Password').getAttribute('aria-invalid')).toBeNull();

    await own.goto(`${latchkey.issuer}/account`);
    await signIn(own, 'bob');
    expect(await question(own)).toBe('Bob Example');
  });

  test('that is cancelled redirects to the client with an error', async () => {
    const page = await browser.open();
    await page.goto(await app.signInUrl(everything));
    await page.getByRole('button', { name: 'Cancel and return to Inbox Assistant' }).click();
    expect(await question(page)).toBe('access_denied');
    expect(page.url().startsWith(app.redirectUri)).toBe(true);
  });

  test('continues to the requested page of the account, and never to one of another user', async () => {
    const page = await browser.open();
    await page.goto(`${latchkey.issuer}/account/apps`);
    await signIn(page);
    expect(page.url()).toBe(`${latchkey.issuer}/account/apps`);

    for (const elsewhere of ['https://evil.example', '//evil.example', '/account\\@evil.example']) {
      const other = await browser.open();
      await other.goto(`${latchkey.issuer}/sign-in?return_to=${encodeURIComponent(elsewhere)}`);
      await signIn(other);
      expect(other.url()).toBe(`${latchkey.issuer}/account`);
    }
  });

  test('tells password managers the purpose of each field', async () => {
    const page = await browser.open();
    await page.goto(`${latchkey.issuer}/sign-in`);
    expect(await page.getByLabel('E-mail or username').getAttribute('autocomplete')).toBe('username webauthn');
    expect(await page.getByLabel('Password').getAttribute('autocomplete')).toBe('current-password');
  });

  test('with an identity provider creates an account, and returns to the app', async () => {
    const provider = await UpstreamProvider.serving();
    try {
      provider.account = { sub: '1', email: 'zoe@acme.example', email_verified: true, name: 'Zoe Example' };
      const options = ['--issuer', provider.issuer, '--client-id', upstreamClient.client_id, '--label', 'Acme ID'];
      const policy = ['--email-domain', 'acme.example', '--creation', 'domains'];
      const made = await latchkey.command(
        ['trust', 'create', 'acme', '--kind', 'login', ...options, ...policy],
        upstreamClient.client_secret,
      );
      expect([made.stderr, made.code]).toEqual(['', 0]);
      expect(made.stdout).toContain(`${latchkey.issuer}/sign-in/callback/`);
      const shown = await browser.open(still);
      await shown.goto(await app.signInUrl(everything));
      expect(await inspect(shown, 'sign-in-with-providers')).toEqual([]);

      const page = await browser.open();
      await page.goto(await app.signInUrl(everything));
      await page.getByRole('link', { name: 'Continue with Acme ID' }).click();
      await page.getByRole('button', { name: 'Allow', exact: true }).click();
      expect(await question(page)).toBe('signed in');

      const own = await browser.open(still);
      await own.goto(`${latchkey.issuer}/sign-in`);
      provider.lies = { answer: { code: undefined, error: 'access_denied' } };
      await own.getByRole('link', { name: 'Continue with Acme ID' }).click();
      expect(await inspect(own, 'sign-in-with-provider-refused')).toEqual([]);
      provider.lies = {};
      await own.getByRole('link', { name: 'Continue with Acme ID' }).click();
      await own.goto(`${latchkey.issuer}/account/security`);
      expect(await inspect(own, 'sign-in-methods-with-provider')).toEqual([]);
      await own.getByRole('link', { name: 'Disconnect' }).click();
      expect(await inspect(own, 'confirm-with-provider')).toEqual([]);
    } finally {
      provider.close();
    }
  });
});
