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
