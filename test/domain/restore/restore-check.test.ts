import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import type { TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { dropTrigger } from '../../support/held-statement.ts';
import { clientSecrets, jwtApi, password } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { ServerProcess } from '../../support/server.ts';

type Report = {
  missing: { events: number };
  gap: { segments: [number, number][] } | null;
  cut?: { signing_keys: string[] };
  revoked_all?: Record<string, number>;
  reapplied: { action: string; target: string; result: string }[];
  to_decide: { action: string; target: string; details: Record<string, unknown> }[];
  refresh_families: number;
};
type Key = { id: string; key: string };

const env = { LATCHKEY_AUDIT_STDOUT: 'on' };
const newPassword = 'another horse battery staple';

/** The newest segment in the log of a server. */
const lastSealed = (output: string) => [...output.matchAll(/"segment":(\d+),"head":/g)].at(-1)?.[1];

/** One sequence for all tests: a backup, later actions, a restore on two nodes, and the command. */
describe('latchkey restore-check', () => {
  const latchkey = startLatchkey({ env });
  const old: Record<string, string> = {};
  const keys: Record<string, Key> = {};
  let folder = '';
  let owner: AdminApi;
  let backup: TestDatabase;
  let bare: TestDatabase;
  let tampering: TestDatabase;
  let nodes: ServerProcess[] = [];
  let report: Report;

  const file = (name: string) => path.join(folder, name);
  const at = (database: TestDatabase) => ({ DATABASE_URL: database.url });
  const cli = (...args: string[]) => latchkey.commandJson(args);
  const check = (database: TestDatabase, ...args: string[]) =>
    latchkey.command(['restore-check', ...args, '--json'], '', at(database));
  const eventsOf = async (database: TestDatabase) =>
    (await database.query("select action from audit_events where action not like 'setup_link%'")).rows.length;
  const restored = (databaseUrl: string) =>
    latchkey.startAnother({ databaseUrl, env: { LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1' } });
  const signIn = async (node: string, login: string, secret: string) => {
    const headers = { 'x-forwarded-host': new URL(latchkey.issuer).host };
    const page = await fetch(`${node}/sign-in`, { headers, redirect: 'manual' });
    const cookie = page.headers
      .getSetCookie()
      .map((each) => each.split(';')[0])
      .join('; ');
    const csrf = /name="csrf" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
    const answer = await fetch(`${node}/sign-in`, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...headers, cookie, origin: latchkey.issuer },
      body: new URLSearchParams({ login, password: secret, csrf }),
    });
    return answer.status;
  };
  const verifies = async ({ key }: Key, node: string) => {
    const headers = { 'x-api-key': key, 'x-original-uri': '/x', 'x-forwarded-host': new URL(latchkey.issuer).host };
    const answer = await fetch(`${node}/gateway/forward-auth?permission=read`, { headers });
    return answer.status === 200;
  };

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-restore-'));
    owner = await asOwner(latchkey);
    const key = async (name: string) => {
      const made = await cli('key', 'create', name, '--client', 'service', '--permission', 'read');
      keys[name] = { id: String(made.id), key: String(made.key) };
    };
    for (const name of ['revoked', 'rotated', 'disabled', 'kept']) await key(name);
    const of = async (name: string, options = {}, login = 'alice') => {
      const tokens = await latchkey.tokens({ scope: 'openid offline_access read', ...options }, undefined, login);
      [old[name], old[`${name}'s access token`]] = [tokens.refresh_token, tokens.access_token];
    };
    await of('rotated family');
    await of('revoked family');
    await of('kept family');
    await of("bob's family", {}, 'bob');
    const post = await latchkey.tokens({ client_id: 'post-app', scope: 'openid read' }, undefined, 'alice');
    old["disabled client's access token"] = post.access_token;
    const jwt = await latchkey.clientCredentials({ resource: jwtApi });
    old.jwt = jwt.body.access_token;
    const { body: added } = await owner.post('/clients/web-app/secrets', { label: 'second' });
    old.secret = String(added.client_secret);
    old.secret_id = String(added.id);
    await owner.post('/roles', { name: 'support', permissions: [{ pattern: 'latchkey:user:read' }] });
    await owner.put('/roles/support/assignments/user/username:bob', {});
    await eventually(
      async () => (await latchkey.commandJson(['audit', 'verify'])).unsealed,
      (unsealed) => unsealed === 0,
    );

    backup = await latchkey.database.copy();
    bare = await latchkey.database.copy('_bare');
    tampering = await latchkey.database.copy('_tampering');

    await latchkey.refresh(old['rotated family'] ?? '');
    await latchkey.post('/oauth/revoke', { token: old['revoked family'] ?? '' }, 'web-app');
    await cli('key', 'revoke', keys.revoked?.id ?? '', '--yes');
    await cli('key', 'disable', keys.disabled?.id ?? '');
    await cli('key', 'rotate', keys.rotated?.id ?? '', '--overlap-seconds', '0');
    await cli('client', 'disable', 'post-app', '--yes');
    await owner.post(`/clients/web-app/secrets/${old.secret_id}/revoke`);
    await latchkey.command(['user', 'set-password', 'bob', '--password-stdin'], newPassword);
    await owner.delete('/roles/support/assignments/user/username:bob');
    await owner.put('/roles/support/assignments/user/username:alice', {});
    await owner.patch('/clients/spa', { redirect_uris: ['https://spa.example/callback', 'https://spa.example/new'] });
    await cli('key', 'create', 'later', '--client', 'service', '--permission', 'read');
    await eventually(
      async () => (await latchkey.commandJson(['audit', 'verify'])).unsealed,
      (unsealed) => unsealed === 0,
    );
    await latchkey.command(['audit', 'export', '--out', file('log.ndjson')]);
    const { head } = (await latchkey.commandJson(['audit', 'verify'])) as { head: { number: number; head: string } };
    old.head = `${head.number}:${head.head}`;
    const written = await eventually(
      () => latchkey.server.output(),
      // Events in between are also sealed: each segment in the log must be written.
      (output) => output.includes(`"number":${head.number},`) && output.includes(`"number":${lastSealed(output)},`),
    );
    await writeFile(file('stdout.log'), written);
    nodes = [await restored(backup.url), await restored(backup.url)];
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await Promise.all([backup, bare, tampering].map((each) => each?.drop()));
    await rm(folder, { recursive: true, force: true });
  });

  const first = () => nodes[0]?.address ?? '';
  const cameBack: [string, (node: string) => Promise<boolean>][] = [
    ['a revoked API key', (node) => verifies(keys.revoked as Key, node)],
    ['the text of an API key from before its rotation', (node) => verifies(keys.rotated as Key, node)],
    ['a disabled API key', (node) => verifies(keys.disabled as Key, node)],
    ['a revoked client secret', (node) => latchkey.isLetIn('web-app', old.secret ?? '', node)],
    ['a client that was disabled', (node) => latchkey.isLetIn('post-app', clientSecrets['post-app'], node)],
    [
      "a disabled client's access token",
      (node) => latchkey.isActive(old["disabled client's access token"] ?? '', 'service', node),
    ],
    [
      'the access token of a revoked refresh token',
      (node) => latchkey.isActive(old["revoked family's access token"] ?? '', 'web-app', node),
    ],
    [
      'the access token of an older refresh token',
      (node) => latchkey.isActive(old["rotated family's access token"] ?? '', 'web-app', node),
    ],
    ['a replaced password', async (node) => (await signIn(node, 'bob', password)) === 303],
    [
      'an access token of who had their password replaced',
      (node) => latchkey.isActive(old["bob's family's access token"] ?? '', 'web-app', node),
    ],
    ['a JWT of before', (node) => latchkey.isActive(old.jwt ?? '', 'service', node)],
  ];
  const stays: typeof cameBack = [
    ['an API key', (node) => verifies(keys.kept as Key, node)],
    ['an access token', (node) => latchkey.isActive(old["kept family's access token"] ?? '', 'web-app', node)],
    ['a client secret', (node) => latchkey.isLetIn('web-app', clientSecrets['web-app'], node)],
    ['a password', async (node) => (await signIn(node, 'alice', password)) === 303],
  ];

  test('is needed: a restore reactivates revoked credentials', async () => {
    // A node that has just started may still answer 503 on a busy machine.
    const comesBack = (works: (node: string) => Promise<boolean>) => eventually(() => works(first()), Boolean);
    const back = await Promise.all(cameBack.map(async ([name, works]) => [name, await comesBack(works)]));
    expect(back).toEqual(cameBack.map(([name]) => [name, true]));
  });

  test('shows with --dry-run what would be revoked, and changes nothing', async () => {
    const before = await eventsOf(backup);
    const { code, stdout } = await check(backup, file('log.ndjson'), '--dry-run');
    expect(code).toBe(0);
    const plan = JSON.parse(stdout);
    expect(plan).toMatchObject({ dry_run: true, gap: null });
    expect(plan.missing.events).toBeGreaterThanOrEqual(10);
    const results = plan.reapplied.map(({ result }: { result: string }) => result);
    expect(new Set(results)).toEqual(new Set(['would end']));
    expect(await verifies(keys.revoked as Key, first())).toBe(true);
    expect(await eventsOf(backup)).toBeLessThanOrEqual(before + 5);
  });

  test('needs --yes in scripts', async () => {
    expect(await check(backup, file('log.ndjson'))).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Add --yes/),
    });
  });

  test('revokes again what was revoked before, and lists the rest', async () => {
    const { code, stdout, stderr } = await check(backup, file('log.ndjson'), '--yes');
    report = JSON.parse(stdout);
    expect(report.reapplied.filter(({ result }) => result === 'failed')).toEqual([]);
    expect([code, stderr]).toEqual([0, '']);
    expect(report.gap).toBeNull();
    expect(report.cut?.signing_keys.length).toBeGreaterThan(0);
    const ended = report.reapplied.filter(({ result }) => result === 'ended').map(({ action }) => action);
    expect(ended).toEqual(
      expect.arrayContaining([
        'api_key.revoked',
        'api_key.rotated',
        'api_key.disabled',
        'client.disabled',
        'client.secret.revoked',
        'role.unassigned',
        'user.password_set',
      ]),
    );
    expect(report.refresh_families).toBe(2);
    const decide = report.to_decide.map(({ action }) => action);
    expect(decide).toEqual(
      expect.arrayContaining([
        'role.assigned',
        'client.updated',
        'api_key.created',
        'api_key.rotated',
        'user.password_set',
      ]),
    );
    const redirects = report.to_decide.find(({ action, target }) => action === 'client.updated' && /spa/.test(target));
    expect(JSON.stringify(redirects?.details)).toContain('https://spa.example/new');
  });

  test.each(cameBack)('revokes %s on both nodes', async (_, works) => {
    for (const { address } of nodes)
      await eventually(
        () => works(address),
        (isGood) => !isGood,
      );
  });

  test.each(stays)('leaves %s', async (_, works) => {
    for (const { address } of nodes) expect(await works(address)).toBe(true);
  });

  test('revokes an older refresh token, which a copy of it would renew (RFC 9700 §4.14.2)', async () => {
    expect(await latchkey.refresh(old['rotated family'] ?? '', 'web-app', first())).toMatchObject({ status: 400 });
    expect(await latchkey.refresh(old['kept family'] ?? '', 'web-app', first())).toMatchObject({ status: 200 });
  });

  test('closes status lists and withdraws signing keys, so that no JWT from before is accepted offline', async () => {
    const get = async (url: string) =>
      fetch(`${first()}${url}`, { headers: { 'x-forwarded-host': new URL(latchkey.issuer).host } });
    expect((await get('/status-lists/1')).status).toBe(404);
    const { keys: published } = (await (await get('/oauth/jwks')).json()) as { keys: { kid: string }[] };
    const { keys: before } = (await (await fetch(`${latchkey.issuer}/oauth/jwks`)).json()) as typeof published & {
      keys: { kid: string }[];
    };
    expect(published.filter(({ kid }) => before.some((each) => each.kid === kid))).toEqual([]);
    for (const { address } of nodes) {
      const { body } = await latchkey.clientCredentials({ resource: jwtApi }, 'service', address);
      const [, claims = ''] = body.access_token.split('.');
      const { status } = JSON.parse(Buffer.from(claims, 'base64url').toString());
      const list = new URL(status.status_list.uri);
      expect(Number(list.pathname.split('/').at(-1))).toBeGreaterThan(200_000);
      expect((await get(list.pathname)).status).toBe(200);
    }
  });

  test('changes and records nothing when it is run again', async () => {
    const { rows: before } = await backup.query('select max(position) from changes');
    // Refusals are counted in the log once their minute is over.
    const events = "select count(*) from audit_events where action not like 'session%' and action not like '%.refused'";
    const count = (await backup.query(events)).rows[0].count;
    const { code, stdout } = await check(backup, file('log.ndjson'), '--yes');
    expect(code).toBe(0);
    const again: Report = JSON.parse(stdout);
    expect(again.cut).toBeUndefined();
    expect(again.reapplied.filter(({ result }) => result === 'ended' || result === 'failed')).toEqual([]);
    expect((await backup.query('select max(position) from changes')).rows).toEqual(before);
    expect((await backup.query(events)).rows[0].count).toBe(count);
  });

  test('keeps changes made after the restore', async () => {
    await latchkey.command(['user', 'set-password', 'bob', '--password-stdin'], newPassword, at(backup));
    await check(backup, file('log.ndjson'), '--yes');
    expect(await signIn(first(), 'bob', newPassword)).toBe(303);
  });

  test('reads the standard output of a server as well, and verifies it', async () => {
    const { code, stdout, stderr } = await check(bare, file('stdout.log'), '--dry-run');
    expect([code, stderr]).toEqual([0, '']);
    const plan: Report = JSON.parse(stdout);
    expect(plan.gap).toBeNull();
    expect(plan.reapplied.map(({ action }) => action)).toEqual(report.reapplied.map(({ action }) => action));
  });

  const lines = async (name: string) => (await readFile(file(name), 'utf8')).trimEnd().split('\n');
  const changed = (name: string, change: (all: string[]) => string[]) => async () => change(await lines(name));
  const swapped = (all: string[]) => all.map((line) => line.replaceAll(keys.revoked?.id ?? '-', keys.kept?.id ?? '-'));
  test.each<[string, () => Promise<string[]>, RegExp]>([
    [
      'an export in which another key was named',
      changed('log.ndjson', swapped),
      /was rejected, nothing was changed: line/,
    ],
    [
      'standard output in which another key was named',
      changed('stdout.log', swapped),
      /was rejected, nothing was changed: line/,
    ],
    [
      'an export that lacks an event',
      changed('log.ndjson', (all) => all.filter((line) => !line.includes('"api_key.disabled"'))),
      /was rejected/,
    ],
    [
      'a file under foreign keys',
      changed('log.ndjson', (all) => all.map((line) => line.replace(/"kid":"[^"]+"/, '"kid":"somebody-else"'))),
      /by an unknown key: somebody-else/,
    ],
    [
      'events without their seals',
      changed('stdout.log', (all) => all.filter((line) => !line.includes('"audit.sealed"'))),
      /are not covered by a signed head/,
    ],
  ])('refuses %s', async (_, make, sentence) => {
    await writeFile(file('bad'), (await make()).join('\n'));
    const { code, stderr } = await check(tampering, file('bad'), '--yes');
    expect([code, stderr]).toEqual([1, expect.stringMatching(sentence)]);
    const { rows } = await tampering.query("select from audit_events where action like 'restore.%'");
    expect(rows).toEqual([]);
  });

  test('names missing segments, and exits with code 1', async () => {
    const all = await lines('stdout.log');
    const late = all.findLastIndex((line) => line.includes('"api_key.disabled"'));
    const segment = JSON.parse(all[late] ?? '').data.segment;
    await writeFile(
      file('gap'),
      all.filter((line) => !new RegExp(`"(segment|number)":${segment},`).test(line)).join('\n'),
    );
    const { code, stdout, stderr } = await check(tampering, file('gap'), '--dry-run');
    expect(code).toBe(1);
    expect(stderr).toMatch(/unknown: find their events, or run this with --revoke-all/);
    expect(JSON.parse(stdout).gap.segments).toEqual([[segment, segment]]);
  });

  test('is completed by another run after it was killed', async () => {
    const trigger = `create function die() returns trigger language plpgsql as $$ begin
      if new.details->>'action' = 'client.disabled' then raise exception 'killed'; end if; return new; end $$`;
    await tampering.query(trigger);
    await tampering.query(
      "create trigger die before insert on audit_events for each row when (new.action = 'restore.reapplied') execute function die()",
    );
    expect((await check(tampering, file('log.ndjson'), '--yes')).code).not.toBe(0);
    await tampering.query(dropTrigger('audit_events', 'die'));
    const { code, stdout } = await check(tampering, file('log.ndjson'), '--yes');
    expect(code).toBe(0);
    const finished: Report = JSON.parse(stdout);
    expect(finished.cut).toBeUndefined();
    const results = new Set(finished.reapplied.map(({ result }) => result));
    expect(results).toEqual(new Set(['done before', 'ended']));
    const { rows } = await tampering.query('select client_id from clients where not enabled');
    expect(rows).toEqual([{ client_id: 'post-app' }]);
  });

  test('with only a noted head reports the gap, and revokes everything with --revoke-all, keys too', async () => {
    const dry = await check(bare, '--head', old.head ?? '', '--dry-run');
    expect(dry.code).toBe(1);
    expect(JSON.parse(dry.stdout).gap.segments).toEqual([[expect.any(Number), Number(old.head?.split(':')[0])]]);
    // The clock of the machine that was backed up was ahead of this one's.
    const issued = { access_tokens: 'issued_at', jwt_access_tokens: 'issued_at', refresh_families: 'issued_at' };
    const signedIn = { sessions: 'signed_in_at', grants: 'created_at', api_key_versions: 'issued_at' };
    for (const [table, column] of Object.entries({ ...issued, ...signedIn }))
      await bare.query(`update ${table} set ${column} = ${column} + interval '1 day'`);
    const { code, stdout } = await check(bare, '--head', old.head ?? '', '--revoke-all', '--yes');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).revoked_all).toMatchObject({ api_keys: 4, refresh_families: 5 });
    const again = JSON.parse((await check(bare, '--head', old.head ?? '', '--revoke-all', '--yes')).stdout);
    expect([again.cut, again.revoked_all]).toEqual([undefined, undefined]);
    const node = await restored(bare.url);
    nodes.push(node);
    for (const [name, works] of [...cameBack, ...stays].filter(([each]) => /key$|token$/.test(each)))
      expect([name, await works(node.address)]).toEqual([name, false]);
    const { rows } = await bare.query(
      `select from standing_sessions where user_id is not null union all select from standing_refresh_families where ends_at > now()
        union all select from standing_access_tokens where ends_at > now()`,
    );
    expect(rows).toEqual([]);
  });

  test('reports nothing missing for a complete database', async () => {
    const { code, stdout } = await latchkey.command(['restore-check', '--head', old.head ?? '', '--dry-run']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/Nothing is missing here/)]);
  });

  test.each<[string, string[], RegExp]>([
    ['nothing to go by', [], /Name files of events/],
    ['a file that is not there', ['/nowhere/log'], /Cannot read \/nowhere\/log: ENOENT/],
    ['a head of another shape', ['--head', '12'], /must be a number, a colon and 64 hex digits/],
  ])('refuses %s', async (_, args, sentence) => {
    expect(await check(tampering, ...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(sentence) });
  });
});
