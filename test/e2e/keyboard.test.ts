import type { Page } from 'playwright-core';
import { password } from '../support/installation.ts';
import { everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { connect, question, signedIn, signIn } from './support/steps.ts';

type Stop = { name: string; order: number; top: number; isOnScreen: boolean; isMarked: boolean };

/** The elements that the Tab key reaches, from the top of the page to its end. */
async function stops(page: Page): Promise<Stop[]> {
  // A field that has the focus when the page opens is not the start.
  await hasFocus(page);
  await walk(page, 'Shift+Tab');
  return walk(page, 'Tab');
}

/** The elements that a key reaches when it is pressed until the focus leaves the page. */
async function walk(page: Page, key: string): Promise<Stop[]> {
  const found: Stop[] = [];
  while (found.length < 100) {
    const stop = await stopAfter(page, key);
    if (!stop) return found;
    found.push(stop);
  }
  throw new Error(`${key} does not lead out of ${page.url()}`);
}

/** Resolves once the first field has the focus: this happens with the first frame, after the page has loaded. */
async function hasFocus(page: Page): Promise<void> {
  await page.waitForFunction('[null, document.activeElement].includes(document.querySelector("[autofocus]"))');
}

/** The element that a key reaches; null past either end of the page. */
async function stopAfter(page: Page, key: string): Promise<Stop | null> {
  await page.keyboard.press(key);
  return page.evaluate<Stop | null>('probe.focusStop()');
}

describe('with the keyboard alone', () => {
  const site = startSite();
  const { latchkey, app, browser } = site;
  const sections = [
    'Overview',
    'Sessions',
    'Connected apps',
    'API keys',
    'Activity',
    'Your data',
    'Language',
    'Sign-in methods',
    'Password',
    'E-mail address',
    'Delete account',
  ];
  const account = ['Skip to content', 'Acme', 'alice@example.com', 'Sign out'];

  test('a user signs in and allows a client', async () => {
    const page = await browser.open();
    await page.goto(await app.signInUrl(everything));
    await hasFocus(page);
    await page.keyboard.type('bob');
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as').waitFor();
    const pressUntil = async (key: string, name: string) => {
      for (let presses = 0; presses < 20; presses += 1) {
        if ((await stopAfter(page, key))?.name === name) return;
      }
      throw new Error(`${key} does not lead to ${name}`);
    };
    await pressUntil('Tab', 'Send messages as you');
    await page.keyboard.press('Space');
    await pressUntil('Tab', 'Allow');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${app.redirectUri}?**`);
    expect((await app.redeem(page.url())).scope).toBe('openid profile email mail:read:*');
  });

  test('the Enter key in the list of scopes does not allow', async () => {
    const page = await signedIn(site, { login: 'carol' });
    await page.goto(await app.signInUrl(everything));
    await page.getByRole('checkbox', { name: /^Send messages/ }).press('Enter');
    await page.waitForURL(`${app.redirectUri}?**`);
    expect(await question(page)).toBe('access_denied');
  });

  test.each([
    [
      'signing in',
      async (page: Page) => page.goto(await app.signInUrl({ ...everything, prompt: 'login' })),
      [
        'E-mail or username',
        'Password',
        'Show password',
        'Sign in',
        'Sign in with a passkey',
        'Cancel and return to Inbox Assistant',
        'Forgot your password?',
        'About this page',
      ],
    ],
    [
      'allowing an app something',
      async (page: Page) => page.goto(await app.signInUrl(everything)),
      [
        'Not you?',
        'Send messages as you',
        'Delete messages Risky',
        'Connected apps',
        'Don’t allow',
        'Allow',
        'About this page',
      ],
    ],
    [
      'changing the password',
      async (page: Page) => page.goto(`${latchkey.issuer}/account/password`),
      [
        'Current password',
        'Show password',
        'New password',
        'Show password',
        'Repeat new password',
        'Show password',
        'Cancel',
        'Change password',
      ],
    ],
    [
      'one’s account',
      async (page: Page) => page.goto(`${latchkey.issuer}/account`),
      [
        ...account,
        'Sessions See where you are signed in, and sign out devices you don’t recognize',
        'Connected apps See which apps have access to your account, and revoke it',
        'API keys Create and revoke the keys your programs use to call APIs',
        'Activity See what happened on your account, when and from where',
        'Your data Download a copy of the data stored about you',
        'Language Choose the language of the e-mail you get',
        'Sign-in methods Your password, passkeys, authenticator app and recovery codes',
        'Password Change your password and sign out everywhere else',
        'E-mail address Change your e-mail address',
        'Delete account Delete your account and your personal details',
        'Documentation Guides for developers and administrators',
        'API reference Operations, parameters and examples for developers',
        'Sign out End the session in this browser',
      ],
    ],
    [
      'the connected apps',
      async (page: Page) => {
        await connect(page, site, { scope: 'openid', client_id: 'zebra-drive' });
        await page.goto(`${latchkey.issuer}/account/apps`);
      },
      [
        ...account,
        ...sections,
        'Search your connected apps',
        'Search',
        'name',
        'last allowed',
        'last used',
        'just now',
        'Access',
        'Revoke access of Zebra Drive',
      ],
    ],
    [
      'a person’s sessions',
      async (page: Page) => {
        await latchkey.database.query("update sessions set revoked_at = last_seen_at where user_agent like 'Mozilla%'");
        await signedIn(site, { userAgent: 'another browser' });
        await page.goto(`${latchkey.issuer}/sign-in`);
        await signIn(page);
        await page.waitForURL(`${latchkey.issuer}/account`);
        await page.goto(`${latchkey.issuer}/account/sessions`);
      },
      [
        ...account,
        ...sections,
        'just now',
        'Sign out of this browser',
        'just now',
        'just now',
        'Sign out of another browser at 127.0.0.1',
        'Sign out 1 other session',
      ],
    ],
  ])('the focus order of the page of %s is the reading order, and the focus is visible', async (_page, go, names) => {
    const page = await signedIn(site);
    await go(page);
    const found = await stops(page);
    expect(found.map(({ name }) => name)).toEqual(names);
    expect(found.filter(({ isMarked, isOnScreen }) => !isMarked || !isOnScreen)).toEqual([]);
    expect(found.map(({ order }) => order)).toEqual(found.map(({ order }) => order).sort((a, b) => a - b));
  });
});
