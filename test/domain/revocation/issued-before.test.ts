import { startLatchkey } from '../../support/latchkey.ts';

const refused = { status: 400, body: { error: 'invalid_grant' } };

describe('revoking all that was issued before a time', () => {
  const latchkey = startLatchkey();

  test('revokes all tokens, refresh tokens and sessions, but not later ones, consents or secrets', async () => {
    const browser = latchkey.browser();
    const old = await latchkey.tokens({}, browser);
    const service = await latchkey.clientCredentials({ resource: 'https://api.example' });
    const before = new Date().toISOString();
    expect(await latchkey.commandJson(['revoke', '--before', before, '--dry-run'])).toMatchObject({
      dry_run: true,
      sessions: 1,
      refresh_families: 1,
      access_tokens: 2,
    });
    expect(await latchkey.isActive(old.access_token)).toBe(true);
    expect(await latchkey.command(['revoke', '--before', before])).toMatchObject({
      code: 2,
      stderr: 'latchkey: Add --yes to continue without being asked.\n',
    });
    await latchkey.commandJson(['revoke', '--before', before, '--yes']);

    expect(await latchkey.isActive(old.access_token)).toBe(false);
    expect(await latchkey.isActive(service.body.access_token, 'service')).toBe(false);
    expect(await latchkey.refresh(old.refresh_token)).toMatchObject(refused);
    expect((await browser.get('/account')).url).toContain('/sign-in');
    const fresh = await latchkey.tokens({}, browser);
    expect(await latchkey.isActive(fresh.access_token)).toBe(true);
    expect(await latchkey.auditEvents('tokens.revoked')).toMatchObject([{ details: { access_tokens: 2 } }]);
  });

  test('also revokes tokens that were created later from a token that was issued before', async () => {
    const resource = `${latchkey.issuer}/v1`;
    const reader = ['client', 'create', 'reader', '--type', 'service', '--resource', `${resource}=secrets:read:*`];
    const { client_id, client_secret } = (await latchkey.commandJson(reader)) as Record<string, string>;
    const form = { grant_type: 'client_credentials', resource, client_id: `${client_id}` };
    const { body } = await latchkey.post('/oauth/token', { ...form, client_secret: `${client_secret}` });
    const before = new Date().toISOString();
    const at = (path: string, token: string, method = 'GET') =>
      fetch(`${resource}/auth/token/${path}`, { method, headers: { 'x-vault-token': token } });
    const made = (await (await at('create', body.access_token, 'POST')).json()) as { auth: { client_token: string } };
    expect((await at('lookup-self', made.auth.client_token)).status).toBe(200);
    await latchkey.commandJson(['revoke', '--before', before, '--yes']);
    for (const token of [body.access_token, made.auth.client_token])
      expect((await at('lookup-self', token)).status).toBe(403);
  });

  test('revokes again, after a restore, what was revoked since the backup', async () => {
    const { access_token, refresh_token } = await latchkey.tokens();
    const backup = await latchkey.database.copy();
    await latchkey.post('/oauth/revoke', { token: refresh_token }, 'web-app');
    const incident = new Date().toISOString();

    const restored = await latchkey.startAnother({
      databaseUrl: backup.url,
      env: { LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1' },
    });
    expect(await latchkey.isActive(access_token, 'web-app', restored.address)).toBe(true);
    await latchkey.commandJson(['revoke', '--before', incident, '--yes'], '', { DATABASE_URL: backup.url });
    expect(await latchkey.isActive(access_token, 'web-app', restored.address)).toBe(false);
    expect(await latchkey.refresh(refresh_token, 'web-app', restored.address)).toMatchObject(refused);
    await restored.stop();
    await backup.drop();
  });

  test.each([
    ['2999-01-01T00:00:00Z', /must not be in the future/],
    ['yesterday', /must be a time with its zone/],
    ['2026-01-01', /must be a time with its zone/],
  ])('refuses "%s", also as a dry run', async (before, sentence) => {
    for (const option of ['--yes', '--dry-run'])
      expect(await latchkey.command(['revoke', '--before', before, option])).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(sentence),
      });
  });
});
