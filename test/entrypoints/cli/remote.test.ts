import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startLatchkey } from '../../support/latchkey.ts';
import { runCommand } from '../../support/server.ts';

describe('latchkey api', () => {
  const latchkey = startLatchkey();
  let folder = '';
  let profile = '';
  let made: Record<string, unknown> = {};
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-profile-'));
    profile = path.join(folder, 'nested', 'profile.json');
    made = await latchkey.commandJson(['bootstrap'], '', { LATCHKEY_ISSUER: latchkey.issuer });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** On another machine: no database, no root key. */
  const elsewhere = (args: string[], { input = '', env = {} } = {}) =>
    runCommand(args, { env: { LATCHKEY_PROFILE: profile, ...env }, input });
  const api = async (...words: string[]) => {
    const { code, stdout, stderr } = await elsewhere(['api', ...words]);
    if (code !== 0) throw new Error(stderr);
    return stdout ? JSON.parse(stdout) : undefined;
  };
  const login = (secret: unknown, ...more: string[]) =>
    elsewhere(['login', '--url', latchkey.issuer, '--client-id', 'latchkey-admin', ...more], { input: `${secret}\n` });

  test('says what to do without credentials, and stores none that do not work', async () => {
    const { code, stderr } = await elsewhere(['api', 'clients', 'list']);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('run "latchkey login" first') });
    expect(await login('lk_cs_wrong')).toMatchObject({ code: 1, stderr: expect.stringContaining('(401)') });
    await expect(stat(profile)).rejects.toThrow('ENOENT');
  });

  test('does remotely what the admin API does, with a login file that only its account can read', async () => {
    expect(await login(made.client_secret)).toMatchObject({ code: 0 });
    expect((await stat(profile)).mode & 0o777).toBe(0o600);
    expect(await readFile(profile, 'utf8')).toContain('latchkey-admin');

    await api('clients', 'create', '--body', '{"client_id":"reports","grant_types":["client_credentials"]}');
    expect(await api('clients', 'list', '--q', 'reports', '--type', 'service')).toMatchObject({
      items: [{ client_id: 'reports' }],
      next: null,
    });
    expect(await api('clients', 'update', 'reports', '--body', '{"client_name":"Reports"}')).toMatchObject({
      client_name: 'Reports',
    });
    const rotated = await api('clients', 'secrets', 'rotate', 'reports', '--overlap-seconds', '60');
    expect(rotated).toMatchObject({
      client_secret: expect.stringMatching(/^lk_cs_/),
      previous_expires_at: expect.any(String),
    });
    await api('roles', 'assignments', 'put', 'operator', 'user', 'bob');
    expect(await api('users', 'get', 'bob')).toMatchObject({ roles: ['operator'] });
    expect(await api('revocations', 'create', '--handle', '{"user":"bob"}', '--dry-run', 'yes')).toMatchObject({
      dry_run: true,
    });
  });

  test('prints a refusal of the server, with its reason', async () => {
    await login(made.client_secret, '--scope', 'latchkey:client:read');
    const { code, stderr } = await elsewhere(['api', 'users', 'list']);
    expect(code).toBe(1);
    expect(stderr).toContain('This needs "latchkey:user:read"');
    expect(stderr).toContain('(403)');
    expect((await elsewhere(['api', 'clients', 'get', 'nothing'])).stderr).toContain(
      'There is no client "nothing". (404)',
    );
    expect((await elsewhere(['api', 'clients', 'list', '--type', 'wrong'])).stderr).toContain(
      'Allowed choices are web, spa',
    );
    expect(await elsewhere(['api', 'clients', 'create', '--body', '{"client_id"'])).toMatchObject({
      ...{ code: 2, stdout: '' },
      stderr: 'latchkey: --body: This is not JSON: {"client_id"\n',
    });
  });

  test('sends credentials only over https or to this machine', async () => {
    const env = { LATCHKEY_URL: 'http://example.com', LATCHKEY_TOKEN: 'secret' };
    const { code, stderr } = await elsewhere(['api', 'clients', 'list'], { env });
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('only to https addresses') });
  });

  test('lists every route', async () => {
    const { stdout } = await elsewhere(['api', '--help']);
    for (const noun of ['clients', 'resource-servers', 'roles', 'users', 'consents', 'grants', 'revocations'])
      expect(stdout).toContain(noun);
  });
});
