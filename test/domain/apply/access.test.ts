import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { startLatchkey } from '../../support/latchkey.ts';

type Change = { kind: string; id: string; change: string; secret?: string; changed?: string[] };

const until = new Date(Date.now() + 86_400_000).toISOString();
const file = {
  roles: [
    { name: 'support', description: 'Helps people', permissions: [{ pattern: 'latchkey:user:read' }] },
    { name: 'reader', permissions: [{ resource: 'https://api.example', pattern: 'read' }] },
  ],
  role_assignments: [
    { role: 'support', to: { user: 'bob' } },
    { role: 'reader', to: { client_id: 'service' }, until },
  ],
  api_keys: [
    {
      name: 'nightly import',
      owner: { client_id: 'service' },
      environment: 'prod',
      permissions: ['read'],
      roles: ['reader'],
      tags: ['batch'],
      restrictions: { ip_allowlist: ['10.0.1.50'] },
      metadata: { team: 'data' },
    },
  ],
  webhooks: [{ url: 'https://siem.example/latchkey', events: ['client.*'] }],
};

describe('configuration as code', () => {
  const latchkey = startLatchkey();
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-apply-access-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const run = async (content: unknown, ...options: string[]) => {
    const name = path.join(folder, 'latchkey.yaml');
    await writeFile(name, typeof content === 'string' ? content : stringify(content));
    return latchkey.command(['apply', name, '--json', ...options], '', { HOOK: 'https://siem.example/latchkey' });
  };
  const apply = async (content: unknown, ...options: string[]): Promise<{ changes: Change[]; pruned: Change[] }> => {
    const { code, stdout, stderr } = await run(content, ...options);
    if (code !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  };
  const kinds = ({ changes }: { changes: Change[] }) => changes.map(({ kind, change }) => [kind, change]);
  const verify = async (key: string) => {
    const answer = await fetch(`${latchkey.issuer}/gateway/forward-auth?permission=read`, {
      headers: { 'x-api-key': key, 'x-original-uri': '/x' },
    });
    return answer.status;
  };

  test('creates roles, assignments, API keys and webhooks, and shows their secrets only then', async () => {
    const planned = await apply(file, '--dry-run');
    expect(JSON.stringify(planned)).not.toMatch(/sk_prod_|whsec_/);
    const made = await apply(file);
    expect(kinds(made)).toEqual([
      ['role', 'created'],
      ['role', 'created'],
      ['role assignment', 'created'],
      ['role assignment', 'created'],
      ['API key', 'created'],
      ['webhook', 'created'],
    ]);
    const [, , , , key, webhook] = made.changes;
    expect(key).toMatchObject({ id: 'service prod nightly import', secret: expect.stringMatching(/^sk_prod_/) });
    expect(webhook).toMatchObject({ id: 'siem.example', secret: expect.stringMatching(/^whsec_/) });
    // From 127.0.0.1, which the key's restriction does not allow.
    expect(await verify(key?.secret ?? '')).toBe(403);
  });

  test('creates roles before the trusts that assign them by claims', async () => {
    const role_mappings = [{ claim: 'groups', equals: 'engineers', role: 'by-claims' }];
    const login = { client_id: 'latchkey', role_mappings };
    const trusts = [{ name: 'company', kind: 'login', issuer: 'https://idp.example.com', login }];
    const planned = await apply({ roles: [{ name: 'by-claims', permissions: [] }], trusts }, '--dry-run');
    expect(kinds(planned)).toEqual([
      ['role', 'created'],
      ['trust', 'created'],
    ]);
  });

  test('changes nothing when it is applied again, and creates no other secret', async () => {
    const again = await apply(file);
    expect(new Set(again.changes.map(({ change }) => change))).toEqual(new Set(['unchanged']));
    expect(JSON.stringify(again)).not.toMatch(/sk_prod_|whsec_/);
  });

  test('reports its own export as unchanged', async () => {
    const { stdout } = await latchkey.command(['export', '--yaml']);
    expect(stdout).toContain('nightly import');
    const { changes } = await apply(stdout);
    expect(changes.filter(({ change }) => change !== 'unchanged')).toEqual([]);
    expect(new Set(changes.map(({ kind }) => kind)).size).toBe(8);
  });

  test('shows with --dry-run which members would change, and then changes them', async () => {
    const [support, ...others] = file.roles;
    const [key] = file.api_keys;
    const changed = {
      roles: [{ ...support, permissions: [] }, ...others],
      api_keys: [{ ...key, tags: [], restrictions: {}, metadata: {}, enabled: false }],
      webhooks: [{ url: { env: 'HOOK' }, events: ['*'], enabled: false }],
    };
    const { changes: planned } = await apply(changed, '--dry-run');
    expect(planned.map(({ kind, change }) => [kind, change])).toEqual([
      ['role', 'updated'],
      ['role', 'unchanged'],
      ['API key', 'updated'],
      ['webhook', 'updated'],
    ]);
    expect(planned[0]?.changed).toEqual(['permissions']);
    const stored = () => latchkey.commandJson(['export']) as Promise<{ api_keys: object[]; roles: object[] }>;
    expect((await stored()).api_keys).toMatchObject([{ enabled: true, tags: ['batch'] }]);
    await apply(changed);
    const { api_keys, roles } = await stored();
    expect(api_keys).toMatchObject([{ enabled: false, tags: [], restrictions: {}, metadata: {} }]);
    expect(roles).toContainEqual(expect.objectContaining({ name: 'support', permissions: [] }));
    await apply(file);
  });

  test('prunes only lists in the file: keys and webhooks are disabled, roles and assignments removed', async () => {
    const { users, resource_servers, clients, ...lists } = await latchkey.commandJson(['export']);
    const named = { users, resource_servers, clients };
    const without = await apply(named, '--prune', '--yes');
    expect(without.pruned).toEqual([]);
    const planned = await apply({ ...named, ...lists, api_keys: [], webhooks: [] }, '--prune', '--dry-run');
    expect(planned.pruned.map(({ kind }) => kind)).toEqual(['API key', 'webhook']);
    const bob = (users as { username: string; roles: string[] }[]).map((user) => ({ ...user, roles: user.roles }));
    const { pruned } = await apply(
      { ...named, users: bob, roles: [], role_assignments: [], api_keys: [], webhooks: [] },
      '--prune',
      '--yes',
    );
    expect(pruned.map(({ kind, id }) => [kind, id])).toEqual([
      ['role assignment', 'reader of service'],
      ['API key', 'service prod nightly import'],
      ['webhook', 'siem.example'],
      ['role', 'reader'],
      ['role', 'support'],
    ]);
    expect(await latchkey.commandJson(['export'])).toMatchObject({
      roles: [],
      role_assignments: [],
      api_keys: [{ enabled: false }],
      webhooks: [{ enabled: false }],
    });
  });

  test.each<[string, unknown, RegExp]>([
    [
      'an unknown role',
      { role_assignments: [{ role: 'nobody', to: { user: 'bob' } }] },
      /\/role_assignments\/0\/role: There is no role/,
    ],
    [
      'an unknown subject',
      { role_assignments: [{ role: 'owner', to: { user: 'nobody' } }] },
      /\/role_assignments\/0\/to: There is no user "nobody"/,
    ],
    ['a built-in role', { roles: [{ name: 'owner' }] }, /\/roles\/0: The role "owner" is built in/],
    ['a key without an owner', { api_keys: [{ name: 'x', environment: 'dev' }] }, /\/api_keys\/0\/owner/],
    [
      'a key of an unknown owner',
      { api_keys: [{ name: 'x', environment: 'dev', owner: { client_id: 'none' } }] },
      /\/api_keys\/0\/owner: There is no client "none"/,
    ],
    [
      'a key with two expiries',
      {
        api_keys: [
          { name: 'x', environment: 'dev', owner: { client_id: 'service' }, never_expires: true, expires_in_days: 3 },
        ],
      },
      /\/api_keys\/0\/expires_at must not come with another expiry/,
    ],
    [
      'the text of a key',
      { api_keys: [{ name: 'x', environment: 'dev', owner: { client_id: 'service' }, key: 'sk_dev_x' }] },
      /\/api_keys\/0/,
    ],
    [
      'an event that there is not',
      { webhooks: [{ url: 'https://a.example', events: ['nothing.*'] }] },
      /\/webhooks\/0\/events\/0 is neither an audit action nor a pattern/,
    ],
    [
      'a key twice',
      { api_keys: [1, 2].map(() => ({ name: 'x', environment: 'dev', owner: { client_id: 'service' } })) },
      /\/api_keys\/1 has the same owner and environment and name/,
    ],
  ])('refuses %s, and changes nothing', async (_, content, sentence) => {
    const { code, stderr } = await run(content);
    expect([code, JSON.parse(stderr).detail]).toEqual([1, expect.stringMatching(sentence)]);
  });
});
