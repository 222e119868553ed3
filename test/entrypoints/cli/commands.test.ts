import type { Command } from 'commander';
import { program } from '../../../src/entrypoints/cli/program.ts';
import { commandHost } from '../../../src/server/command-host.ts';
import { asOwner } from '../../support/admin.ts';
import { api } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';

const latchkey = startLatchkey();

const secretPattern = /^lk_cs_[0-9A-Za-z]{49}$/;
const refused = { status: 400, body: { error: 'invalid_grant' } };

/** The complete output of `--help`. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

describe('the latchkey command', () => {
  test('has help with an example, and JSON output, everywhere', () => {
    const leaves = program(commandHost).commands.flatMap((command) =>
      command.commands.length > 0 ? command.commands : [command],
    );
    expect(leaves.length).toBeGreaterThan(18);
    for (const leaf of leaves) {
      expect(leaf.description()).not.toBe('');
      if (leaf.name() !== 'api') expect(helpOf(leaf)).toMatch(/Example:\n {2}.*latchkey [a-z-]+/);
      // The output of these comes from a server, or from the program that they run.
      if (!['serve', 'run'].includes(leaf.name())) expect(leaf.options.map(({ long }) => long)).toContain('--json');
    }
  });

  test('shows the records of the installation', async () => {
    const { items: clients } = await latchkey.commandJson(['client', 'list']);
    const { items: resource_servers } = await latchkey.commandJson(['resource-server', 'list']);
    expect(await latchkey.commandJson(['status'])).toMatchObject({
      has_owner: true,
      users: 2,
      clients: (clients as unknown[]).length,
      resource_servers: (resource_servers as { built_in: boolean }[]).filter(({ built_in }) => !built_in).length,
    });
    expect((await latchkey.command(['status'])).stdout).toMatch(
      /Signing keys {2,}ES256 active, EdDSA active, RS256 active, PS256 active/,
    );
  });

  test('registers an API that is open, and lists clients by how they were registered', async () => {
    const notes = 'https://notes.example/mcp';
    const options = ['--scope', 'notes:read=Read your notes', '--scope', 'notes:write', '--open-to', 'documented'];
    expect(
      await latchkey.commandJson(['resource-server', 'create', notes, ...options, '--open', 'notes:read']),
    ).toMatchObject({
      open_to: 'documented',
      scopes: [
        { name: 'notes:read', open: true },
        { name: 'notes:write', open: false },
      ],
    });
    expect((await latchkey.command(['resource-server', 'show', notes])).stdout).toContain('open to: documented');
    const wrong = await latchkey.command(['resource-server', 'create', 'https://x.example', '--open-to', 'all']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--open-to') });
    expect(await latchkey.commandJson(['client', 'list', '--registered-by', 'document'])).toMatchObject({ items: [] });
  });

  test('names a file that cannot be written, and does not report a database error', async () => {
    const { code, stderr } = await latchkey.command(['audit', 'export', '--out', '/nowhere/audit.ndjson']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'latchkey: Cannot use /nowhere/audit.ndjson: no such file or directory.\n',
    });
  });

  test('lists the applied migrations', async () => {
    const { migrations } = await latchkey.commandJson(['migrate', '--status']);
    expect(migrations).toContainEqual({ name: '0001_initial', applied_at: expect.any(String) });
    expect(migrations).not.toContainEqual(expect.objectContaining({ applied_at: null }));
    expect((await latchkey.command(['migrate'])).stdout).toBe('The database is already at this version.\n');
  });

  test('creates no setup link once there is an owner', async () => {
    const { code, stderr } = await latchkey.command(['setup-link']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^latchkey: An administrator already exists;.*\n$/),
    });
  });

  test('registers a client whose secret works at once, and is shown only once', async () => {
    const made = await latchkey.commandJson([
      'client',
      'create',
      'made-here',
      '--type',
      'service',
      '--resource',
      `${api}=read`,
    ]);
    expect(made.client_secret).toMatch(secretPattern);
    const authorization = basic('made-here', String(made.client_secret));
    const token = async () =>
      fetch(`${latchkey.issuer}/oauth/token`, {
        method: 'POST',
        headers: { authorization },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: api }),
      });
    expect((await token()).status).toBe(200);
    expect((await latchkey.command(['client', 'list', '--json'])).stdout).not.toContain(String(made.client_secret));
    expect(await latchkey.command(['client', 'create', 'made-here', '--type', 'service'])).toMatchObject({
      code: 1,
      stderr: 'latchkey: A client with the client_id "made-here" already exists.\n',
    });
  });

  test('disables a client; its tokens and secrets stop working at once, and its tokens stay revoked after it is enabled again', async () => {
    const tokens = await latchkey.tokens({ client_id: 'post-app', scope: 'openid read' });
    const { stdout, stderr } = await latchkey.command(['client', 'disable', 'post-app']);
    expect(stdout).toBe('Disabled client post-app.\n');
    expect(stderr).toContain('revokes 1 refresh tokens and 1 access tokens');
    expect(await latchkey.refresh(tokens.refresh_token, 'post-app')).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
    expect(await latchkey.isActive(tokens.access_token, 'service')).toBe(false);

    expect(await latchkey.commandJson(['client', 'enable', 'post-app'])).toMatchObject({ enabled: true });
    expect(await latchkey.isActive(tokens.access_token, 'service')).toBe(false);
    expect(await latchkey.refresh(tokens.refresh_token, 'post-app')).toMatchObject(refused);
  });

  test('creates a user who can sign in with the password that is shown once, or with a given one', async () => {
    const made = await latchkey.commandJson([
      'user',
      'create',
      'carol',
      '--email',
      'carol@example.com',
      '--name',
      'Carol',
    ]);
    expect(made.password).toMatch(/^[a-z2-9]{6}(-[a-z2-9]{6}){3}$/);
    const signIn = async (login: string, password: string) => {
      const browser = latchkey.browser();
      return (await browser.submit(await browser.get('/sign-in'), { login, password })).url;
    };
    expect(await signIn('carol', String(made.password))).toBe(`${latchkey.issuer}/account`);
    expect(
      await latchkey.command(['user', 'create', 'dave', '--password-stdin'], 'the given password\n'),
    ).toMatchObject({ code: 0 });
    expect(await signIn('dave', 'the given password')).toBe(`${latchkey.issuer}/account`);
  });

  test('sets a password, which signs the user out everywhere', async () => {
    const tokens = await latchkey.tokens({}, latchkey.browser(), 'bob');
    expect(
      await latchkey.command(['user', 'set-password', 'bob', '--password-stdin'], 'another long password'),
    ).toMatchObject({ code: 0 });
    expect(await latchkey.isActive(tokens.access_token)).toBe(false);
    expect(await latchkey.refresh(tokens.refresh_token)).toMatchObject(refused);
  });

  test('disables a user, who cannot sign in any more and whose tokens are revoked, but never the last owner', async () => {
    expect(await latchkey.commandJson(['user', 'create', 'erin', '--language', 'de'])).toMatchObject({
      language: 'de',
    });
    await latchkey.command(['user', 'set-password', 'erin', '--password-stdin'], 'correct horse battery staple');
    const tokens = await latchkey.tokens({}, latchkey.browser(), 'erin');
    expect(await latchkey.command(['user', 'disable', 'erin'])).toMatchObject({ code: 0 });
    expect(await latchkey.isActive(tokens.access_token)).toBe(false);
    expect(await latchkey.refresh(tokens.refresh_token)).toMatchObject(refused);
    expect(await latchkey.command(['user', 'disable', 'alice'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('This is the last owner'),
    });
  });

  test('revokes an access token, a whole family by any of its refresh tokens, and a grant', async () => {
    const one = await latchkey.tokens();
    expect(await latchkey.commandJson(['token', 'revoke'], one.access_token)).toEqual({
      revoked: 'access_token',
      client_id: 'web-app',
    });
    expect(await latchkey.isActive(one.access_token)).toBe(false);
    const { body: next } = await latchkey.refresh(one.refresh_token);
    expect(await latchkey.commandJson(['token', 'revoke', one.refresh_token])).toEqual({
      revoked: 'refresh_token',
      client_id: 'web-app',
    });
    expect(await latchkey.isActive(next.access_token)).toBe(false);
    expect(await latchkey.refresh(next.refresh_token)).toMatchObject(refused);

    const two = await latchkey.tokens();
    const grant = (await latchkey.auditEvents('access_token.issued')).at(-1)?.details as { grant_id: string };
    expect(await latchkey.command(['grant', 'revoke', grant.grant_id])).toMatchObject({ code: 0 });
    expect(await latchkey.isActive(two.access_token)).toBe(false);
    expect(await latchkey.refresh(two.refresh_token)).toMatchObject(refused);
    expect(await latchkey.command(['grant', 'revoke', grant.grant_id])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no standing grant'),
    });
  });

  test('explains in one sentence why a token is invalid', async () => {
    for (const token of ['nonsense', 'lk_at_0000000000000000000000000000000000000000000000000', 'a.b.c', '']) {
      const { code, stderr } = await latchkey.command(['token', 'revoke'], token);
      expect({ code, lines: stderr.split('\n').length }).toEqual({ code: 2, lines: 2 });
    }
  });

  test('follows the audit log: actor, action, target, result', async () => {
    await latchkey.commandJson(['client', 'add-secret', 'service']);
    const { stdout } = await latchkey.command(['audit', 'tail', '-n', '1', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      actor_kind: 'system',
      action: 'client.secret.created',
      target_kind: 'client',
      target_id: 'service',
      outcome: 'success',
      user_agent: 'latchkey command',
    });
  });
});

describe('records at the command line', () => {
  test('are printed as the admin API returns them', async () => {
    const owner = await asOwner(latchkey);
    expect(await latchkey.commandJson(['user', 'list', '--search', 'ali'])).toEqual(
      (await owner.get('/users?q=ali')).body,
    );
    expect(await latchkey.commandJson(['user', 'show', 'alice'])).toEqual((await owner.get('/users/alice')).body);
    expect(await latchkey.commandJson(['client', 'show', 'native'])).toEqual((await owner.get('/clients/native')).body);
    expect((await latchkey.command(['user', 'list'])).stdout).toMatch(/^alice +[0-9a-f-]{36} +enabled/m);
  });

  test('a client is updated, and fields that are not named stay', async () => {
    const before = await latchkey.commandJson(['client', 'show', 'native']);
    const args = ['client', 'update', 'native', '--name', 'Phone', '--patch', '{"client_uri":"https://phone.example"}'];
    expect(await latchkey.commandJson(args)).toEqual({
      ...before,
      ...{ client_name: 'Phone', client_uri: 'https://phone.example' },
      ...{ version: expect.any(Number), updated_at: expect.any(String) },
    });
    expect(await latchkey.command(['client', 'update', 'native'])).toMatchObject({ code: 2 });
    expect(await latchkey.command(['client', 'update', 'native', '--patch', '[]'])).toMatchObject({
      code: 2,
      stderr: 'latchkey: --patch must be a JSON object.\n',
    });
  });

  test('one secret of a client is revoked by its number', async () => {
    const made = await latchkey.commandJson(['client', 'create', 'two-secrets', '--type', 'service']);
    await latchkey.commandJson(['client', 'add-secret', 'two-secrets', '--label', 'next']);
    const { items } = await latchkey.commandJson(['client', 'list-secrets', 'two-secrets']);
    expect(items).toMatchObject([{ number: 2, label: 'next' }, { number: 1 }]);
    expect(JSON.stringify(items)).not.toContain(made.client_secret);
    expect(await latchkey.commandJson(['client', 'revoke-secret', 'two-secrets', '1'])).toMatchObject({
      number: 1,
      revoked_at: expect.any(String),
    });
    expect(await latchkey.command(['client', 'revoke-secret', 'two-secrets', '9'])).toMatchObject({ code: 1 });
  });

  test.each([
    [
      2,
      ['client', 'create', 'x', '--json'],
      { type: 'urn:latchkey:problem:usage', detail: expect.stringContaining('--redirect-uri') },
    ],
    [2, ['client', 'liist', '--json'], { type: 'urn:latchkey:problem:usage' }],
    [2, ['user', 'show', '--json'], { type: 'urn:latchkey:problem:usage' }],
    [2, ['user', 'create', 'no spaces', '--json'], { errors: [{ option: '<username>' }] }],
    [1, ['user', 'show', 'web-app', '--json'], { status: 404, detail: 'There is no user "web-app".' }],
  ])('fail with exit code %i and one JSON object on standard error: %j', async (code, args, problem) => {
    const failed = await latchkey.command(args);
    expect({ ...failed, stderr: JSON.parse(failed.stderr) }).toMatchObject({ code, stdout: '', stderr: problem });
  });
});

describe('a client secret added with the latchkey command', () => {
  test('works beside the present one until it expires', async () => {
    const { client_secret } = await latchkey.commandJson([
      'client',
      'add-secret',
      'service',
      '--label',
      'next',
      '--expires-in-days',
      '1',
    ]);
    const status = async (secret: string) => {
      const body = new URLSearchParams({ grant_type: 'client_credentials', resource: api });
      const headers = { authorization: basic('service', secret) };
      return (await fetch(`${latchkey.issuer}/oauth/token`, { method: 'POST', headers, body })).status;
    };
    expect(await status(String(client_secret))).toBe(200);
    expect(await status('the secret of the service')).toBe(200);
    await latchkey.advance(86_401);
    expect(await status(String(client_secret))).toBe(401);
    expect(await status('the secret of the service')).toBe(200);
  });
});
