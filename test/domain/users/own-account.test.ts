import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type Letter, MailServer, plain } from '../../support/mail-server.ts';
import type { UserAgent } from '../../support/user-agent.ts';

describe('a user’s own account', () => {
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
  beforeEach(() => latchkey.database.query('delete from throttles'));
  afterAll(() => mail.close());

  const linkTo = async (address: string, path: string) => {
    const pattern = new RegExp(`http://\\S+/${path}/lk_em_\\w+`);
    const links = () =>
      mail.letters
        .filter(({ to }) => to.includes(address))
        .flatMap(({ source }: Letter) => pattern.exec(plain(source))?.[0] ?? []);
    return String((await eventually(links, ({ length }) => length > 0, { withinMs: 120_000 })).at(-1));
  };
  const person = async (username: string, more: Record<string, unknown> = {}) => {
    const given = { username, email: `${username}@example.com`, email_verified: true, password, ...more };
    const answer = await owner.post('/users', given);
    expect(answer).toMatchObject({ status: 201 });
    return String(answer.body.id);
  };
  const signIn = async (login: string, typed = password) => {
    const browser = latchkey.browser();
    const page = await browser.submit(await browser.get('/sign-in'), { login, password: typed }, '/sign-in');
    expect(new URL(page.url).pathname).toBe('/account');
    return browser;
  };
  const changeTo = async (browser: UserAgent, email: string) =>
    browser.submit(await browser.get('/account/email'), { email }, '/account/email');
  const addressOf = async (id: string) => {
    const { email, email_verified, email_verified_by } = (await owner.get(`/users/id:${id}`)).body;
    return { email, email_verified, email_verified_by };
  };
  const verified = { email_verified: true, email_verified_by: 'link' };

  test('changes its address once the link to it is opened, and the previous address can undo that', async () => {
    const id = await person('vera');
    const browser = await signIn('vera');
    const asked = await changeTo(browser, 'vera.new@example.com');
    expect(wordsOf(asked)).toContain('the new address takes effect once you have opened the link');
    const link = await linkTo('vera.new@example.com', 'account/email/confirm');
    const page = await browser.get(link);
    expect(await addressOf(id)).toMatchObject({ email: 'vera@example.com' });
    expect(wordsOf(await browser.submit(page, {}, '/confirm/'))).toContain('Your e-mail address is changed.');
    expect(await addressOf(id)).toEqual({ email: 'vera.new@example.com', ...verified });
    expect((await browser.get(link)).status).toBe(404);

    const { refresh_token } = await latchkey.tokens({}, latchkey.browser(), 'vera');
    const undo = await linkTo('vera@example.com', 'undo-email-change');
    const anyone = latchkey.browser();
    const form = await anyone.get(undo);
    expect(await addressOf(id)).toMatchObject({ email: 'vera.new@example.com' });
    expect(wordsOf(await anyone.submit(form))).toContain('Change undone');
    expect(await addressOf(id)).toEqual({ email: 'vera@example.com', ...verified });
    expect(new URL((await browser.get('/account')).url).pathname).toBe('/sign-in');
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ body: { error: 'invalid_grant' } });
    expect((await anyone.get(undo)).status).toBe(404);
    const events = (await latchkey.auditEvents('user.email_changed')).filter(({ target_id }) => target_id === id);
    expect(events.map(({ details }) => details)).toEqual([null, { undone: true }]);
    expect(JSON.stringify(events)).not.toContain('example.com');
  });

  test('is not changed by a stranger who gets the link', async () => {
    const id = await person('tim');
    await person('mallory');
    await changeTo(await signIn('tim'), 'tim.mistyped@example.com');
    const link = await linkTo('tim.mistyped@example.com', 'account/email/confirm');
    const path = new URL(link).pathname;
    const nobody = await latchkey.browser().get(link);
    expect(new URL(nobody.url).pathname).toBe('/sign-in');
    const stranger = await signIn('mallory');
    expect((await stranger.get(link)).status).toBe(404);
    const csrf = /name="csrf" value="([^"]*)"/.exec((await stranger.get('/account/password')).html)?.[1] ?? '';
    expect((await stranger.post(path, new URLSearchParams({ csrf }))).status).toBe(404);
    expect(await addressOf(id)).toMatchObject({ email: 'tim@example.com' });
  });

  test('is recovered from an attacker who changes the address twice, and the attacker cannot undo that', async () => {
    const id = await person('otto');
    const thief = await signIn('otto');
    for (const email of ['thief1@example.com', 'thief2@example.com']) {
      await changeTo(thief, email);
      await thief.submit(await thief.get(await linkTo(email, 'account/email/confirm')), {}, '/confirm/');
    }
    expect(await addressOf(id)).toMatchObject({ email: 'thief2@example.com' });
    const theirs = await linkTo('thief1@example.com', 'undo-email-change');
    const own = await linkTo('otto@example.com', 'undo-email-change');
    const browser = latchkey.browser();
    await browser.submit(await browser.get(own));
    expect(await addressOf(id)).toMatchObject({ email: 'otto@example.com' });
    expect((await latchkey.browser().get(theirs)).status).toBe(404);
  });

  test('does not return to an address that someone else set before the user got permissions', async () => {
    const permissions = ['write', 'verify_email'].map((verb) => `latchkey:user:${verb}`);
    const helper = await asService(latchkey, owner, { permissions });
    const created = { username: 'yuri', email: 'not-yuri@example.com', email_verified: true, password };
    const { body } = await helper.post('/users', created);
    const browser = await signIn('yuri');
    await changeTo(browser, 'yuri@example.com');
    await browser.submit(await browser.get(await linkTo('yuri@example.com', 'account/email/confirm')), {}, '/confirm/');
    const undo = await linkTo('not-yuri@example.com', 'undo-email-change');
    await owner.put('/roles/owner/assignments/user/yuri', {});
    const thief = latchkey.browser();
    expect((await thief.submit(await thief.get(undo))).status).toBe(404);
    expect(await addressOf(String(body.id))).toEqual({ email: 'yuri@example.com', ...verified });
    await owner.delete('/roles/owner/assignments/user/yuri');
    expect(wordsOf(await thief.submit(await thief.get(undo)))).toContain('Change undone');
  });

  test('cannot take the address of another user, and does not reveal that it exists', async () => {
    const id = await person('nina');
    const browser = await signIn('nina');
    const free = await changeTo(browser, 'nobody.there@example.com');
    const taken = await changeTo(browser, 'ALICE@example.com');
    const shown = ({ html }: { html: string }) => html.replaceAll(/Request [\w-]+|value="[\w-]{43}"/g, '');
    expect({ status: taken.status, html: shown(taken) }).toEqual({ status: free.status, html: shown(free) });
    const link = await linkTo('ALICE@example.com', 'account/email/confirm');
    expect((await browser.submit(await browser.get(link), {}, '/confirm/')).status).toBe(404);
    // A newer request cancels the previous one.
    expect((await browser.get(await linkTo('nobody.there@example.com', 'account/email/confirm'))).status).toBe(404);
    for (const email of ['not an address', 'nina@exämple.com'])
      expect((await changeTo(browser, email)).status).toBe(400);
    expect(await addressOf(id)).toMatchObject({ email: 'nina@example.com' });
  });

  test('has no undo link for an address that was never verified, nor after an administrator changed it', async () => {
    const id = await person('una', { email_verified: false });
    const browser = await signIn('una');
    await changeTo(browser, 'una.new@example.com');
    await browser.submit(
      await browser.get(await linkTo('una.new@example.com', 'account/email/confirm')),
      {},
      '/confirm/',
    );
    await changeTo(browser, 'una.third@example.com');
    const third = await linkTo('una.third@example.com', 'account/email/confirm');
    expect(mail.letters.filter(({ to }) => to.includes('una@example.com'))).toEqual([]);
    await owner.patch(`/users/id:${id}`, { email: 'una.admin@example.com' });
    expect((await browser.get(third)).status).toBe(404);
    expect(await addressOf(id)).toMatchObject({ email: 'una.admin@example.com', email_verified: false });
  });

  test('is deleted with what the page lists: sessions, tokens, keys, roles, name and addresses', async () => {
    const id = await person('dora', { name: 'Dora Example', roles: ['auditor'] });
    const { refresh_token, access_token } = await latchkey.tokens({}, latchkey.browser(), 'dora');
    const elsewhere = await signIn('dora');
    const browser = await signIn('dora@example.com');
    const page = await browser.get('/account/delete');
    expect(wordsOf(page)).toContain('3 sessions');
    await latchkey.database.query(
      `insert into factors (id, user_id, kind, name, passkey_id, public_key, sign_count, is_backed_up, created_at)
        values (gen_random_uuid(), $1, 'passkey', 'Laptop', 'id of dora', 'key', 0, false, now())`,
      [id],
    );
    expect((await browser.submit(page, {}, '/account/delete')).status).toBe(200);

    expect([await latchkey.isActive(access_token), (await latchkey.refresh(refresh_token)).status]).toEqual([
      false,
      400,
    ]);
    for (const each of [browser, elsewhere])
      expect(new URL((await each.get('/account')).url).pathname).toBe('/sign-in');
    const { body } = await owner.get(`/users/id:${id}`);
    expect(body).toMatchObject({ enabled: false, email: null, name: null, roles: [], has_password: false });
    expect((await owner.get(`/users/id:${id}/factors`)).body.items).toEqual([]);
    expect(await owner.patch(`/users/id:${id}`, { enabled: true })).toMatchObject({ status: 409 });
    const { rows } = await latchkey.database.query(
      `select u::text, (select count(*)::int from audit_events e join audit_personal_details p on p.event_id = e.id
        where e.actor_id = $1::text or e.target_id = $1::text) as details from users u where id = $1::uuid`,
      [id],
    );
    expect(rows[0].u).not.toMatch(/dora/i);
    expect(rows[0].details).toBe(0);
    expect((await latchkey.auditEvents('user.deleted')).map(({ target_id }) => target_id)).toContain(id);
    const gone = await eventually(
      () =>
        mail.letters.find(({ to, source }) => to.includes('dora@example.com') && plain(source).includes('was deleted')),
      Boolean,
      { withinMs: 120_000 },
    );
    expect(gone).toBeTruthy();
    // The name is free again, and now belongs to another subject.
    expect(await person('dora')).not.toBe(id);
  });

  test('of the last owner cannot be deleted', async () => {
    const browser = await signIn('alice');
    const refused = await browser.submit(await browser.get('/account/delete'), {}, '/account/delete');
    expect(refused.status).toBe(409);
    expect(wordsOf(refused)).toContain('This is the last owner');
    expect((await owner.get('/users/alice')).body).toMatchObject({ enabled: true, roles: ['owner'] });
  });

  test('has a link to a new address that works for an hour', async () => {
    await person('zoe');
    const browser = await signIn('zoe');
    await changeTo(browser, 'zoe.new@example.com');
    const link = await linkTo('zoe.new@example.com', 'account/email/confirm');
    expect((await browser.get(link)).status).toBe(200);
    await latchkey.advance(3601);
    expect((await browser.get(link)).status).toBe(404);
  });
});
