import { asOwner } from './support/admin.ts';
import { exchangeKey } from './support/exchange.ts';
import { clientSecrets, jwtApi, password, redirectUri } from './support/installation.ts';
import { startLatchkey } from './support/latchkey.ts';
import { testRootKey } from './support/server.ts';

describe('after all flows', () => {
  const latchkey = startLatchkey({ env: { LOG_LEVEL: 'trace' } });
  const secrets = new Set<string>();
  const remember = <T extends Record<string, unknown>>(body: T, ...members: string[]): T => {
    for (const member of members) if (typeof body[member] === 'string') secrets.add(body[member]);
    return body;
  };
  const tokenMembers = ['access_token', 'refresh_token', 'id_token'];

  beforeAll(async () => {
    const browser = latchkey.browser();
    const code = await latchkey.code({}, browser);
    remember({ ...code }, 'code', 'code_verifier');
    const { body } = await latchkey.redeem(code);
    remember(body, ...tokenMembers);
    const refreshed = remember((await latchkey.refresh(body.refresh_token)).body, ...tokenMembers);
    remember(await latchkey.tokens({ resource: jwtApi, scope: 'openid report:read' }, browser), ...tokenMembers);
    remember((await latchkey.clientCredentials({ resource: jwtApi })).body, ...tokenMembers);
    await latchkey.isActive(refreshed.access_token);
    await fetch(`${latchkey.issuer}/oauth/userinfo`, { headers: { authorization: `Bearer ${body.access_token}` } });
    await latchkey.post('/oauth/revoke', { token: refreshed.access_token }, 'web-app');
    await latchkey.post(
      '/oauth/token',
      { grant_type: 'refresh_token', refresh_token: 'wrong', client_secret: 'twice' },
      'web-app',
    );
    remember(await latchkey.commandJson(['client', 'add-secret', 'service']), 'client_secret');
    remember(await latchkey.commandJson(['user', 'create', 'frank']), 'password');
    const creating = ['key', 'create', 'at-rest', '--client', 'service', '--permission', 'report:read'];
    const minted = remember(await latchkey.commandJson(creating), 'key');
    const headers = { 'x-api-key': String(minted.key), 'x-original-uri': '/products' };
    await fetch(`${latchkey.issuer}/gateway/forward-auth?permission=database:read:{path.1}`, { headers });
    remember((await exchangeKey(latchkey, String(minted.key), { resource: jwtApi })).body, ...tokenMembers);
    remember(await latchkey.commandJson(['key', 'rotate', String(minted.id)]), 'key');

    const owner = await asOwner(latchkey);
    const hook = await owner.post('/webhooks', { url: 'https://example.com/hook', events: ['role.deleted'] });
    remember(hook.body, 'secret');
    secrets.add(Buffer.from(String(hook.body.secret).replace('whsec_', ''), 'base64').toString('hex'));

    const page = await browser.get('/account/password');
    const fields = {
      current_password: password,
      password: 'an entirely new password',
      password_repeated: 'an entirely new password',
    };
    for (const { name, value } of browser.cookies())
      if (/session|interaction|resume|csrf/.test(name) && !name.endsWith('.sig')) secrets.add(value);
    await browser.submit(page, fields, '/account/password');
    const wrong = latchkey.browser();
    await wrong.submit(await wrong.get('/sign-in'), { login: 'alice', password: 'a password typed wrong' });
    await browser.get(
      `/oauth/authorize?client_id=web-app&redirect_uri=${encodeURIComponent(redirectUri)}&state=bad-request`,
    );
    await browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' });
    for (const known of [
      password,
      'an entirely new password',
      'a password typed wrong',
      testRootKey,
      ...Object.values(clientSecrets),
    ])
      secrets.add(known);
  });

  test('the database contains none of the issued tokens, codes, session ids, secrets and passwords', async () => {
    const dump = await everyRow();
    expect(secrets.size).toBeGreaterThan(25);
    expect(dump.length).toBeGreaterThan(20_000);
    for (const secret of secrets) for (const form of formsOf(secret)) expect(dump).not.toContain(form);
  });

  test('the log contains none of them either, at its most verbose level', () => {
    const log = latchkey.server.output();
    expect(log).toContain('"path":"/oauth/token"');
    for (const secret of secrets) for (const form of formsOf(secret)) expect(log).not.toContain(form);
  });

  async function everyRow(): Promise<string> {
    const tables = await latchkey.database.query(
      "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    );
    const contents = await Promise.all(
      tables.rows.map(async ({ table_name }) => {
        const { rows } = await latchkey.database.query(`select t::text as row from "${table_name}" t`);
        return rows.map(({ row }) => row).join('\n');
      }),
    );
    return contents.join('\n').replaceAll('""', '"');
  }

  /** A secret unchanged, as in a bytea column, and encoded. */
  function formsOf(secret: string): string[] {
    const bytes = Buffer.from(secret);
    return [secret, bytes.toString('hex'), bytes.toString('base64url'), encodeURIComponent(secret)];
  }
});
