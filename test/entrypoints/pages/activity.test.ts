import { asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { password, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { Page, UserAgent } from '../../support/user-agent.ts';

const people = ['carol', 'dave', 'erin', 'frank', 'gina', 'hugo', 'ines', 'judy'].map((username) => ({
  username,
  password,
}));
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

const signIn = async (browser: UserAgent, login: string, secret = password) => {
  await browser.submit(await browser.get('/sign-in'), { login, password: secret });
  return browser;
};
const told = ({ html }: Page) =>
  [...html.matchAll(/<p class="what">([\s\S]*?)<\/p>/g)].map(([, what = '']) => what.replaceAll(/<[^>]*>/g, '').trim());
const lines = ({ html }: Page) =>
  [...html.matchAll(/<p class="when">([\s\S]*?)<\/p>/g)].map(([, line = '']) => line.replaceAll(/<[^>]*>/g, '').trim());
const wrong = expect.stringContaining('Someone tried to sign in with your username and a wrong password');
const blocked = expect.stringContaining('Sign-in attempts with your username were blocked because there were too many');

describe('the activity of an account', () => {
  const latchkey = startLatchkey({
    apply: { ...standardInstallation, users: [...standardInstallation.users, ...people] },
  });

  test('is listed in plain words, newest first, with time, browser and address', async () => {
    const browser = latchkey.browser(firefox);
    await signIn(latchkey.browser('guesser'), 'carol', 'a wrong guess');
    await latchkey.tokens({}, browser, 'carol');
    const other = await signIn(latchkey.browser('other'), 'carol');
    await other.submit(await other.get('/account/sessions/sign-out-others'), {}, 'sign-out-others');
    await other.submit(await other.get('/oauth/logout'), { logout: 'yes' });
    const again = await signIn(latchkey.browser(firefox), 'carol');
    const apps = await again.get('/account/apps');
    const revokeAccess = /href="(\/account\/apps\/[^"]+\/revoke-access)"/.exec(apps.html)?.[1] ?? '';
    await again.submit(await again.get(revokeAccess), {}, 'revoke-access');
    await latchkey.advance(2 * 3600);

    const page = await again.get('/account/activity');
    expect(told(page)).toEqual([
      'You revoked the access of Shop',
      'You signed in',
      'You signed out',
      'You signed out another session',
      'You signed in',
      'You allowed Shop to access your account',
      'You signed in',
      expect.stringMatching(/^Someone tried to sign in with your username and a wrong password\s+Check this$/),
      'Your account was created',
    ]);
    expect(lines(page)[0]).toBe('2 hours ago · Firefox on Linux · 127.0.0.1');
    expect(lines(page)[7]).toBe('2 hours ago · guesser · 127.0.0.1');
    expect(page.html).toMatch(/<time datetime="[\d-]+T[\d:.]+Z" title="[^"]+ UTC"/);
  });

  test('shows when an administrator revokes the access of an app', async () => {
    const browser = latchkey.browser(firefox);
    await latchkey.tokens({}, browser, 'ines');
    const owner = await asOwner(latchkey);
    const { body } = await owner.get('/consents?user=ines&standing=true');
    expect(await owner.post(`/consents/${body.items[0]?.consent_id}/revoke`)).toMatchObject({ status: 204 });
    expect(told(await browser.get('/account/activity'))[0]).toBe('An administrator revoked the access of Shop');
  });

  test('shows tokens that were used twice, and changes of the password', async () => {
    const browser = latchkey.browser(firefox);
    const { refresh_token } = await latchkey.tokens({}, browser, 'dave');
    await latchkey.refresh(refresh_token);
    await latchkey.advance(3600);
    const { body } = await latchkey.refresh(refresh_token);
    expect(body.error).toBe('invalid_grant');
    const change = {
      current_password: password,
      password: 'seven wild horses',
      password_repeated: 'seven wild horses',
    };
    await browser.submit(await browser.get('/account/password'), change, '/password');
    const page = await browser.get('/account/activity');
    expect(told(page).slice(0, 2)).toEqual([
      'You changed your password; every other session was signed out',
      expect.stringMatching(
        /^A long-lived connection of Shop was used twice, which can mean that it was stolen; it was revoked\s+Check this$/,
      ),
    ]);
    expect(lines(page)[1]).toMatch(/The app’s server/);
  });

  test('shows consecutive guesses in one line, across minutes', async () => {
    const guesser = latchkey.browser('guesser');
    for (let guess = 0; guess < 12; guess += 1) {
      await signIn(guesser, 'gina', `guess ${guess}`);
      if (guess === 3) await latchkey.advance(60);
    }
    await latchkey.advance(3600);
    const browser = await signIn(latchkey.browser(firefox), 'gina');
    // The number of further ones in a minute is recorded at its end.
    const page = await eventually(
      () => browser.get('/account/activity'),
      (seen) => lines(seen).filter((line) => line.includes('times')).length === 2,
      { pauseMs: 250 },
    );
    expect(told(page)).toEqual(['You signed in', blocked, wrong, 'Your account was created']);
    expect(lines(page)[1]).toMatch(/ago \(2 times, first \d+ \w+ ago\) · guesser · 127/);
    expect(lines(page)[2]).toMatch(/ago \(10 times, first \d+ \w+ ago\) · guesser · 127/);
  });

  test('shows guesses below the sign-in that followed them in the same minute', async () => {
    await latchkey.stayWithin('minute');
    const guesser = latchkey.browser('guesser');
    for (let guess = 0; guess < 3; guess += 1) await signIn(guesser, 'judy', `guess ${guess}`);
    const browser = await signIn(latchkey.browser(firefox), 'judy');
    await latchkey.advance(59);
    const page = await eventually(
      () => browser.get('/account/activity'),
      ({ html }) => html.includes('3 times'),
      { pauseMs: 250 },
    );
    expect(told(page)).toEqual(['You signed in', wrong, 'Your account was created']);
  });

  test('shows what an administrator did to it, but not from where', async () => {
    const api = await asOwner(latchkey);
    await api.put('/roles/auditor/assignments/user/hugo', {});
    await api.post('/users/hugo/password', { password: 'seven wild horses' });
    await api.post('/revocations', { handle: { user: 'hugo' } });
    const hugo = await signIn(latchkey.browser(firefox), 'hugo', 'seven wild horses');
    const page = await hugo.get('/account/activity');
    expect(told(page).slice(1, 4)).toEqual([
      'You were signed out everywhere, and the access of your apps was revoked',
      expect.stringContaining('An administrator set a temporary password for you'),
      expect.stringContaining('The role auditor was assigned to you'),
    ]);
    expect(lines(page).slice(1, 4)).toEqual(Array(3).fill('just now · An administrator'));
  });

  test('is not shown to other users, with any cursor', async () => {
    const erin = await signIn(latchkey.browser(firefox), 'erin');
    const { rows } = await latchkey.database.query('select max(id::text) as id from audit_events');
    for (const before of [rows[0].id, 'ffffffff-ffff-7fff-bfff-ffffffffffff', "' or true --", ''])
      expect(told(await erin.get(`/account/activity?before=${encodeURIComponent(before)}`))).toEqual(
        expect.arrayContaining(['Your account was created']),
      );
    const all = [...told(await erin.get('/account/activity'))];
    expect(all).toEqual(['You signed in', 'Your account was created']);
  });

  test('is paged by time, each event once', async () => {
    const browser = await signIn(latchkey.browser(firefox), 'frank');
    for (let round = 0; round < 45; round += 1) {
      await latchkey.tokens({ prompt: 'consent' }, browser, 'frank');
    }
    const seen: string[] = [];
    let page = await browser.get('/account/activity');
    for (let pages = 1; ; pages += 1) {
      seen.push(...told(page));
      const older = /href="(\/account\/activity\?before=[^"]+)"/.exec(page.html)?.[1];
      if (!older) {
        expect(pages).toBe(3);
        break;
      }
      page = await browser.get(older);
    }
    expect(seen).toEqual([
      ...Array(45).fill('You allowed Shop to access your account'),
      'You signed in',
      'Your account was created',
    ]);
    expect(page.html).toContain('Newest');
  });
});
