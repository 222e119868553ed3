import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { generateSync } from 'otplib';
import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { consoleAs, wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type Letter, MailServer, plain } from '../../support/mail-server.ts';
import { UpstreamProvider, upstreamClient } from '../../support/upstream-provider.ts';
import type { Page, UserAgent } from '../../support/user-agent.ts';

const chosen = 'seven wild horses';
const doubted = 'Someone who does not have all your permissions could sign in';

/** Ways to take over another account; those of one method are tested with the method (docs/security.md has the list). */
describe('an account cannot be taken over', () => {
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
  let nodes: string[];
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    nodes = [latchkey.issuer, (await latchkey.startNode()).address];
    provider = await UpstreamProvider.serving();
    const login = { ...upstreamClient, label: 'Acme ID', creation: 'domains', email_domains: ['acme.example'] };
    const trust = { name: 'acme', kind: 'login', issuer: provider.issuer, login };
    trust_id = String((await owner.post('/trusts', trust)).body.id);
    const rights = [{ resource: 'https://api.example', pattern: 'write' }];
    await owner.post('/roles', { name: 'writer', permissions: rights });
    await owner.post('/roles', { name: 'empty', permissions: [] });
  });
  beforeEach(async () => {
    await latchkey.database.query('delete from throttles');
    // The clock moves by more than the lifetime of a token.
    owner = await asOwner(latchkey);
  });
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

  describe('with credentials that an attacker prepared before its user got permissions:', () => {
    test('a password that they set no longer works, and sessions begun with it are revoked', async () => {
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
      expect(await reasonsOf(username)).toContain('someone with fewer permissions can sign in, too');
      // Administrators see the refusal, who prepared the account, and what to do.
      const { body: seen } = await owner.get(`/users/${username}`);
      expect(seen.sign_in_refused).toMatchObject({
        ...{ since: expect.any(String), remove_methods_first: false, mailed_link: false },
        prepared_by: [{ subject: { client_id: expect.stringMatching(/^service-/) }, prepared_at: expect.any(String) }],
      });
      const page = await (await consoleAs(latchkey)).get(`/users/${username}`);
      expect(wordsOf(page)).toMatch(
        /Sign-in refused .*Prepared by service-\w+ What to do Someone with all permissions of this user/,
      );
      // The user chooses a password with the link of a person who has all the user's permissions.
      const { body } = await owner.post(`/users/${username}/password-link`);
      expect(isIn(await choose(String(body.url)))).toBe(true);
      expect([isIn(await enter(username)), isIn(await enter(username, chosen))]).toEqual([false, true]);
      expect((await owner.get(`/users/${username}`)).body.sign_in_refused).toBeNull();
    });

    test('a password that they changed later neither, and permissions that a role gets later count, too', async () => {
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
      // Permissions that the creator has now, or had then, do not cause a refusal.
      expect((await owner.patch(`/roles/${role}`, { permissions: [] })).status).toBe(200);
      expect(isIn(await enter(username, chosen))).toBe(true);
    });

    test('but a password set by an administrator with all permissions still works, also after they lose them', async () => {
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
      // Access to their mailbox does not help the attacker.
      await ask(username);
      const { id } = (await owner.get(`/users/${username}`)).body;
      await eventually(
        async () => (await latchkey.auditEvents('recovery.refused')).filter(({ target_id }) => target_id === id),
        (refused) => refused.some(({ reason }) => reason === 'e-mail address set by another'),
        { withinMs: 120_000 },
      );
      const shown = await owner.post(`/users/${username}/password-link`);
      expect(shown.body).toMatchObject({ url: expect.stringContaining('/password/') });
      // While the attacker's app is set up, a new password is not enough.
      await choose(String(shown.body.url));
      const step = await enter(username, chosen, thief);
      expect(wordsOf(await thief.submit(step, { code: await codeOf(secret) }, '/sign-in'))).toContain(doubted);
      const refused = async () => (await owner.get(`/users/${username}`)).body.sign_in_refused;
      expect(await refused()).toMatchObject({ remove_methods_first: true, mailed_link: false });
      expect((await owner.post(`/users/${username}/reset-factors`)).body).toEqual({ removed: 1 });
      expect(await refused()).toMatchObject({ remove_methods_first: false, mailed_link: false });
      const again = await owner.post(`/users/${username}/password-link`);
      expect(isIn(await choose(String(again.body.url), 'nine calm rivers'))).toBe(true);
      expect(isIn(await enter(username, 'nine calm rivers'))).toBe(true);
    });

    test('but a user who verified an address before can choose a password with a mailed link', async () => {
      const username = await created(owner, {});
      const address = `${username}@example.com`;
      await owner.post(`/users/${username}/password-link`);
      expect(isIn(await choose(await linkTo(address, passwordLink)))).toBe(true);
      const by = await helper('reset_password');
      expect((await by.post(`/users/${username}/password`, { password })).status).toBe(200);
      await give(username);
      expect(wordsOf(await enter(username))).toContain(doubted);
      const { body } = await owner.get(`/users/${username}`);
      expect(body.sign_in_refused).toMatchObject({ remove_methods_first: false, mailed_link: true });
      await ask(username);
      expect(isIn(await choose(await linkTo(address, passwordLink, 2), 'nine calm rivers'))).toBe(true);
      expect(isIn(await enter(username, 'nine calm rivers'))).toBe(true);
    });
  });

  test.each([
    ['a letter of another script', 'аnna@example.com'],
    ['the Kelvin sign, which is a small k in lower case', 'mar\u212A@example.com'],
    ['a full-width letter', 'ｍark@example.com'],
    ['a dotless i', 'mır@example.com'],
    ['a domain of another script', 'mark@exаmple.com'],
  ])('with a Unicode lookalike of an address: %s', async (_, twin) => {
    const ascii = twin.normalize('NFKC').replaceAll('а', 'a').replaceAll('ı', 'i');
    const made = await owner.post('/users', { username: nameless(), email: ascii, email_verified: true, password });
    expect([201, 409]).toContain(made.status);
    const refused = await owner.post('/users', { username: nameless(), email: twin, password });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: '/email' }] } });
    const browser = latchkey.browser();
    expect((await browser.submit(await browser.get('/sign-up'), { email: twin }, '/sign-up')).status).toBe(422);
    expect(isIn(await enter(twin))).toBe(false);
    // At a provider that is authoritative for a domain, the lookalike is not a user's verified address.
    const ofProvider = (address: string) => address.replace(/example\.com|exаmple\.com/, 'acme.example');
    const email = twin.endsWith('@example.com') ? ofProvider(twin) : 'mark@аcme.example';
    await owner.post('/users', { username: nameless(), email: ofProvider(ascii), password });
    const arrived = await arrive(latchkey.browser(), { sub: crypto.randomUUID(), email, email_verified: true });
    expect(wordsOf(arrived)).toContain('No account is connected');
  });

  test.each(['ａlice', 'alicе', 'alice\u200d', '(alice)', 'alıce'])(
    'with a Unicode lookalike of a username: %s',
    async (username) => {
      expect((await owner.post('/users', { username, password })).status).toBe(400);
      expect(isIn(await enter(username))).toBe(false);
    },
  );

  test('with a sign-up for an address whose owner later signs in with a provider', async () => {
    const address = 'olga@acme.example';
    const [attacker, olga] = [latchkey.browser(), latchkey.browser()];
    await attacker.submit(await attacker.get('/sign-up'), { email: address }, '/sign-up');
    const link = await linkTo(address, /http:\/\/\S+\/sign-up\/lk_su_\w+/);
    const account = { sub: crypto.randomUUID(), email: address, email_verified: true };
    expect(isIn(await arrive(olga, account))).toBe(true);
    const page = await attacker.get(link);
    const fields = { username: nameless(), name: 'Olga', password: chosen, password_repeated: chosen };
    const late = page.status === 404 ? page : await attacker.submit(page, fields, '/sign-up/');
    expect(late.status).toBe(404);
    expect(isIn(await enter(address, chosen))).toBe(false);
  });

  test('with a session fixed before the user returned from a provider (CWE-384)', async () => {
    const [victim, attacker] = [latchkey.browser(), latchkey.browser()];
    await attacker.get(latchkey.authorizeUrl());
    const fixed = attacker.cookies();
    // The attacker's cookies in the browser of the victim.
    for (const { name, value, path } of fixed) victim.setCookie(name, value, path);
    const account = { sub: crypto.randomUUID(), email: 'petra@acme.example', email_verified: true };
    expect(isIn(await arrive(victim, account))).toBe(true);
    expect((await attacker.get('/account')).url).toContain('/sign-in');
    for (const { name, value, path } of fixed) attacker.setCookie(name, value, path);
    const asked = await attacker.get(latchkey.authorizeUrl({ prompt: 'none', client_id: 'first-party' }));
    expect(new URL(asked.url).searchParams.get('error')).toBe('login_required');
  });

  test('with login_hint or id_token_hint that name an account other than the one signed in', async () => {
    const [mine, other] = [await created(owner), await created(owner)];
    const { id_token } = await latchkey.tokens({ scope: 'openid' }, latchkey.browser(), other);
    const browser = latchkey.browser();
    const { sub } = decodeJwt((await latchkey.tokens({ scope: 'openid' }, browser, mine)).id_token);
    const hinted = await latchkey.tokens({ scope: 'openid', login_hint: other }, browser, mine);
    expect(decodeJwt(hinted.id_token).sub).toBe(sub);
    const silent = await browser.get(latchkey.authorizeUrl({ prompt: 'none', id_token_hint: id_token }));
    expect(new URL(silent.url).searchParams.get('error')).toBe('login_required');
  });

  test('with a consent page of one account that is answered while another is signed in', async () => {
    const [first, second] = [await created(owner), await created(owner)];
    const browser = latchkey.browser();
    await enter(first, password, browser);
    const consent = await browser.get(latchkey.authorizeUrl());
    expect(consent.html).toContain('value="allow"');
    await browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' });
    expect(isIn(await enter(second, password, browser))).toBe(true);
    const answered = await browser.submit(consent, { decision: 'allow' }, '/consent');
    expect(new URL(answered.url).searchParams.get('code')).toBeNull();
    expect(await latchkey.auditEvents('consent.given')).not.toContainEqual(
      expect.objectContaining({ actor_id: (await owner.get(`/users/${second}`)).body.id }),
    );
  });

  test('with the sign-in methods of a deleted account', async () => {
    const username = await created(owner);
    const browser = latchkey.browser();
    await enter(username, password, browser);
    const secret = await addApp(browser);
    const form = await browser.get('/account/delete');
    const gone = await browser.submit(form, { code: await codeOf(secret) }, '/account/delete');
    expect([gone.status, isIn(await browser.get('/account'))]).toEqual([200, false]);
    const tried = await enter(username);
    expect([isIn(tried), tried.html.includes('name="pending"')]).toEqual([false, false]);
    const { rows } = await latchkey.database.query(
      `select count(*)::int as ways from users u join factors f on f.user_id = u.id where u.deleted_at is not null`,
    );
    expect(rows).toEqual([{ ways: 0 }]);
  });

  describe('with two uses of one proof at once on two nodes: one of twenty is accepted, of', () => {
    type Answer = { status: number; html: string; location: string };
    type Race = {
      browser: UserAgent;
      page: Page;
      action: string;
      fields: (n: number) => Record<string, string>;
      /** The response to the accepted one. */
      isWon?: (answer: Answer) => boolean;
    };
    const isSentOn = ({ status }: Answer) => status === 303;
    const hiddenOf = ({ html, url }: Page, action: string) => {
      const form = [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].find(([, attributes = '']) =>
        (/action="([^"]*)"/.exec(attributes)?.[1] ?? '').includes(action),
      );
      if (!form) throw new Error(`no form ${action} on ${url}: ${html.slice(0, 600)}`);
      const inputs = [...(form[2] ?? '').matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)];
      const path = /action="([^"]*)"/.exec(form[1] ?? '')?.[1] || new URL(url).pathname;
      const value = (input: string, name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(input)?.[1] ?? '';
      return { path, hidden: inputs.map(([input]) => [value(input, 'name'), value(input, 'value')]) };
    };
    /** Twenty requests, every other one to the second node. */
    const rush = ({ browser, page, action, fields }: Race): Promise<Answer[]> => {
      const { path, hidden } = hiddenOf(page, action);
      const headers = {
        ...{ cookie: browser.cookieHeader(`${latchkey.issuer}${path}`), origin: latchkey.issuer, accept: 'text/html' },
        'x-forwarded-host': new URL(latchkey.issuer).host,
      };
      const send = async (n: number) => {
        const body = new URLSearchParams([...(hidden as [string, string][]), ...Object.entries(fields(n))]);
        const sent = await fetch(`${nodes[n % 2]}${path}`, { method: 'POST', redirect: 'manual', headers, body });
        return { status: sent.status, html: await sent.text(), location: sent.headers.get('location') ?? '' };
      };
      return Promise.all(Array.from({ length: 20 }, (_, n) => send(n)));
    };
    const ownPassword = (n: number) => ({
      password: `seven wild horses ${n}`,
      password_repeated: `seven wild horses ${n}`,
    });
    const opened = async (link: string, action: string, fields: Race['fields']): Promise<Race> => {
      const browser = latchkey.browser();
      return { browser, page: await browser.get(link), action, fields };
    };
    const verified = async () => {
      const username = await created(owner, { password, email_verified: true });
      return { username, address: `${username}@example.com` };
    };
    const signedIn = async () => {
      const person = await verified();
      const browser = latchkey.browser();
      await enter(person.username, password, browser);
      return { ...person, browser };
    };
    const withApp = async () => {
      const person = await signedIn();
      return { ...person, secret: await addApp(person.browser) };
    };
    const policy = (changes: object) => owner.patch('/sign-in-policy', changes);
    afterEach(async () => {
      await policy({ allowed_factors: null, required_acr: null });
    });

    const races: Record<string, () => Promise<Race>> = {
      'a recovery link': async () => {
        const { username, address } = await verified();
        await ask(username);
        return opened(await linkTo(address, passwordLink), '', ownPassword);
      },
      'an invitation': async () => {
        const { body } = await owner.post(`/users/${await created(owner, { email: undefined })}/password-link`);
        return opened(String(body.url), '', ownPassword);
      },
      'a link to sign up': async () => {
        const address = `${nameless()}@example.com`;
        const browser = latchkey.browser();
        await browser.submit(await browser.get('/sign-up'), { email: address }, '/sign-up');
        const link = await linkTo(address, /http:\/\/\S+\/sign-up\/lk_su_\w+/);
        const username = nameless();
        return opened(link, '/sign-up/', (n) => ({ name: 'Ada', username: `${username}-${n}`, ...ownPassword(n) }));
      },
      'a code of an app': async () => {
        const { username, secret } = await withApp();
        const browser = latchkey.browser();
        const page = await enter(username, password, browser);
        const code = await codeOf(secret);
        return { browser, page, action: '/sign-in', fields: () => ({ code }) };
      },
      'a recovery code': async () => {
        const { username, browser: own } = await withApp();
        const codes = await own.submit(await own.get('/account/security/recovery-codes/new'), {}, '/recovery-codes');
        const [code = ''] = /\b[a-z2-9]{5}(-[a-z2-9]{5}){3}\b/.exec(codes.html) ?? [];
        const browser = latchkey.browser();
        const page = await enter(username, password, browser);
        return { browser, page, action: '/sign-in', fields: () => ({ code }) };
      },
      'a code by e-mail': async () => {
        await policy({ allowed_factors: ['password', 'email_code'] });
        const { username, address } = await verified();
        const browser = latchkey.browser();
        const page = await browser.submit(
          await browser.get('/sign-in'),
          { login: username, email_code: 'send' },
          '/sign-in',
        );
        const code = await linkTo(address, /[a-z2-9]{5}-[a-z2-9]{5}(?= )/);
        return { browser, page, action: '/sign-in', fields: () => ({ code }) };
      },
      'a link to add a second factor': async () => {
        const { username } = await verified();
        const { stdout } = await latchkey.command(['user', 'enrolment-link', username]);
        const race = await opened(stdout.split('\n')[0] ?? '', '/second-factor', () => ({}));
        const code = await codeOf(keyOn(race.page));
        return { ...race, fields: () => ({ password, code }) };
      },
      'a link to a new address': async () => {
        const { username, browser } = await signedIn();
        const address = `new-${username}@example.com`;
        await browser.submit(await browser.get('/account/email'), { email: address }, '/account/email');
        const link = await linkTo(address, /http:\/\/\S+\/account\/email\/confirm\/\w+/);
        return { browser, page: await browser.get(link), action: '/confirm/', fields: () => ({}) };
      },
      'a link that undoes that': async () => {
        const { username, address: previous, browser } = await signedIn();
        const address = `new-${username}@example.com`;
        await browser.submit(await browser.get('/account/email'), { email: address }, '/account/email');
        const link = await linkTo(address, /http:\/\/\S+\/account\/email\/confirm\/\w+/);
        await browser.submit(await browser.get(link), {}, '/confirm/');
        const undo = await linkTo(previous, /http:\/\/\S+\/undo-email-change\/\w+/);
        return { ...(await opened(undo, '', () => ({}))), isWon: ({ status }) => status === 200 };
      },
    };

    test.each(Object.entries(races))('%s', async (_, begin) => {
      const race = await begin();
      await latchkey.database.query('delete from throttles');
      const answers = await rush(race);
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
      const won = answers.filter(race.isWon ?? isSentOn);
      expect({ won: won.length, all: answers.map(({ status }) => status) }).toMatchObject({ won: 1 });
    });

    test('of guesses of a mailed code five at most, and the code is invalid then', async () => {
      const race = await races['a code by e-mail']?.();
      if (!race) throw new Error('no such race');
      const { code = '' } = race.fields(0);
      const wrong = await rush({
        ...race,
        fields: (n) => ({ code: `aaaaa-${String(n).padStart(5, 'b')}`.replaceAll('0', 'c').replaceAll('1', 'd') }),
      });
      expect(wrong.filter(isSentOn)).toEqual([]);
      await latchkey.database.query('delete from throttles');
      expect(isIn(await race.browser.submit(race.page, { code }, '/sign-in'))).toBe(false);
      const late = await race.browser.get('/account');
      expect(isIn(late)).toBe(false);
    });
  });
});
