import { password } from '../support/installation.ts';
import { everything } from './support/installation.ts';
import { startSite } from './support/site.ts';
import { changePassword, connect, countOf, problemBeside, question, signedIn, signIn } from './support/steps.ts';

const better = 'seven wild horses';

describe('changing your own password', () => {
  const site = startSite();
  const { latchkey, app } = site;

  test('signs out all other browsers, and leaves this browser and its apps signed in', async () => {
    const elsewhere = await signedIn(site);
    await connect(elsewhere, site, everything);
    const theirs = await app.redeem(elsewhere.url());
    const here = await signedIn(site);
    await connect(here, site, everything);
    const ours = await app.redeem(here.url());

    await here.goto(`${latchkey.issuer}/account/password`);
    await changePassword(here, { next: better });
    expect(await question(here)).toBe('Password changed');
    expect(await here.locator('main').innerText()).toContain('Signed out: 1 other session and 1 app.');

    await elsewhere.goto(`${latchkey.issuer}/account`);
    expect(await question(elsewhere)).toBe('Sign in');
    await expect(app.refresh(theirs)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await app.scopeOf(ours.access_token)).toBe('mail:read:* mail:send');
    await here.goto(`${latchkey.issuer}/account`);
    expect(await question(here)).toBe('Alice Example');

    await signIn(elsewhere, 'alice', password);
    expect(await countOf(elsewhere.getByRole('alert'))).toBe(1);
    await signIn(elsewhere, 'alice', better);
    expect(await question(elsewhere)).toBe('Alice Example');
  });

  test('shows what is typed, and hides it again', async () => {
    const page = await site.browser.open();
    await page.goto(`${latchkey.issuer}/sign-in`);
    const field = page.locator('#password');
    await field.fill('what I type');
    await page.getByRole('button', { name: 'Show password' }).click();
    expect(await field.getAttribute('type')).toBe('text');
    await page.getByRole('button', { name: 'Hide password' }).click();
    expect([await field.getAttribute('type'), await field.inputValue()]).toEqual(['password', 'what I type']);
  });

  test('uses a plain field without JavaScript', async () => {
    const page = await site.browser.open({ javaScriptEnabled: false });
    await page.goto(`${latchkey.issuer}/sign-in`);
    expect(await page.locator('#password').getAttribute('type')).toBe('password');
    expect(await countOf(page.getByRole('button', { name: 'Show password' }))).toBe(0);
  });

  test.each([
    ['the old one is wrong', { current: 'not it' }, 'Current password', 'This is not your current password.'],
    ['it is too short', { next: 'short' }, 'New password', 'Use at least 8 characters.'],
    [
      'it is common',
      { next: 'Password123' },
      'New password',
      'Choose another password: this one is common, or known from a data breach.',
    ],
    ['it was mistyped', { again: 'seven wild hoses' }, 'Repeat new password', 'The two passwords are not the same.'],
  ])('shows the refusal %s beside the field and on top', async (_case, typed, label, sentence) => {
    const page = await signedIn(site, { login: 'bob' });
    await page.goto(`${latchkey.issuer}/account/password`);
    await changePassword(page, { next: better, ...typed });
    expect(await problemBeside(page, label)).toBe(sentence);
    expect(await page.getByRole('alert').innerText()).toContain(`${label}: ${sentence}`);
    // The field gets the focus with the first frame.
    const focused = await page.waitForFunction('document.activeElement.labels?.[0]?.innerText');
    expect(await focused.jsonValue()).toBe(label);
  });
});
