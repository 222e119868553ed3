import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { standardInstallation } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';
import { runCommand, testRootKey } from '../../support/server.ts';

describe('configuration as code', () => {
  const latchkey = startLatchkey();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-apply-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const apply = async (content: unknown, ...options: string[]) => {
    const file = path.join(folder, 'latchkey.yaml');
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    return latchkey.command(['apply', file, '--json', ...options]);
  };
  const changes = (stdout: string) =>
    JSON.parse(stdout).changes.map(({ id, change }: Record<string, string>) => [id, change]);

  test('changes nothing and creates no secret when it is applied again', async () => {
    const { stdout } = await apply(standardInstallation);
    expect(new Set(changes(stdout).map(([, change]: string[]) => change))).toEqual(new Set(['unchanged']));
    expect(stdout).not.toContain('secret');
  });

  test('reports its own export as unchanged', async () => {
    const { stdout: exported } = await latchkey.command(['export', '--yaml']);
    const { stdout } = await apply(exported);
    const { resource_servers, clients, users } = standardInstallation;
    expect(changes(stdout)).toHaveLength(resource_servers.length + clients.length + users.length + 1);
    expect(new Set(changes(stdout).map(([, change]: string[]) => change))).toEqual(new Set(['unchanged']));
  });

  test('reads YAML, creates missing records, and shows new secrets once', async () => {
    const yaml = `
clients:
  - client_id: from-yaml
    grant_types: [client_credentials]
    service_permissions: { https://api.example: [read] }
users:
  - username: yaml-user
`;
    const { changes: made } = JSON.parse((await apply(yaml)).stdout);
    expect(made).toMatchObject([
      { id: 'from-yaml', change: 'created', secret: expect.stringMatching(/^lk_cs_/) },
      { id: 'yaml-user', change: 'created', secret: expect.any(String) },
    ]);
    const answer = await fetch(`${latchkey.issuer}/oauth/token`, {
      method: 'POST',
      headers: { authorization: basic('from-yaml', made[0].secret) },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'https://api.example' }),
    });
    expect(answer.status).toBe(200);
    expect(JSON.parse((await apply(yaml)).stdout).changes).toEqual([
      { kind: 'client', id: 'from-yaml', change: 'unchanged' },
      { kind: 'user', id: 'yaml-user', change: 'unchanged' },
    ]);
  });

  test('creates clients with an owner from the same file and a risk, and reports them as unchanged', async () => {
    const yaml = `
clients:
  - { client_id: owned-app, grant_types: [client_credentials], owner: { user: their-owner }, risk: low }
users:
  - username: their-owner
`;
    expect(changes((await apply(yaml)).stdout)).toEqual([
      ['owned-app', 'created'],
      ['their-owner', 'created'],
    ]);
    const { stdout } = await latchkey.command(['export']);
    expect(JSON.parse(stdout).clients).toContainEqual(
      expect.objectContaining({ client_id: 'owned-app', owner: { user: 'their-owner' }, risk: 'low' }),
    );
    for (const again of [yaml, stdout])
      expect(new Set(changes((await apply(again)).stdout).map(([, change]: string[]) => change))).toEqual(
        new Set(['unchanged']),
      );
  });

  test('only plans with --dry-run', async () => {
    const file = { clients: [{ client_id: 'planned', redirect_uris: ['https://planned.example/callback'] }] };
    const { stdout } = await apply(file, '--dry-run');
    expect(JSON.parse(stdout)).toMatchObject({
      dry_run: true,
      changes: [{ id: 'planned', change: 'created', secret_would_be_made: true }],
    });
    expect(stdout).not.toContain('lk_cs_');
    expect((await latchkey.command(['client', 'list'])).stdout).not.toContain('planned');
  });

  test('applies all of a file or nothing', async () => {
    const file = {
      clients: [{ client_id: 'good', redirect_uris: ['https://good.example/callback'] }],
      users: [{ username: 'twin', email: 'alice@example.com', password: 'a long enough password' }],
    };
    expect(await apply(file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('/users/0: Another user has this username or e-mail address.'),
    });
    expect((await latchkey.command(['client', 'list'])).stdout).not.toContain('good');
  });

  test.each([
    [
      'an unknown member',
      { clients: [{ client_id: 'x', redirect_uri: 'https://x.example' }] },
      /\/clients\/0\/redirect_uri/,
    ],
    ['an unknown list', { client: [] }, /\/client is not known/],
    [
      'a redirect address with a fragment',
      { clients: [{ client_id: 'x', redirect_uris: ['https://x.example/#a'] }] },
      /redirect_uris/,
    ],
    ['a client without redirect address', { clients: [{ client_id: 'x' }] }, /redirect_uris/],
    [
      'an identifier with a fragment',
      { resource_servers: [{ identifier: 'https://x.example#a', name: 'x' }] },
      /must not have a fragment \(RFC 8707 §2\)/,
    ],
    [
      'a scope outside the grammar',
      { resource_servers: [{ identifier: 'https://x.example', name: 'x', scopes: [{ name: 'a b' }] }] },
      /scopes\/0\/name/,
    ],
    [
      'a username that looks like an id',
      { users: [{ username: '01a20d3a-47bd-76a8-94c2-8af50384b875', password: 'a good password' }] },
      /\/users\/0\/username: .*must not look like an id/,
    ],
    ['the same name twice', { users: [{ username: 'a' }, { username: 'A' }] }, /\/users\/1 has the same username/],
    [
      'a weak password',
      { users: [{ username: 'weak', password: 'short' }] },
      /\/users\/0\/password: Use at least 8 characters/,
    ],
    ['an unknown role', { users: [{ username: 'rolf', roles: ['king'] }] }, /There is no role \\"king\\"/],
    ['text that is neither JSON nor YAML', '{ "clients": [', /neither JSON nor YAML/],
  ])('refuses %s, with its position', async (_, file, sentence) => {
    const { code, stderr } = await apply(file);
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('disables with --prune the records that the file does not name, lists what is revoked, and needs --yes in a script', async () => {
    const tokens = await latchkey.tokens();
    const file = {
      ...standardInstallation,
      clients: standardInstallation.clients.filter(({ client_id }) => client_id !== 'web-app'),
    };
    expect(await apply(file, '--prune')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/web-app +ends 1 refresh token, 1 access token/),
    });
    expect(await latchkey.isActive(tokens.access_token)).toBe(true);
    const { pruned } = JSON.parse((await apply(file, '--prune', '--yes')).stdout);
    expect(pruned).toContainEqual({ kind: 'client', id: 'web-app', refresh_families: 1, access_tokens: 1 });
    expect(await latchkey.isActive(tokens.access_token, 'service')).toBe(false);
  });

  test('fails at start when a secret is left out, because a secret must not be in a log', async () => {
    const file = path.join(folder, 'start.json');
    await writeFile(
      file,
      JSON.stringify({ clients: [{ client_id: 'secretless', redirect_uris: ['https://x.example/callback'] }] }),
    );
    const env = {
      DATABASE_URL: latchkey.database.url,
      LATCHKEY_ROOT_KEY: testRootKey,
      LATCHKEY_APPLY: file,
      PORT: '0',
    };
    expect(await runCommand(['serve'], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^latchkey: Client "secretless" has no client_secret: .*\n$/),
    });
  });
});
