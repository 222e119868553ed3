import { type AdminApi, asOwner } from '../../support/admin.ts';
import { wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type Letter, MailServer, plain } from '../../support/mail-server.ts';
import { Statements } from '../../support/statements.ts';
import type { Page, UserAgent } from '../../support/user-agent.ts';

const chosen = 'seven wild horses';

describe('users sign up', () => {
  let mail: MailServer;
  let statements: Statements;
  const latchkey = startLatchkey({
    prepare: async () => {
      mail = await MailServer.open();
      statements = await Statements.open();
      const env = { ...mail.settings, LATCHKEY_SIGN_UP: 'example.com,!contractors.example.com' };
      return { env, through: statements.through };
    },
  });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });
  beforeEach(() => latchkey.database.query('delete from throttles'));
  afterAll(() => Promise.all([mail.close(), statements.close()]));

  const lettersTo = (address: string) => mail.letters.filter(({ to }) => to.includes(address));
  const linkIn = ({ source }: Letter) => /http:\/\/\S+\/sign-up\/lk_su_\w+/.exec(plain(source))?.[0] ?? '';
  const letterTo = async (address: string, number = 1) => {
    const letters = await eventually(
      () => lettersTo(address),
      ({ length }) => length >= number,
      { withinMs: 120_000 },
    );
    return letters[number - 1] as Letter;
  };
  /** Every request so far has been processed. */
  const worked = () =>
    eventually(
      async () =>
        (
          await latchkey.database.query(
            "select count(*)::int as open from pgboss.job where name in ('sign-up', 'mail') and state < 'completed'",
          )
        ).rows[0].open,
      (open) => open === 0,
      { withinMs: 120_000 },
    );
  const ask = async (email: string, browser = latchkey.browser(), path = '/sign-up') =>
    browser.submit(await browser.get(path), { email }, '/sign-up');
  const linkFor = async (email: string) => {
    await ask(email);
    return linkIn(await letterTo(email));
  };
  const create = (browser: UserAgent, page: Page, fields: Record<string, string>) =>
    browser.submit(page, { name: 'Ada', password: chosen, password_repeated: chosen, ...fields }, '/sign-up/');
  const users = async (email: string) =>
    (await latchkey.database.query('select * from users where lower(email) = lower($1)', [email])).rows;

  test('with a link that is mailed to them, which verifies their address', async () => {
    const browser = latchkey.browser();
    const signIn = await browser.get('/sign-in');
    expect(signIn.html).toContain('href="/sign-up"');
    expect(wordsOf(await ask('ada@example.com', browser))).toContain('Check your e-mail');
    const link = linkIn(await letterTo('ada@example.com'));
    expect(link.startsWith(`${latchkey.issuer}/sign-up/`)).toBe(true);
    // There is no account yet, not even after a mail filter opened the link.
    const page = await browser.get(link);
    expect(await users('ada@example.com')).toEqual([]);
    expect(page.html).toContain('value="ada"');
    expect(new URL((await create(browser, page, { username: 'ada' })).url).pathname).toBe('/account');
    const [user] = await users('ada@example.com');
    expect(user).toMatchObject({ username: 'ada', name: 'Ada', email_verified: true, email_verified_by: 'link' });
    const [made] = (await latchkey.auditEvents('user.created')).filter(({ target_id }) => target_id === user.id);
    expect(made).toMatchObject({ actor_kind: 'user', actor_id: user.id, details: { by: 'sign_up' } });
    expect((await owner.get('/users/ada')).body).toMatchObject({ roles: [] });
    expect((await browser.get(link)).status).toBe(404);
    // The requested address is readable only in the row of the link, which is deleted.
    const { rows } = await latchkey.database.query(
      "select data::text from pgboss.job where name = 'sign-up' union all select details::text from audit_events",
    );
    expect(JSON.stringify(rows)).not.toContain('ada@example.com');
  });

  test('on the way to a client, and return to it in the same browser', async () => {
    const browser = latchkey.browser();
    const signIn = await browser.get(
      latchkey.authorizeUrl({ client_id: 'first-party', resource: null, scope: 'openid' }),
    );
    const href = /href="(\/sign-up\?interaction=[^"]*)"/.exec(signIn.html)?.[1] ?? '';
    const asked = await ask('bea@example.com', browser, href);
    expect(asked.html).toMatch(/href="\/interaction\/[\w-]+\/sign-in"/);
    const link = linkIn(await letterTo('bea@example.com'));
    expect(new URL(link).pathname).toMatch(/^\/interaction\/[\w-]+\/sign-up\/lk_su_/);
    // It also creates the account in another browser.
    expect(new URL((await latchkey.browser().get(link)).url).pathname).toMatch(/^\/sign-up\/lk_su_/);
    const answer = await create(browser, await browser.get(link), { username: 'bea' });
    expect(new URL(answer.url).searchParams.get('code')).toBeTruthy();
  });

  test('where a client asks for it with prompt=create, or sign in there instead', async () => {
    const discovery = await fetch(`${latchkey.issuer}/.well-known/openid-configuration`);
    expect(await discovery.json()).toMatchObject({ prompt_values_supported: expect.arrayContaining(['create']) });
    const browser = latchkey.browser();
    const asked = { client_id: 'first-party', resource: null, scope: 'openid', prompt: 'create' };
    const page = await browser.get(latchkey.authorizeUrl(asked));
    expect(wordsOf(page)).toContain('Create your account');
    expect(wordsOf(await browser.submit(page, { email: 'cleo@example.com' }, '/sign-up'))).toContain(
      'Check your e-mail',
    );
    const back = /href="(\/interaction\/[\w-]+\/sign-in)"/.exec(page.html)?.[1] ?? '';
    const signedIn = await browser.submit(await browser.get(back), { login: 'alice', password }, '/sign-in');
    expect(new URL(signedIn.url).searchParams.get('code')).toBeTruthy();
  });

  test('with the same response and the same statements for an address with an account, whose owner is notified', async () => {
    await owner.post('/users', { username: 'known', email: 'known@example.com', email_verified: true, password });
    await owner.post('/users', { username: 'unsure', email: 'unsure@example.com', password });
    await owner.post('/users', { username: 'gone', email: 'gone@example.com', password });
    await owner.post('/users/gone/disable');
    const seen: string[] = [];
    for (const email of ['known@example.com', 'unsure@example.com', 'Gone@Example.COM', 'nobody@example.com']) {
      const browser = latchkey.browser();
      const page = await browser.get('/sign-up');
      let answer = page;
      const own = await statements.of(/sign-in sign-up|insert into pgboss[^-]*'sign-up' as name/i, async () => {
        answer = await browser.submit(page, { email }, '/sign-up');
      });
      expect(own.length).toBeGreaterThanOrEqual(2);
      await worked();
      const html = answer.html.replaceAll(/Request [\w-]+|value="[\w-]{43}"/g, '');
      seen.push(JSON.stringify({ status: answer.status, html, own: own.length }));
    }
    expect(new Set(seen).size).toBe(1);
    const told = plain((await letterTo('known@example.com')).source);
    expect(told).toContain('There is one already');
    expect(told).not.toContain('lk_su_');
    expect(await latchkey.auditEvents('sign_up.refused')).toContainEqual(
      expect.objectContaining({ actor_kind: 'anonymous', reason: 'the address has an account' }),
    );
    // No address was verified, and no user was enabled.
    expect(await users('unsure@example.com')).toEqual([expect.objectContaining({ email_verified: false })]);
    expect(await users('gone@example.com')).toEqual([expect.objectContaining({ enabled: false })]);
  });

  test.each([
    ['of another domain', 'mallory@example.net'],
    ['of a domain that only ends like it', 'mallory@notexample.com'],
    ['of a refused domain below it', 'mallory@contractors.example.com'],
    ['with a twin of a letter', 'mallory@exаmple.com'],
    ['with two domains', 'mallory@evil.test@example.com'],
    ['with a line break', 'mallory@example.com\nbcc: x@evil.test'],
    ['with a display name', 'Mallory <mallory@example.com>'],
    ['that is none', 'mallory'],
  ])('only with a valid address, not %s', async (_, email) => {
    const before = mail.letters.length;
    expect((await ask(email)).status).toBe(422);
    await worked();
    expect(mail.letters).toHaveLength(before);
  });

  test('with a link that creates one account when thirty use it at once', async () => {
    const link = await linkFor('dora@example.com');
    const browser = latchkey.browser();
    const page = await browser.get(link);
    await latchkey.database.query('delete from throttles');
    const tried = await Promise.all(
      Array.from({ length: 30 }, (_, n) => create(browser, page, { username: `dora-${n}` }).catch(() => undefined)),
    );
    expect(tried.some((each) => each?.url.endsWith('/account'))).toBe(true);
    expect(await users('dora@example.com')).toHaveLength(1);
  });

  test('with one of several links, and the others become invalid', async () => {
    const first = await linkFor('ella@example.com');
    await ask('ella@example.com');
    const second = linkIn(await letterTo('ella@example.com', 2));
    const browser = latchkey.browser();
    await create(browser, await browser.get(first), { username: 'ella' });
    expect((await browser.get(second)).status).toBe(404);
  });

  test('not with a link to an address that got an account after the link was sent', async () => {
    const link = await linkFor('fay@example.com');
    const browser = latchkey.browser();
    const page = await browser.get(link);
    await owner.post('/users', { username: 'fay', email: 'fay@example.com', password });
    expect((await create(browser, page, { username: 'fay-2' })).status).toBe(404);
    expect(await users('fay@example.com')).toEqual([expect.objectContaining({ username: 'fay' })]);
  });

  test('with a form that shows what is wrong, and keeps the input', async () => {
    const browser = latchkey.browser(undefined, 'de');
    const page = await browser.get(await linkFor('gina@example.com'));
    const cases: [Record<string, string>, string][] = [
      [{ username: 'alice' }, 'Dieser Benutzername ist vergeben.'],
      [{ username: 'no spaces' }, 'Geben Sie einen Benutzernamen'],
      [{ username: '0'.repeat(32) }, 'Geben Sie einen Benutzernamen'],
      [{ username: 'gina', password: 'password1', password_repeated: 'password1' }, 'Passwort'],
      [{ username: 'gina', password_repeated: 'other' }, 'Die beiden Passwörter sind nicht gleich'],
    ];
    for (const [fields, says] of cases) {
      const answer = await create(browser, page, fields);
      expect([answer.status, wordsOf(answer)]).toEqual([422, expect.stringContaining(says)]);
      expect(answer.html).toContain('value="Ada"');
    }
    expect(await users('gina@example.com')).toEqual([]);
    // Existing usernames cannot be probed with it.
    for (let n = 0; n < 20; n += 1) await create(browser, page, { username: 'alice' });
    expect((await create(browser, page, { username: 'gina' })).status).toBe(429);
  });

  test('with a form that other sites cannot send, and a link to the issuer', async () => {
    const browser = latchkey.browser();
    const page = await browser.get('/sign-up');
    expect(
      (await browser.submit(page, { email: 'x@example.com' }, '/sign-up', { origin: 'https://evil.example' })).status,
    ).toBe(403);
    const named = await browser.get('/sign-up?interaction=https://evil.example/');
    expect(named.html).not.toContain('evil');
    const opened = await browser.get(await linkFor('hana@example.com'));
    const foreign = { origin: 'https://evil.example' };
    expect((await browser.submit(opened, { username: 'hana' }, '/sign-up/', foreign)).status).toBe(403);
  });

  test('with limited mail: three links an e-mail address and twenty requests an IP address in a quarter of an hour', async () => {
    const browser = latchkey.browser();
    for (let n = 0; n < 5; n += 1) await ask('Ida@example.com', browser);
    await worked();
    expect(lettersTo('Ida@example.com')).toHaveLength(3);
    for (let n = 0; n < 15; n += 1) await ask('alice', browser);
    const stopped = await ask('ida@example.com', browser);
    expect(stopped.status).toBe(429);
    expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('with a link that works for an hour, and is deleted later', async () => {
    const link = await linkFor('jana@example.com');
    await latchkey.advance(3540);
    expect((await latchkey.browser().get(link)).status).toBe(200);
    await latchkey.advance(61);
    expect((await latchkey.browser().get(link)).status).toBe(404);
  });
});
