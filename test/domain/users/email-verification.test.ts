import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { consoleAs, wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type Letter, MailServer, plain } from '../../support/mail-server.ts';

describe('a verified e-mail address', () => {
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
  afterAll(() => mail.close());

  const linkIn = ({ source }: Letter) => /http:\/\/\S+\/password\/lk_pw_\w+/.exec(plain(source))?.[0] ?? '';
  const lettersTo = (address: string) => mail.letters.filter(({ to }) => to.includes(address));
  const letterTo = async (address: string): Promise<Letter> => {
    const [letter] = await eventually(
      () => lettersTo(address),
      ({ length }) => length > 0,
      { withinMs: 120_000 },
    );
    if (!letter) throw new Error('no letter');
    return letter;
  };
  const person = async (username: string, more: Record<string, unknown> = {}) => {
    const answer = await owner.post('/users', { username, email: `${username}@example.com`, ...more });
    expect(answer).toMatchObject({ status: 201 });
    return answer.body;
  };
  const read = async (username: string) => {
    const { email, email_verified, email_verified_by, email_verified_at } = (await owner.get(`/users/${username}`))
      .body;
    return { email, email_verified, by: email_verified_by, has_time: email_verified_at !== null };
  };
  const choose = async (link: string) => {
    const browser = latchkey.browser();
    return browser.submit(await browser.get(link), { password, password_repeated: password });
  };
  const eventsOf = async (id: unknown) => {
    const actions = ['user.email_verified', 'user.email_unverified'];
    const events = (await Promise.all(actions.map((action) => latchkey.auditEvents(action)))).flat();
    return events.filter(({ target_id }) => target_id === id).map(({ action, details }) => ({ action, details }));
  };
  const unverified = { email_verified: false, by: null, has_time: false };

  test('is one whose mailed link was used, which userinfo shows at once (OIDC Core §5.1)', async () => {
    const { id } = await person('ivy', { invite: true });
    const letter = await letterTo('ivy@example.com');
    expect(await read('ivy')).toEqual({ email: 'ivy@example.com', ...unverified });
    await latchkey.browser().get(linkIn(letter));
    // Mail filters open links: only a used one proves anything.
    expect(await read('ivy')).toMatchObject(unverified);
    await choose(linkIn(letter));
    expect(await read('ivy')).toEqual({
      email: 'ivy@example.com',
      email_verified: true,
      by: 'link',
      has_time: true,
    });
    expect(await eventsOf(id)).toEqual([{ action: 'user.email_verified', details: { by: 'link' } }]);
    const { access_token } = await latchkey.tokens(
      { scope: 'openid email', resource: null },
      latchkey.browser(),
      'ivy',
    );
    const response = await fetch(`${latchkey.issuer}/oauth/userinfo`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    expect(await response.json()).toMatchObject({ email: 'ivy@example.com', email_verified: true });
  });

  test('is not one whose link an administrator passed on', async () => {
    await person('jane');
    const { url } = await latchkey.commandJson(['user', 'password-link', 'jane'], '', {
      LATCHKEY_ISSUER: latchkey.issuer,
    });
    await choose(String(url));
    expect(await read('jane')).toMatchObject(unverified);
    expect(await latchkey.tokens({}, latchkey.browser(), 'jane')).toHaveProperty('access_token');
  });

  test('is unverified once it is changed, also by letter case, and stays so when it is changed back', async () => {
    const { id } = await person('kim');
    await owner.post('/users/kim/verify-email', { email: 'kim@example.com' });
    await owner.patch('/users/kim', { name: 'Kim' });
    expect(await read('kim')).toMatchObject({ email_verified: true, by: 'administrator', has_time: true });
    for (const email of ['Kim@example.com', 'kim@example.com', null]) {
      await owner.patch('/users/kim', { email });
      expect(await read('kim')).toEqual({ email, ...unverified });
    }
    expect(await eventsOf(id)).toEqual([
      { action: 'user.email_verified', details: { by: 'administrator' } },
      { action: 'user.email_unverified', details: { address_changed: true } },
    ]);
  });

  test('is not one that an older link was not mailed to: that link stops working', async () => {
    await person('liz', { invite: true });
    const link = linkIn(await letterTo('liz@example.com'));
    const browser = latchkey.browser();
    const page = await browser.get(link);
    await owner.patch('/users/liz', { email: 'elizabeth@example.com' });
    expect((await browser.submit(page, { password, password_repeated: password })).status).toBe(404);
    expect((await browser.get(link)).status).toBe(404);
    // It is not restored with the address either.
    await owner.patch('/users/liz', { email: 'liz@example.com' });
    expect((await browser.get(link)).status).toBe(404);
    expect(await read('liz')).toEqual({ email: 'liz@example.com', ...unverified });
  });

  test('is never the new one when a link is used while the address changes', async () => {
    const names = Array.from({ length: 8 }, (_, n) => `racer-${n}`);
    for (const name of names) await person(name, { invite: true });
    for (const name of names) await letterTo(`${name}@example.com`);
    await Promise.all(
      names.map(async (name) => {
        const browser = latchkey.browser();
        const [letter] = lettersTo(`${name}@example.com`);
        const page = letter && (await browser.get(linkIn(letter)));
        await Promise.all([
          page && browser.submit(page, { password, password_repeated: password }),
          owner.patch(`/users/${name}`, { email: `other-${name}@example.com` }),
        ]);
        expect(await read(name)).toEqual({ email: `other-${name}@example.com`, ...unverified });
      }),
    );
  });

  test('is never verified by a node of a version that does not record how', async () => {
    await person('max', { email_verified: true });
    // The row that a node of the previous version writes.
    await latchkey.database.query(`update users set email = 'max@other.example' where username = 'max'`);
    expect(await read('max')).toEqual({ email: 'max@other.example', ...unverified });
  });

  describe('verification by an administrator', () => {
    test('names the verified address, and is refused when it has changed', async () => {
      const { id } = await person('nora');
      const verify = (email: unknown) => owner.post('/users/nora/verify-email', { email });
      expect(await verify('nora@elsewhere.example')).toMatchObject({ status: 409 });
      expect(await verify(undefined)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/email' }] } });
      expect(
        await owner.post(`/users/${(await person('otto', { email: undefined })).id}/verify-email`, {
          email: 'otto@example.com',
        }),
      ).toMatchObject({ status: 409 });
      expect(await verify('nora@example.com')).toMatchObject({
        status: 200,
        body: { email_verified: true, email_verified_by: 'administrator', email_verified_at: expect.any(String) },
      });
      expect(await verify('nora@example.com')).toMatchObject({ status: 200 });
      expect(await owner.post('/users/nora/unverify-email')).toMatchObject({
        status: 200,
        body: { email_verified: false, email_verified_by: null, email_verified_at: null },
      });
      expect(await owner.post('/users/nora/unverify-email')).toMatchObject({ status: 200 });
      expect(await eventsOf(id)).toEqual([
        { action: 'user.email_verified', details: { by: 'administrator' } },
        { action: 'user.email_unverified', details: { address_changed: false } },
      ]);
    });

    test('needs a permission of its own, and all that the user holds', async () => {
      await person('paul');
      const writer = await asService(latchkey, owner, { permissions: ['latchkey:user:write', 'latchkey:user:read'] });
      const verifier = await asService(latchkey, owner, { permissions: ['latchkey:user:verify_email'] });
      const body = { email: 'paul@example.com' };
      for (const verb of ['verify-email', 'unverify-email'])
        expect(await writer.post(`/users/paul/${verb}`, body)).toMatchObject({ status: 403 });
      expect(
        await writer.post('/users', { username: 'pia', email: 'pia@example.com', email_verified: true }),
      ).toMatchObject({ status: 403, body: { detail: expect.stringContaining('latchkey:user:verify_email') } });
      expect(await writer.patch('/users/paul', { email_verified: true })).toMatchObject({ status: 400 });
      expect(await verifier.post('/users/alice/verify-email', { email: 'alice@example.com' })).toMatchObject({
        status: 403,
      });
      expect(await verifier.post('/users/paul/verify-email', body)).toMatchObject({ status: 200 });
      expect(await read('paul')).toMatchObject({ email_verified: true, by: 'administrator' });
    });

    test('is possible for a new account, with an address only', async () => {
      expect(await person('rita', { email_verified: true })).toMatchObject({ email_verified_by: 'administrator' });
      expect(await owner.post('/users', { username: 'sam', email_verified: true })).toMatchObject({
        status: 400,
        body: { pointer: '/email_verified' },
      });
    });

    test('requires the password in the console after ten minutes, and shows how the address was verified', async () => {
      await person('tina');
      const alice = await consoleAs(latchkey);
      expect(wordsOf(await alice.get('/users/tina'))).toContain('Not verified');
      await latchkey.advance(601);
      owner = await asOwner(latchkey);
      const page = await alice.get('/users/tina/verify-email');
      expect(page.html).toContain('name="password_again"');
      await alice.send(page, { email: 'tina@example.com' });
      expect(await read('tina')).toMatchObject(unverified);
      await alice.send(page, { email: 'tina@example.com', password_again: password });
      expect(wordsOf(await alice.get('/users/tina'))).toContain('Verified by an administrator');
      await alice.send(await alice.get('/users/tina/unverify-email'), {});
      expect(await read('tina')).toMatchObject(unverified);
    });

    test('is possible from the command line', async () => {
      await person('uwe');
      const wrong = await latchkey.command(['user', 'verify-email', 'uwe', '--email', 'other@example.com']);
      expect(wrong).toMatchObject({ code: 1 });
      expect(await latchkey.commandJson(['user', 'verify-email', 'uwe', '--email', 'uwe@example.com'])).toMatchObject({
        username: 'uwe',
        email: 'uwe@example.com',
        email_verified: true,
      });
      expect(await read('uwe')).toMatchObject({ email_verified: true, by: 'administrator' });
      await latchkey.commandJson(['user', 'unverify-email', 'uwe']);
      expect(await read('uwe')).toMatchObject(unverified);
    });
  });

  test('can be imported, and is kept with its source when the file is applied again', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-people-'));
    const file = path.join(folder, 'people.json');
    const apply = async (vera: Record<string, unknown>) => {
      await writeFile(file, JSON.stringify({ users: [{ username: 'vera', password, ...vera }] }));
      return latchkey.command(['apply', file, '--json']);
    };
    expect(await apply({ email: 'vera@example.com', email_verified: true })).toMatchObject({ code: 0 });
    expect(await read('vera')).toMatchObject({ email_verified: true, by: 'import', has_time: true });
    expect((await apply({ email: 'vera@example.com' })).stdout).toContain('unchanged');
    await apply({ email: 'vera@new.example' });
    expect(await read('vera')).toMatchObject(unverified);
    const refused = await apply({ email_verified: true });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('/users/0/email_verified');
    const { code, stdout } = await latchkey.command(['export', '--json']);
    await rm(folder, { recursive: true });
    expect({ code, users: JSON.parse(stdout).users }).toMatchObject({
      users: expect.arrayContaining([expect.objectContaining({ username: 'ivy', email_verified: true })]),
    });
  });
});
