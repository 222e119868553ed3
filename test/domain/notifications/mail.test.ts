import { type AdminApi, asOwner } from '../../support/admin.ts';
import { consoleAs, wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type Letter, MailServer, plain } from '../../support/mail-server.ts';

describe('with a mail server', () => {
  let mail: MailServer;
  const latchkey = startLatchkey({
    prepare: async () => {
      mail = await MailServer.open();
      return { env: mail.settings };
    },
  });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });
  beforeEach(() => {
    mail.letters.length = 0;
  });
  afterAll(() => mail.close());

  const linkIn = ({ source }: Letter) => /http:\/\/\S+\/password\/lk_pw_\w+/.exec(plain(source))?.[0] ?? '';
  /** Waits until this number of e-mails has arrived. A failed one is retried after a while. */
  const arrive = (count: number) =>
    eventually(
      () => mail.letters,
      ({ length }) => length >= count,
      { withinMs: 120_000 },
    );
  const invite = (username: string, more = {}) =>
    owner.post('/users', { username, email: `${username}@example.com`, invite: true, ...more });

  test('an invitation arrives, and its link works', async () => {
    const { status, body } = await invite('ivy');
    expect(status).toBe(201);
    expect(body.invitation).toEqual({ mailed_to: 'ivy@example.com', expires_at: expect.any(String) });
    await arrive(1);
    const [letter] = mail.letters;
    if (!letter) throw new Error('no letter');
    expect(letter).toMatchObject({ from: 'id@example.com', to: ['ivy@example.com'] });
    expect(letter.source).toMatch(/^Subject: Choose your password for Example & Sons\r$/m);
    expect(letter.source).toMatch(/The link works once, until \d+ \w+ \d{4}, \d\d:\d\d UTC\./);
    expect(letter.source.replaceAll('=\r\n', '')).toContain('Example &amp; Sons');

    const browser = latchkey.browser();
    await browser.submit(await browser.get(linkIn(letter)), { password, password_repeated: password });
    expect((await latchkey.tokens({}, latchkey.browser(), 'ivy')).access_token).toMatch(/^lk_at_/);
    expect((await browser.get(linkIn(letter))).status).toBe(404);
  });

  test('it is in the language that the recipient chose, else the one they signed in with, else the installation’s', async () => {
    const subjectTo = async (username: string, send: () => Promise<unknown>) => {
      mail.letters.length = 0;
      await send();
      await arrive(1);
      const [letter] = mail.letters;
      expect(letter?.to).toEqual([`${username}@example.com`]);
      return /Legen Sie Ihr Passwort/.test(plain(letter?.source ?? '')) ? 'de' : 'en';
    };
    const linkFor = (username: string) => () => owner.post(`/users/${username}/password-link`);
    expect(await invite('nobody', { language: 'xx' })).toMatchObject({ status: 400 });
    expect(await subjectTo('lena', () => invite('lena', { language: 'de', password }))).toBe('de');
    expect((await owner.get('/users/lena')).body).toMatchObject({ language: 'de' });
    await owner.patch('/users/lena', { language: null });
    expect(await subjectTo('lena', linkFor('lena'))).toBe('en');

    await owner.post('/users', { username: 'mara', email: 'mara@example.com', password });
    const german = latchkey.browser(undefined, 'de-AT');
    await german.submit(await german.get('/sign-in'), { login: 'mara', password }, '/sign-in');
    expect(await subjectTo('mara', linkFor('mara'))).toBe('de');
    const { body: before } = await owner.get('/users/mara');
    expect(before).toMatchObject({ language: null });
    const saved = await german.submit(await german.get('/account/language'), { language: 'en' }, '/account/language');
    expect(saved.html).toMatch(/value="en" checked/);
    expect(await subjectTo('mara', linkFor('mara'))).toBe('en');
    expect((await german.submit(saved, { language: 'xx' }, '/account/language')).status).toBe(400);
    const events = await latchkey.auditEvents('user.updated');
    expect(events.at(-1)).toMatchObject({ actor_id: before.id, details: { changed: ['language'] } });
    await latchkey.visit(latchkey.browser(undefined, 'en'), latchkey.authorizeUrl({ ui_locales: 'de' }), {
      login: 'mara',
    });
    await german.submit(saved, { language: '' }, '/account/language');
    expect(await subjectTo('mara', linkFor('mara'))).toBe('de');
  });

  test('the link is not readable in the database, before it is sent or after', async () => {
    mail.failures = 1;
    await invite('jack');
    await eventually(
      () => mail.failures,
      (left) => left <= 0,
    );
    const whole = async () => {
      const { rows } = await latchkey.database.query('select t::text as row from pgboss.job t');
      return JSON.stringify(rows);
    };
    const waiting = await whole();
    await arrive(1);
    const [letter] = mail.letters;
    if (!letter) throw new Error('no letter');
    const secret = linkIn(letter).split('/').at(-1) ?? '';
    expect(secret).toMatch(/^lk_pw_/);
    for (const rows of [waiting, await whole()]) {
      expect(rows).toContain('sealed');
      for (const form of [secret, Buffer.from(secret).toString('base64').slice(0, -4), 'jack@example.com'])
        expect(rows).not.toContain(form);
    }
    expect(latchkey.server.output()).not.toContain(secret);
  });

  test('many are sent one right after the other', async () => {
    const names = Array.from({ length: 20 }, (_, n) => `guest-${n}`);
    for (const name of names) await invite(name);
    const startedAt = performance.now();
    await arrive(names.length);
    expect(mail.letters.flatMap(({ to }) => to).sort()).toEqual(names.map((name) => `${name}@example.com`).sort());
    // With one e-mail per poll it would take forty seconds.
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  test('no mail is sent for an action that failed', async () => {
    expect(await invite('alice')).toMatchObject({ status: 409 });
    await invite('kim');
    await arrive(1);
    expect(mail.letters.map(({ to }) => to)).toEqual([['kim@example.com']]);
  });

  test('a recovery link is mailed too, also by a command', async () => {
    await invite('liz');
    await arrive(1);
    const { status, body } = await owner.post('/users/liz/password-link');
    expect({ status, mailed_to: body.mailed_to, url: body.url }).toEqual({
      status: 201,
      mailed_to: 'liz@example.com',
      url: undefined,
    });
    await arrive(2);
    const made = await latchkey.commandJson(['user', 'password-link', 'liz'], '', {
      ...mail.settings,
      LATCHKEY_ISSUER: latchkey.issuer,
    });
    expect(made).toEqual({ mailed_to: 'liz@example.com', expires_at: expect.any(String) });
    await arrive(3);
    expect(new Set(mail.letters.map(linkIn)).size).toBe(3);
    expect(linkIn(mail.letters[2] ?? { from: '', to: [], source: '' })).toContain(`${latchkey.issuer}/password/`);
  });

  test('an administrator in the console sees where it is sent, but not the link', async () => {
    await owner.post('/users', { username: 'olga', email: 'olga@example.com' });
    const alice = await consoleAs(latchkey);
    const page = await alice.get('/users/olga/password-link');
    expect(wordsOf(page)).toContain('It is sent to olga@example.com.');
    const done = await alice.send(page);
    expect(wordsOf(done)).toContain('The link has been sent');
    expect(done.html).not.toContain('lk_pw_');
    await arrive(1);
    expect(mail.letters[0]?.to).toEqual(['olga@example.com']);
  });

  test('a user without an address gets no mail: the link is shown', async () => {
    const { body } = await owner.post('/users', { username: 'nora', invite: true });
    expect(body.invitation).toMatchObject({ url: expect.stringContaining('/password/lk_pw_') });
  });
});
