import { request } from 'node:http';
import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type Letter, MailServer, plain } from '../../support/mail-server.ts';
import { Statements } from '../../support/statements.ts';

const better = 'seven wild horses';

describe('a forgotten password', () => {
  let mail: MailServer;
  let statements: Statements;
  const latchkey = startLatchkey({
    prepare: async () => {
      mail = await MailServer.open();
      statements = await Statements.open();
      return { env: mail.settings, through: statements.through };
    },
  });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });
  beforeEach(() => latchkey.database.query('delete from throttles'));
  afterAll(() => Promise.all([mail.close(), statements.close()]));

  const linkIn = ({ source }: Letter) => /http:\/\/\S+\/password\/lk_pw_\w+/.exec(plain(source))?.[0] ?? '';
  const lettersTo = (address: string) => mail.letters.filter(({ to }) => to.includes(address));
  const arrivedAt = (address: string, count = 1) =>
    eventually(
      () => lettersTo(address),
      ({ length }) => length >= count,
      { withinMs: 120_000 },
    );
  const nextLinkTo = async (address: string, count = 1) =>
    linkIn((await arrivedAt(address, count))[count - 1] as Letter);
  /** Every request so far has been processed. */
  const worked = () =>
    eventually(
      async () => {
        const { rows } = await latchkey.database.query(
          "select count(*)::int as open from pgboss.job where name in ('recovery', 'mail') and state < 'completed'",
        );
        return rows[0].open;
      },
      (open) => open === 0,
      { withinMs: 120_000 },
    );
  const person = async (username: string, more: Record<string, unknown> = {}) => {
    const answer = await owner.post('/users', {
      ...{ username, email: `${username}@example.com`, email_verified: true, password },
      ...more,
    });
    expect(answer).toMatchObject({ status: 201 });
    return String(answer.body.id);
  };
  const ask = async (login: string, browser = latchkey.browser()) =>
    browser.submit(await browser.get('/forgot-password'), { login });
  const choose = async (link: string, chosen = better) => {
    const browser = latchkey.browser();
    return browser.submit(await browser.get(link), { password: chosen, password_repeated: chosen });
  };
  const signsIn = async (login: string, typed: string) => {
    const browser = latchkey.browser();
    const page = await browser.submit(await browser.get('/sign-in'), { login, password: typed }, '/sign-in');
    return new URL(page.url).pathname === '/account';
  };
  const refusals = async (user_id: string | null) =>
    (await latchkey.auditEvents('recovery.refused'))
      .filter(({ target_id }) => target_id === user_id)
      .map(({ reason }) => reason);

  test('is replaced with a link mailed to the account, which ends all other sessions', async () => {
    const id = await person('rosa');
    const elsewhere = latchkey.browser();
    const { refresh_token, access_token } = await latchkey.tokens({}, elsewhere, 'rosa');
    expect(wordsOf(await ask('Rosa@Example.COM'))).toContain('Check your e-mail');
    const link = await nextLinkTo('rosa@example.com');
    expect(link.startsWith(`${latchkey.issuer}/password/`)).toBe(true);
    // Opening the link, as mail filters do, changes nothing.
    await latchkey.browser().get(link);
    expect(await latchkey.isActive(access_token)).toBe(true);
    expect(new URL((await choose(link)).url).pathname).toBe('/account');
    expect(await latchkey.isActive(access_token)).toBe(false);
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } });
    expect(new URL((await elsewhere.get('/account')).url).pathname).toBe('/sign-in');
    expect([await signsIn('rosa', password), await signsIn('rosa', better)]).toEqual([false, true]);
    const notice = (await arrivedAt('rosa@example.com', 2))[1];
    expect(notice?.source).toContain('Subject: Your password for Example & Sons was changed');
    const [made] = (await latchkey.auditEvents('user.password_link_created')).filter(
      ({ target_id }) => target_id === id,
    );
    expect(made).toMatchObject({ actor_kind: 'anonymous', details: { by_mail: true, requested: true } });
    expect(made?.address).toBeTruthy();
  });

  test('is requested with the same response and the same statements for any account', async () => {
    await person('known');
    await person('unsure', { email_verified: false });
    await person('mailless', { email: undefined, email_verified: undefined });
    await person('gone');
    await owner.post('/users/gone/disable');
    const logins = ['known', 'known@example.com', 'unsure@example.com', 'mailless', 'gone', 'nobody', 'no@example.com'];
    const seen: string[] = [];
    for (const login of logins) {
      const browser = latchkey.browser();
      const page = await browser.get('/forgot-password');
      let answer = page;
      // Without the statements of the job, which may run meanwhile.
      const own = await statements.of(
        /sign-in recovery-address:|insert into pgboss[^-]*'recovery' as name/i,
        async () => {
          answer = await browser.submit(page, { login });
        },
      );
      expect(own.length).toBeGreaterThanOrEqual(2);
      await worked();
      const html = answer.html.replaceAll(/Request [\w-]+|value="[\w-]{43}"/g, '');
      seen.push(JSON.stringify({ status: answer.status, html, own: own.length }));
    }
    expect(new Set(seen).size).toBe(1);
    expect(lettersTo('known@example.com')).toHaveLength(2);
    expect([lettersTo('unsure@example.com'), lettersTo('gone@example.com')]).toEqual([[], []]);
    expect(await refusals(null)).toContain('unknown account');
    // The input is not readable in the job.
    const { rows } = await latchkey.database.query("select data::text from pgboss.job where name = 'recovery'");
    expect(rows.length).toBeGreaterThanOrEqual(logins.length);
    expect(JSON.stringify(rows)).not.toMatch(/known|nobody/);
  });

  test('has a link that one of thirty simultaneous requests can use', async () => {
    const id = await person('rita');
    await ask('rita');
    const link = await nextLinkTo('rita@example.com');
    const browser = latchkey.browser();
    const page = await browser.get(link);
    const tried = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        browser
          .submit(page, { password: `${better} ${n}`, password_repeated: `${better} ${n}` })
          .catch(() => undefined),
      ),
    );
    expect(tried.filter((each) => each?.status === 200 && each.url.endsWith('/account'))).not.toHaveLength(0);
    expect((await browser.get(link)).status).toBe(404);
    expect(
      (await latchkey.auditEvents('user.password_chosen')).filter(({ target_id }) => target_id === id),
    ).toHaveLength(1);
  });

  test('has a link that expires when the address changes, and the new address gets none until it is verified', async () => {
    await person('noa');
    await ask('noa');
    const link = await nextLinkTo('noa@example.com');
    await owner.patch('/users/noa', { email: 'mallory@example.com' });
    expect((await latchkey.browser().get(link)).status).toBe(404);
    await ask('noa');
    await ask('mallory@example.com');
    await worked();
    expect(lettersTo('mallory@example.com')).toEqual([]);
  });

  test('is not replaced through an address that someone else set before the user got permissions', async () => {
    const permissions = ['write', 'verify_email', 'reset_password'].map((verb) => `latchkey:user:${verb}`);
    const helper = await asService(latchkey, owner, { permissions });
    const address = 'not-zoe@example.com';
    const created = { username: 'zoe', email: address, email_verified: true, password };
    expect(await helper.post('/users', created)).toMatchObject({ status: 201 });
    const id = String((await owner.get('/users/zoe')).body.id);
    // One link of each kind is active when the permissions are assigned.
    await helper.post('/users/zoe/password-link');
    const sent = await nextLinkTo(address);
    await ask('zoe');
    const asked = await nextLinkTo(address, 2);
    const [role, at] = [`zoes-${crypto.randomUUID().slice(0, 8)}`, `${latchkey.issuer}/admin`];
    const permissionsOfRole = [{ resource: at, pattern: 'latchkey:client:write' }];
    expect(await owner.post('/roles', { name: role, permissions: permissionsOfRole })).toMatchObject({ status: 201 });
    expect((await owner.put(`/roles/${role}/assignments/user/zoe`, {})).status).toBeLessThan(300);
    for (const link of [asked, sent]) expect((await choose(link)).status).toBe(404);
    await ask('zoe');
    await eventually(
      () => refusals(id),
      (reasons) => reasons.includes('e-mail address set by another'),
      { withinMs: 120_000 },
    );
    // The link is shown to the administrator, and not mailed to this address.
    const { body } = await owner.post('/users/zoe/password-link');
    expect([body.url, body.mailed_to]).toEqual([expect.stringContaining('/password/'), undefined]);
    // Unlike a verified address, this one also gets no link that undoes the user's own change.
    const browser = latchkey.browser();
    const own = { password: better, password_repeated: better };
    await browser.submit(await browser.get(String(body.url)), own);
    await browser.submit(await browser.get('/account/email'), { email: 'zoe@example.com' }, '/email');
    const [letter] = await arrivedAt('zoe@example.com');
    const confirm = /http:\/\/\S+\/account\/email\/confirm\/\w+/.exec(plain(letter?.source ?? ''))?.[0] ?? '';
    await browser.submit(await browser.get(confirm), {}, '/confirm/');
    await worked();
    expect(
      lettersTo(address)
        .map(({ source }) => plain(source))
        .join(),
    ).not.toContain('undo-email-change');
    // The user verified this one with a link.
    await ask('zoe');
    expect(await nextLinkTo('zoe@example.com', 2)).toContain('/password/');
  });

  test('has a link to the issuer, whatever host the request names', async () => {
    await person('hana');
    const browser = latchkey.browser();
    const page = await browser.get('/forgot-password');
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.html)?.[1] ?? '';
    const body = new URLSearchParams({ csrf, login: 'hana' }).toString();
    const { hostname, port } = new URL(latchkey.issuer);
    const send = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) };
        const cookie = browser.cookieHeader(`${latchkey.issuer}/forgot-password`);
        const options = { method: 'POST', hostname, port, path: '/forgot-password' };
        request({ ...options, headers: { ...form, cookie, ...headers } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end(body);
      });
    expect(await send({ host: 'evil.example' })).toBe(421);
    await worked();
    expect(lettersTo('hana@example.com')).toEqual([]);
    await send({ 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' });
    expect(linkIn((await arrivedAt('hana@example.com'))[0] as Letter)).toContain(`${latchkey.issuer}/password/`);
  });

  test('sends limited mail: five links an account and twenty requests an address in a quarter of an hour', async () => {
    const id = await person('ida');
    const browser = latchkey.browser();
    for (let n = 0; n < 7; n += 1) await ask('ida', browser);
    await worked();
    expect(lettersTo('ida@example.com')).toHaveLength(5);
    expect(await refusals(id)).toEqual(expect.arrayContaining(['throttled']));
    // The first of the links still works: a new request does not cancel it.
    expect((await latchkey.browser().get(linkIn(lettersTo('ida@example.com')[0] as Letter))).status).toBe(200);
    for (let n = 0; n < 13; n += 1) await ask('nobody', browser);
    const stopped = await ask('nobody', browser);
    expect(stopped.status).toBe(429);
    expect(Number(stopped.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(wordsOf(stopped)).toContain('Too many requests');
  });

  test('is requested on the way to a client, and the user returns there', async () => {
    const browser = latchkey.browser();
    const signIn = await browser.get(latchkey.authorizeUrl());
    const href = /href="(\/forgot-password[^"]*)"/.exec(signIn.html)?.[1] ?? '';
    const asked = await browser.submit(await browser.get(href), { login: 'alice' });
    const back = /href="(\/interaction\/[^"]*)"/.exec(asked.html)?.[1] ?? '';
    expect(wordsOf(await browser.get(back))).toContain('to continue to Shop');
    const elsewhere = await browser.get('/forgot-password?interaction=https://evil.example/');
    expect(elsewhere.html).not.toContain('evil');
  });

  test('is requested and replaced in German, too', async () => {
    await person('gerda', { language: 'de' });
    const browser = latchkey.browser(undefined, 'de');
    expect(wordsOf(await ask('gerda', browser))).toContain('Prüfen Sie Ihre E-Mails');
    const [letter] = await arrivedAt('gerda@example.com');
    expect(plain(letter?.source ?? '')).toContain('legen Sie mit diesem Link ein neues fest');
  });

  test('has a form that other sites cannot send', async () => {
    const browser = latchkey.browser();
    const page = await browser.get('/forgot-password');
    const answer = await browser.submit(page, { login: 'alice' }, '', { origin: 'https://evil.example' });
    expect(answer.status).toBe(403);
  });

  test('has a link that works for half an hour', async () => {
    await person('sina');
    await ask('sina');
    const link = await nextLinkTo('sina@example.com');
    await latchkey.advance(1740);
    expect((await latchkey.browser().get(link)).status).toBe(200);
    await latchkey.advance(61);
    expect((await latchkey.browser().get(link)).status).toBe(404);
  });
});
