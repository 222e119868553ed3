import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { clientSecrets, password, redirectUri, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('a configuration file', () => {
  const latchkey = startLatchkey({
    apply: {
      ...standardInstallation,
      clients: [
        ...standardInstallation.clients,
        { client_id: 'at-start', redirect_uris: [redirectUri], client_secret: { env: 'SECRET_AT_START' } },
      ],
    },
    env: { SECRET_AT_START: 'the secret of the environment' },
  });
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-secrets-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const write = async (name: string, content: string | Uint8Array) => {
    await writeFile(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const apply = async (yaml: string, settings = {}) =>
    latchkey.command(['apply', await write('latchkey.yaml', yaml)], '', settings);

  test('can reference a secret in a variable or file of the machine that applies it, and merge members with <<', async () => {
    await write('client-secret', 'the secret in a file\n');
    await write('windows-secret', 'the secret in a Windows file\r\n');
    await write('password', `${password}\n`);
    const { code, stderr, stdout } = await apply(
      `
clients:
  - &web
    client_id: from-environment
    redirect_uris: [${redirectUri}]
    scope: openid
    first_party: true
    client_secret: { env: GRAFANA_CLIENT_SECRET }
  - <<: *web
    client_id: from-file
    client_secret: { file: client-secret }
  - <<: [*web]
    client_id: from-windows
    client_secret: { file: ${path.join(folder, 'windows-secret')} }
${Array.from({ length: 150 }, (_, n) => `  - { <<: *web, client_id: copy-${n} }`).join('\n')}
users:
  - username: carol
    password: { file: ./password }
`,
      { GRAFANA_CLIENT_SECRET: 'the secret of Grafana' },
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('the secret');
    const authenticates = (client_id: string, secret: string) => latchkey.isLetIn(client_id, secret);
    expect(
      await Promise.all([
        authenticates('from-environment', 'the secret of Grafana'),
        authenticates('from-file', 'the secret in a file'),
        authenticates('from-windows', 'the secret in a Windows file'),
        authenticates('copy-149', 'the secret of Grafana'),
        authenticates('at-start', 'the secret of the environment'),
        authenticates('web-app', clientSecrets['web-app']),
      ]),
    ).toEqual([true, true, true, true, true, true]);
    const page = await latchkey.visit(
      latchkey.browser(),
      latchkey.authorizeUrl({ client_id: 'copy-0', scope: 'openid', resource: null }),
      { login: 'carol' },
    );
    expect(page.url).toContain('code=');
  });

  test.each([
    ['a variable that is not set', '{ env: NO_SUCH_VARIABLE }', /client_secret .*NO_SUCH_VARIABLE, which is not set/],
    [
      'a file that is not there',
      '{ file: no-such-file }',
      /client_secret .*no-such-file, which cannot be read \(ENOENT\)/,
    ],
    ['a folder', '{ file: . }', /client_secret .*cannot be read \(EISDIR\)/],
    ['a file that is no text', '{ file: binary }', /client_secret .*binary, which cannot be read/],
    ['an empty file', '{ file: empty }', /client_secret .*empty, which is empty/],
    ['a file with more lines', '{ file: lines }', /client_secret ends with a line break|must be printable ASCII/],
    ['something else', '{ vault: secret/x }', /client_secret must be text/],
    ['two places', '{ env: A, file: b }', /client_secret must be text/],
    ['a placeholder', `'\${GRAFANA_CLIENT_SECRET}'`, /client_secret is a placeholder .*"env"/],
  ])('is refused where a secret is %s', async (_what, value, reason) => {
    await write('binary', Buffer.from([0xff, 0xfe, 0x00]));
    await write('empty', '\n');
    await write('lines', 'the first line of a secret\nthe second line');
    const client = `clients: [{ client_id: refused, redirect_uris: [${redirectUri}], client_secret: ${value} }]`;
    const { code, stderr } = await apply(client);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(reason) });
    expect(stderr).not.toContain('first line');
  });

  test.each([
    ['in a member that holds no secret', `client_name: { env: HOME }`, /client_name must be text/],
    ['when a merge key has no map', `<<: 5`, /Merge sources must be maps/],
  ])('is refused %s', async (_what, member, reason) => {
    const { code, stderr } = await apply(`clients:\n  - client_id: refused\n    ${member}\n`);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(reason) });
  });

  test('is refused when its aliases grow without bound (CWE-776)', async () => {
    const layers = Array.from({ length: 40 }, (_, n) => `a${n + 1}: &a${n + 1} { <<: [*a${n}, *a${n}], k${n}: 1 }`);
    const { code, stderr } = await apply(`a0: &a0 { k: 1 }\n${layers.join('\n')}\n`);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/alias count/) });
  });

  test('is refused with a password hash that no password can match', async () => {
    const hashes = ['m=4,t=2,p=1', 'm=19456,t=0,p=1', 'm=9999999,t=2,p=1'].map(
      (parameters) => `$argon2id$v=19$${parameters}$c29tZXNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA`,
    );
    const users = hashes.map((hash, n) => `  - { username: user-${n}, password_hash: '${hash}' }`);
    const { code, stderr } = await apply(`users:\n${users.join('\n')}\n`);
    expect(code).toBe(1);
    for (const n of hashes.keys()) expect(stderr).toContain(`/users/${n}/password_hash (argon2)`);
  });
});
