import { hash } from '@node-rs/argon2';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { withConfiguration } from '../../support/configuration-file.ts';
import { startLatchkey } from '../../support/latchkey.ts';

// The same password from two keyboards: é as one character, and as e with a combining accent.
const composed = 'Café crème ångström';
const decomposed = composed.normalize('NFD');

describe('a password is compared in one form (RFC 8265 §4.2.2; NIST SP 800-63B-4 §3.1.1.2)', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  const isLetIn = async (login: string, password: string) => {
    const browser = latchkey.browser();
    const page = await browser.submit(await browser.get('/sign-in'), { login, password }, '/sign-in');
    return page.url === `${latchkey.issuer}/account`;
  };
  const newUser = async (password: string) => {
    const username = `user-${crypto.randomUUID().slice(0, 8)}`;
    const { status, body } = await owner.post('/users', { username, password });
    return { username, status, detail: String(body.detail) };
  };
  const storedOf = async (username: string) => {
    const { rows } = await latchkey.database.query(
      `select hash, form, updated_at from credentials where user_id = (select id from users where username = $1)`,
      [username],
    );
    return rows[0];
  };
  /** As an older version, or an import, left it. */
  const storeAsTyped = async (username: string, typed: string) => {
    const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
    await latchkey.database.query(
      `update credentials set hash = $1, updated_at = now() - interval '1 hour'
        where user_id = (select id from users where username = $2)`,
      [await hash(typed, parameters), username],
    );
  };

  test.each([
    ['set composed, typed decomposed', composed, decomposed],
    ['set decomposed, typed composed', decomposed, composed],
    ['set with a no-break space, typed with a space', 'a\u00a0good password', 'a good password'],
    ['set with an ideographic space, typed with a space', 'a good\u3000password', 'a good password'],
    ['set with a singleton (Ångström sign), typed as a letter', 'ten \u212bngstroms', 'ten \u00c5ngstroms'],
  ])('%s', async (_, set, typed) => {
    const { username } = await newUser(set);
    expect([await isLetIn(username, typed), await isLetIn(username, set)]).toEqual([true, true]);
    expect(await storedOf(username)).toMatchObject({ form: 'nfc' });
  });

  test.each(['Password123', 'password123', 'qwertyuiop', 'ILOVEYOU', 'P@ssw0rd'])(
    'a common or breached one is refused, whatever its case: %s (NIST SP 800-63B-4 §3.1.1.2)',
    async (password) => {
      expect(await newUser(password)).toMatchObject({ status: 400, detail: expect.stringContaining('is common') });
    },
  );

  test('a common one is refused wherever one is set: by an administrator, by a link, by a command, in a file', async () => {
    const { username } = await newUser('a good password');
    const common = 'Password123';
    expect(await owner.post(`/users/${username}/password`, { password: common })).toMatchObject({ status: 400 });
    const settings = { LATCHKEY_ISSUER: latchkey.issuer };
    const { url } = await latchkey.commandJson(['user', 'password-link', username], '', settings);
    const browser = latchkey.browser(undefined, 'de');
    const form = await browser.get(String(url));
    const refused = await browser.submit(form, { password: common, password_repeated: common });
    expect(refused.status).toBe(422);
    expect(refused.html).toContain('Dieses ist verbreitet oder aus einem Datenleck bekannt.');
    const command = ['user', 'set-password', username, '--password-stdin'];
    expect(await latchkey.command(command, common)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('common'),
    });
    const users = [{ username: 'from-a-file', password: common }];
    const applied = await withConfiguration({ users }, (file) => latchkey.command(['apply', file]));
    expect(applied).toMatchObject({ code: 1, stderr: expect.stringContaining('/users/0') });
    expect(await isLetIn(username, 'a good password')).toBe(true);
  });

  test.each([
    ['case', 'a Good password', 'a good password'],
    ['width', 'a ｇood password', 'a good password'],
    ['a ligature', 'o\ufb03ce password', 'office password'],
    ['a space at the end', 'a good password ', 'a good password'],
    ['an accent', 'a good passwörd', 'a good password'],
  ])('%s still makes another password', async (_, set, typed) => {
    const { username } = await newUser(set);
    expect([await isLetIn(username, typed), await isLetIn(username, set)]).toEqual([false, true]);
  });

  test('one that an older version hashed as it was typed keeps working, and is compared in one form from then on', async () => {
    const { username } = await newUser('to be replaced');
    await storeAsTyped(username, decomposed);
    const before = await storedOf(username);
    expect(before.form).toBe('as_typed');
    expect(await isLetIn(username, 'a wrong password')).toBe(false);
    expect(await storedOf(username)).toEqual(before);
    expect(await isLetIn(username, decomposed)).toBe(true);
    const after = await storedOf(username);
    // It is the same password: when it was last changed stays.
    expect(after).toMatchObject({ form: 'nfc', updated_at: before.updated_at });
    expect(after.hash).not.toBe(before.hash);
    expect([await isLetIn(username, composed), await isLetIn(username, decomposed)]).toEqual([true, true]);
  });

  test('an older hash whose password was in that form already is kept as it is', async () => {
    const { username } = await newUser('to be replaced');
    await storeAsTyped(username, composed);
    const before = await storedOf(username);
    expect(await isLetIn(username, composed)).toBe(true);
    expect(await storedOf(username)).toEqual({ ...before, form: 'nfc' });
    expect(await isLetIn(username, decomposed)).toBe(true);
  });

  test('a password that an older version sets during a rolling upgrade is of what was typed', async () => {
    const { username } = await newUser(composed);
    await storeAsTyped(username, decomposed);
    expect((await storedOf(username)).form).toBe('as_typed');
    expect(await isLetIn(username, decomposed)).toBe(true);
  });

  test('an imported hash is of what was typed, until it first fits', async () => {
    const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
    const file = { users: [{ username: 'imported', password_hash: await hash(decomposed, parameters) }] };
    await latchkey.startAnother({ apply: file, env: { LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1' } });
    expect((await storedOf('imported')).form).toBe('as_typed');
    expect([await isLetIn('imported', decomposed), await isLetIn('imported', composed)]).toEqual([true, true]);
  });

  test('is the same wherever a password is judged: changing it, proving who one is, a one-time link', async () => {
    const { username } = await newUser(composed);
    const browser = latchkey.browser();
    await browser.submit(await browser.get('/sign-in'), { login: username, password: decomposed }, '/sign-in');
    const next = 'über alle Maßen';
    const fields = {
      current_password: decomposed,
      password: next.normalize('NFD'),
      password_repeated: next.normalize('NFD'),
    };
    const changed = await browser.submit(await browser.get('/account/password'), fields, '/password');
    expect(changed.html).toContain('Password changed');
    expect(await isLetIn(username, next)).toBe(true);
    const { body } = await owner.post(`/users/${username}/password-link`);
    const link = latchkey.browser();
    const chosen = { password: decomposed, password_repeated: decomposed };
    await link.submit(await link.get(String(body.url)), chosen, '/password/');
    expect(await isLetIn(username, composed)).toBe(true);
  });

  test.each([
    ['too short once composed', 'e\u0301e\u0301e\u0301e\u0301', /at least 8 characters/],
    ['a line break at the end, as a file has it', 'a good password\n', /[Cc]ontrol characters/],
    ['half of a character', 'a good password \ud83d', /invalid Unicode/],
  ])('is refused where nobody could sign in with it: %s', async (_, password, reason) => {
    const { status, detail } = await newUser(password);
    expect({ status, detail }).toEqual({ status: 400, detail: expect.stringMatching(reason) });
  });
});
