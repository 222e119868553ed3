import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { generateSync } from 'otplib';
import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type Letter, MailServer, plain } from '../../support/mail-server.ts';
import { UpstreamProvider, upstreamClient } from '../../support/upstream-provider.ts';
import type { Page, UserAgent } from '../../support/user-agent.ts';

const chosen = 'seven wild horses';
const doubted = 'Somebody who does not have all your permissions could sign in';

/** Ways into the account of another; those that belong to one method are tested beside it (docs/security.md has the list). */
describe('an account is not taken over', () => {
  let mail: MailServer;
  let provider: UpstreamProvider;
  let owner: AdminApi;
  let trust_id: string;
  const latchkey = startLatchkey({
    prepare: async () => {
      mail = await MailServer.open();
      return { env: { ...mail.settings, LATCHKEY_SIGN_UP: 'open' } };
    },
  });
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    provider = await UpstreamProvider.serving();
    const login = { ...upstreamClient, label: 'Acme ID', creation: 'domains', email_domains: ['acme.example'] };
    const trust = { name: 'acme', kind: 'login', issuer: provider.issuer, login };
    trust_id = String((await owner.post('/trusts', trust)).body.id);
    const rights = [{ resource: 'https://api.example', pattern: 'write' }];
    await owner.post('/roles', { name: 'writer', permissions: rights });
    await owner.post('/roles', { name: 'empty', permissions: [] });
  });
  beforeEach(() => latchkey.database.query('delete from throttles'));
  afterAll(() => {
    provider.close();
    return mail.close();
  });

  const lettersTo = (address: string) => mail.letters.filter(({ to }) => to.includes(address));
  const linkTo = async (address: string, pattern: RegExp, count = 1) => {
    const links = () => lettersTo(address).flatMap(({ source }: Letter) => pattern.exec(plain(source))?.[0] ?? []);
    return String((await eventually(links, ({ length }) => length >= count, { withinMs: 120_000 })).at(-1));
  };
  const passwordLink = /http:\/\/\S+\/password\/lk_pw_\w+/;
  const ask = async (login: string) => {
    const browser = latchkey.browser();
    return browser.submit(await browser.get('/forgot-password'), { login });
  };
  const choose = async (link: string, typed = chosen) => {
    const browser = latchkey.browser();
    return browser.submit(await browser.get(link), { password: typed, password_repeated: typed });
  };
  const enter = async (login: string, typed = password, browser = latchkey.browser()) =>
    browser.submit(await browser.get('/sign-in'), { login, password: typed }, '/sign-in');
  const isIn = (page: Page) => page.url === `${latchkey.issuer}/account`;
  const arrive = async (browser: UserAgent, account: Record<string, unknown>) => {
    provider.account = account;
    return browser.get(provider.authorize((await browser.get(`/sign-in/with/${trust_id}`)).url));
  };
  const keyOn = ({ html }: Page) => (/Key: (?:<code>)?([A-Z2-7 ]+)</.exec(html)?.[1] ?? '').replaceAll(' ', '');
  const codeOf = async (secret: string) => {
    await latchkey.advance(31);
    return generateSync({ secret, epoch: latchkey.seconds });
  };
  const addApp = async (browser: UserAgent) => {
    const form = await browser.get('/account/security/app/new');
    const secret = keyOn(form);
    expect((await browser.submit(form, { code: await codeOf(secret) }, '/app/new')).html).toContain('is set up');
    return secret;
  };
  let people = 0;
  const nameless = () => {
    people += 1;
    return `person-${people}`;
  };
  const created = async (by: AdminApi, more: Record<string, unknown> = { password }) => {
    const username = nameless();
    const { status, body } = await by.post('/users', { username, email: `${username}@example.com`, ...more });
    expect({ status, body }).toMatchObject({ status: 201 });
    return username;
  };
  const give = async (username: string, role = 'writer') =>
    expect((await owner.put(`/roles/${role}/assignments/user/${username}`, {})).status).toBe(204);
  const reasonsOf = async (username: string) => {
    const { id } = (await owner.get(`/users/${username}`)).body;
    const events = await latchkey.auditEvents('session.refused');
    return events.filter(({ target_id }) => target_id === id).map(({ reason }) => reason);
  };
  const helper = (...verbs: string[]) =>
    asService(latchkey, owner, { permissions: verbs.map((verb) => `latchkey:user:${verb}`) });

  describe('by what somebody prepared before its user was given rights:', () => {
    test('a password that they set signs nobody in any more, and what they signed in ends', async () => {
      const username = await created(await helper('write'));
      const [thief, app] = [latchkey.browser(), latchkey.browser()];
      expect(isIn(await enter(username, password, thief))).toBe(true);
      const { refresh_token } = await latchkey.tokens({}, app, username);
      await give(username, 'empty');
      expect(isIn(await thief.get('/account'))).toBe(true);
      await give(username);
      expect(isIn(await thief.get('/account'))).toBe(false);
      expect((await latchkey.refresh(refresh_token)).body.error).toBe('invalid_grant');
      expect(wordsOf(await enter(username, password, thief))).toContain(doubted);
      expect(isIn(await thief.get('/account'))).toBe(false);
      const asked = await thief.get(latchkey.authorizeUrl());
      expect(wordsOf(await thief.submit(asked, { login: username, password }, '/sign-in'))).toContain(doubted);
      expect(await reasonsOf(username)).toContain('somebody with fewer permissions can sign in, too');
      // The user chooses a password with the link of somebody who holds all that they hold.
      const { body } = await owner.post(`/users/${username}/password-link`);
      expect(isIn(await choose(String(body.url)))).toBe(true);
      expect([isIn(await enter(username)), isIn(await enter(username, chosen))]).toEqual([false, true]);
    });

    test('nor one that they changed with it, and rights that their role gets later count, too', async () => {
      const by = await helper('write');
      const username = await created(by);
      const role = `later-${username}`;
      await owner.post('/roles', { name: role, permissions: [] });
      await give(username, role);
      const thief = latchkey.browser();
      await enter(username, password, thief);
      const typed = { current_password: password, password: chosen, password_repeated: chosen };
      await thief.submit(await thief.get('/account/password'), typed, '/account/password');
      expect(isIn(await enter(username, chosen))).toBe(true);
      const permissions = [{ resource: 'https://api.example', pattern: 'read' }];
      expect((await owner.patch(`/roles/${role}`, { permissions })).status).toBe(200);
      expect(isIn(await thief.get('/account'))).toBe(false);
      expect(wordsOf(await enter(username, chosen))).toContain(doubted);
      // A right that they hold themselves, or held when they set it, is no reason.
      expect((await owner.patch(`/roles/${role}`, { permissions: [] })).status).toBe(200);
      expect(isIn(await enter(username, chosen))).toBe(true);
    });

    test('a password of an administrator who held all of it signs in, also after they lose their rights', async () => {
      const permissions = [{ resource: 'https://api.example', pattern: '*' }];
      const role = `lead-${nameless()}`;
      await owner.post('/roles', { name: role, permissions });
      const own = ['latchkey:user:write', 'latchkey:permission:give'];
      const lead = await asService(latchkey, owner, { permissions: own, roles: [role] });
      const username = await created(lead);
      await give(username);
      expect(isIn(await enter(username))).toBe(true);
      await owner.patch(`/roles/${role}`, { permissions: [] });
      expect(isIn(await enter(username))).toBe(true);
    });

    test('a hash that they imported', async () => {
      const salt = randomBytes(16);
      const key = pbkdf2Sync(password, salt, 10_000, 32, 'sha256');
      const [encodedSalt, encodedKey] = [salt, key].map((part) => part.toString('base64').replaceAll('=', ''));
      const password_hash = `$pbkdf2-sha256$i=10000$${encodedSalt}$${encodedKey}`;
      const username = await created(await helper('write', 'import_password'), { password_hash });
      expect(isIn(await enter(username))).toBe(true);
      await give(username);
      expect(wordsOf(await enter(username))).toContain(doubted);
    });

    test('a link that was shown to them, used before', async () => {
      const username = await created(await helper('write'), {});
      await owner.patch(`/users/${username}`, { email: null });
      const { body } = await (await helper('reset_password')).post(`/users/${username}/password-link`);
      expect(isIn(await choose(String(body.url)))).toBe(true);
      await give(username);
      expect(wordsOf(await enter(username, chosen))).toContain(doubted);
    });

    test('an account at a provider that they linked', async () => {
      const username = await created(owner, {});
      const sub = crypto.randomUUID();
      const linked = await (await helper('link')).post(`/users/${username}/identities`, {
        ...{ issuer: provider.issuer, subject: sub },
      });
      expect(linked.status).toBe(201);
      expect(isIn(await arrive(latchkey.browser(), { sub }))).toBe(true);
      await give(username);
      const thief = latchkey.browser();
      expect(wordsOf(await arrive(thief, { sub }))).toContain(doubted);
      expect(isIn(await thief.get('/account'))).toBe(false);
    });

    test('an address, authenticator app or recovery code that they added with it', async () => {
      const username = await created(await helper('write', 'verify_email'), { password });
      const thief = latchkey.browser();
      await enter(username, password, thief);
      const theirs = `not-${username}@example.com`;
      await thief.submit(await thief.get('/account/email'), { email: theirs }, '/account/email');
      const confirm = await linkTo(theirs, /http:\/\/\S+\/account\/email\/confirm\/\w+/);
      await thief.submit(await thief.get(confirm), {}, '/confirm/');
      const secret = await addApp(thief);
      await give(username);
      // Their mailbox opens nothing.
      await ask(username);
      const { id } = (await owner.get(`/users/${username}`)).body;
      await eventually(
        async () => (await latchkey.auditEvents('recovery.refused')).filter(({ target_id }) => target_id === id),
        (refused) => refused.some(({ reason }) => reason === 'e-mail address set by another'),
        { withinMs: 120_000 },
      );
      const shown = await owner.post(`/users/${username}/password-link`);
      expect(shown.body).toMatchObject({ url: expect.stringContaining('/password/') });
      // While their app is there, a new password is not enough.
      await choose(String(shown.body.url));
      const step = await enter(username, chosen, thief);
      expect(wordsOf(await thief.submit(step, { code: await codeOf(secret) }, '/sign-in'))).toContain(doubted);
      owner = await asOwner(latchkey);
      expect((await owner.post(`/users/${username}/reset-factors`)).body).toEqual({ removed: 1 });
      const again = await owner.post(`/users/${username}/password-link`);
      expect(isIn(await choose(String(again.body.url), 'nine calm rivers'))).toBe(true);
      expect(isIn(await enter(username, 'nine calm rivers'))).toBe(true);
    });

    test('and a user who proved an address before chooses a password with a mailed link', async () => {
      const username = await created(owner, {});
      const address = `${username}@example.com`;
      await owner.post(`/users/${username}/password-link`);
      expect(isIn(await choose(await linkTo(address, passwordLink)))).toBe(true);
      const by = await helper('reset_password');
      expect((await by.post(`/users/${username}/password`, { password })).status).toBe(200);
      await give(username);
      expect(wordsOf(await enter(username))).toContain(doubted);
      await ask(username);
      expect(isIn(await choose(await linkTo(address, passwordLink, 2), 'nine calm rivers'))).toBe(true);
      expect(isIn(await enter(username, 'nine calm rivers'))).toBe(true);
    });
  });
});
