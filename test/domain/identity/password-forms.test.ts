import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { hash } from '@node-rs/argon2';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { withConfiguration } from '../../support/configuration-file.ts';
import { startLatchkey } from '../../support/latchkey.ts';

// The same password from two keyboards: é as one character, and as e with a combining accent.
const composed = 'Café crème ångström';
const decomposed = composed.normalize('NFD');

describe('a password is compared in a normalized form (RFC 8265 §4.2.2; NIST SP 800-63B-4 §3.1.1.2)', () => {
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
  /** Stores it in the form of an older version or an import. */
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

  test('a common one is refused everywhere: by an administrator, a link, a command and a file', async () => {
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
  ])('%s is still a different password', async (_, set, typed) => {
    const { username } = await newUser(set);
    expect([await isLetIn(username, typed), await isLetIn(username, set)]).toEqual([false, true]);
  });

  test('a hash that an older version made of the typed text stays valid, and is replaced at the next sign-in', async () => {
    const { username } = await newUser('to be replaced');
    await storeAsTyped(username, decomposed);
    const before = await storedOf(username);
    expect(before.form).toBe('as_typed');
    expect(await isLetIn(username, 'a wrong password')).toBe(false);
    expect(await storedOf(username)).toEqual(before);
    expect(await isLetIn(username, decomposed)).toBe(true);
    const after = await storedOf(username);
    // It is the same password: the time of its last change is kept.
    expect(after).toMatchObject({ form: 'nfc', updated_at: before.updated_at });
    expect(after.hash).not.toBe(before.hash);
    expect([await isLetIn(username, composed), await isLetIn(username, decomposed)]).toEqual([true, true]);
  });

  test('an older hash of a password that was normalized already is kept', async () => {
    const { username } = await newUser('to be replaced');
    await storeAsTyped(username, composed);
    const before = await storedOf(username);
    expect(await isLetIn(username, composed)).toBe(true);
    expect(await storedOf(username)).toEqual({ ...before, form: 'nfc' });
    expect(await isLetIn(username, decomposed)).toBe(true);
  });

  test('a password that an older version sets during a rolling upgrade is hashed as typed', async () => {
    const { username } = await newUser(composed);
    await storeAsTyped(username, decomposed);
    expect((await storedOf(username)).form).toBe('as_typed');
    expect(await isLetIn(username, decomposed)).toBe(true);
  });

  test('an imported hash is compared with the typed text, until the first match', async () => {
    const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
    const file = { users: [{ username: 'imported', password_hash: await hash(decomposed, parameters) }] };
    await latchkey.startAnother({ apply: file, env: { LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1' } });
    expect((await storedOf('imported')).form).toBe('as_typed');
    expect([await isLetIn('imported', decomposed), await isLetIn('imported', composed)]).toEqual([true, true]);
  });

  test('is normalized everywhere: changing it, confirming an action, a one-time link', async () => {
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
  ])('is refused if no one could sign in with it: %s', async (_, password, reason) => {
    const { status, detail } = await newUser(password);
    expect({ status, detail }).toEqual({ status: 400, detail: expect.stringMatching(reason) });
  });

  describe('a hash of another system', () => {
    const secret = 'seven wild horses';
    const salt = Buffer.from('a salt of sixteen');
    const b64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
    const pbkdf2 = (algorithm: string, iterations: number) =>
      `$pbkdf2-${algorithm}$i=${iterations}$${b64(salt)}$${b64(pbkdf2Sync(secret, salt, iterations, 32, algorithm))}`;
    const scrypt = (ln: number, length = 32) => {
      const cost = { N: 2 ** ln, r: 8, p: 1, maxmem: 2 ** 29 };
      return `$scrypt$ln=${ln},r=8,p=1$${b64(salt)}$${b64(scryptSync(secret, salt, length, cost))}`;
    };
    const argon2 = (algorithm: number) => hash(secret, { algorithm, memoryCost: 8192, timeCost: 3, parallelism: 1 });
    const importUser = async (password_hash: string, by = owner) => {
      const username = `user-${crypto.randomUUID().slice(0, 8)}`;
      return { username, ...(await by.post('/users', { username, password_hash })) };
    };

    test.each([
      ['Argon2d', () => argon2(0), secret],
      ['Argon2i', () => argon2(1), secret],
      ['weak Argon2id', () => argon2(2), secret],
      ['bcrypt ($2b$)', () => bcrypt(secret, 8), secret],
      ['bcrypt ($2y$)', async () => (await bcrypt(secret, 8)).replace('$2b$', '$2y$'), secret],
      ['scrypt', async () => scrypt(14), secret],
      ['PBKDF2 with SHA-256', async () => pbkdf2('sha256', 20_000), secret],
      ['PBKDF2 with SHA-512', async () => pbkdf2('sha512', 20_000), secret],
      // The examples of passlib's documentation.
      [
        'scrypt of passlib',
        async () => '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
        'password',
      ],
      [
        'PBKDF2 of passlib',
        async () => '$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk',
        'toomanysecrets',
      ],
    ])('(%s) signs its user in, and is replaced by a hash of ours', async (_, hashOf, right) => {
      const { username, status, body } = await importUser(await hashOf());
      expect({ status, password: body.password }).toEqual({ status: 201, password: undefined });
      expect(await isLetIn(username, `${right}!`)).toBe(false);
      expect(await isLetIn(username, right)).toBe(true);
      expect((await storedOf(username)).hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      expect(await isLetIn(username, right)).toBe(true);
    });

    test.each([
      ['Argon2 with 4 GiB', '$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA', /too costly/],
      ['Argon2 with 4 KiB', '$argon2i$v=19$m=4096,t=1,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA', /too cheap/],
      ['bcrypt of cost 4', `$2b$04$${'a'.repeat(53)}`, /too cheap/],
      ['bcrypt of cost 20', `$2b$20$${'a'.repeat(53)}`, /too costly/],
      ['scrypt of 1 MiB', '$scrypt$ln=10,r=8,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA', /too cheap/],
      ['scrypt of 1 GiB', '$scrypt$ln=20,r=8,p=1$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA', /too costly/],
      ['scrypt of 900 lanes', '$scrypt$ln=14,r=8,p=900$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA', /too costly/],
      ['PBKDF2 of 1,000 rounds', '$pbkdf2-sha256$i=1000$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA', /too cheap/],
      ['PBKDF2 of 900 million', '$pbkdf2-sha256$i=900000000$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA', /too costly/],
      ['a short salt', '$pbkdf2-sha256$i=20000$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA', /salt/],
      ['MD5', '$1$salt$qJH7.N4xYta3aEG/dfqo/0', /must be a hash of/],
      ['plain text', secret, /must be a hash of/],
    ])('(%s) is refused', async (_, password_hash, reason) => {
      const { status, body } = await importUser(password_hash);
      expect({ status, pointer: body.pointer }).toEqual({ status: 400, pointer: '/password_hash' });
      expect(String(body.detail)).toMatch(reason);
      const users = [
        { username: 'first', password: secret },
        { username: 'second', password_hash },
      ];
      const { code, stderr } = await withConfiguration({ users }, (file) => latchkey.command(['apply', file]));
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('/users/1/password_hash') });
    });

    test('needs a permission of its own to import', async () => {
      const permissions = ['latchkey:user:write', 'latchkey:user:read'];
      const clerk = await asService(latchkey, owner, { permissions });
      const { status, body } = await importUser(pbkdf2('sha256', 20_000), clerk);
      expect({ status, detail: body.detail }).toEqual({
        status: 403,
        detail: expect.stringContaining('latchkey:user:import_password'),
      });
      const importer = await asService(latchkey, owner, {
        permissions: [...permissions, 'latchkey:user:import_password'],
      });
      expect((await importUser(pbkdf2('sha256', 20_000), importer)).status).toBe(201);
      const both = { username: 'both', password: secret, password_hash: pbkdf2('sha256', 20_000) };
      expect(await owner.post('/users', both)).toMatchObject({ status: 400 });
    });
  });
});
