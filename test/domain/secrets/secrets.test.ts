import { spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Secrets } from '../../../packages/secrets/src/index.ts';
import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { consoleAs, consoleOfNew, linkOn, stateOn, wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { ForeignIssuer } from '../../support/foreign-issuer.ts';
import type { RunningServer } from '../../support/hosted-server.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { installTarball, runAndCheck } from '../../support/packed-guard.ts';
import { runCommand } from '../../support/server.ts';

const commandFile = path.join(import.meta.dirname, '../../../bin/latchkey.js');
const latchkey = startLatchkey({ env: { LOG_LEVEL: 'trace' } });
let owner: AdminApi;
let other: RunningServer;
beforeAll(async () => {
  owner = await asOwner(latchkey);
  other = await latchkey.startNode();
});

const at = (path: string) => `/secrets/${encodeURIComponent(path)}`;

/** The time claims of a token that is issued now, by the clock of the server. */
const times = () => ({ iat: latchkey.seconds, nbf: latchkey.seconds, exp: latchkey.seconds + 600 });
const newPath = (folder = 'test') => `${folder}/${crypto.randomUUID()}`;
const put = (path: string, data: Record<string, unknown>, more: Record<string, unknown> = {}, by = owner) =>
  by.post(`${at(path)}/versions`, { data, ...more });
/** 14 segments, and 496 characters. */
const longest = [
  ...Array.from({ length: 13 }, () => 'segment-of-35-characters-xxxxxxxxxx'),
  'last-of-28-characters-xxxxxx',
].join('/');
const read = (path: string, query = '', by = owner, node = latchkey.issuer) =>
  by.get(`${at(path)}/value${query}`, { node });
const eventsOf = async (path: string) =>
  (await latchkey.database.query('select * from audit_events where target_id = $1 order by recorded_in, id', [path]))
    .rows;

/** A service with these permissions for secrets, and those of the routes. */
function serviceWith(...permissions: string[]): Promise<AdminApi> {
  return withRole(permissions);
}

async function withRole(permissions: string[]): Promise<AdminApi> {
  const name = `role-${crypto.randomUUID().slice(0, 8)}`;
  const rights = permissions.map((pattern) => ({ resource: `${latchkey.issuer}/v1`, pattern }));
  const made = await owner.post('/roles', { name, permissions: rights });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return asService(latchkey, owner, { roles: [name], permissions: ['latchkey:*'] });
}

describe('a secret', () => {
  test('has versions that can be read on every node', async () => {
    const path = newPath();
    expect(await put(path, { user: 'shop', password: 'first' })).toMatchObject({
      status: 201,
      body: { number: 1, state: 'live', created_by_kind: 'client' },
    });
    expect((await put(path, { user: 'shop', password: 'second' })).body.number).toBe(2);
    const found = await read(path, '', owner, other.address);
    expect(found).toMatchObject({
      status: 200,
      body: { path, number: 2, current_version: 2, data: { user: 'shop', password: 'second' } },
    });
    expect(found.headers.get('cache-control')).toBe('no-store');
    expect((await read(path, '?version=1')).body.data).toEqual({ user: 'shop', password: 'first' });
    const rolledBack = await owner.post(`${at(path)}/rollback`, { version: 1 });
    expect(rolledBack).toMatchObject({ status: 201, body: { number: 3 } });
    expect((await read(path)).body.data).toEqual({ user: 'shop', password: 'first' });
    expect(await read(path, '?version=9')).toMatchObject({ status: 404 });
    expect(await read(newPath())).toMatchObject({ status: 404 });
  });

  test('holds up to 1 MiB of any JSON', async () => {
    const path = newPath();
    const data = { certificate: `-----BEGIN-----\n${'x'.repeat(1_000_000)}`, nested: { list: [1, null, true, 'ä'] } };
    expect((await put(path, data)).status).toBe(201);
    expect((await read(path)).body.data).toEqual(data);
    expect(await put(path, { large: 'x'.repeat(1024 * 1024) })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/data' }] },
    });
    expect(await put(path, { large: 'x'.repeat(3 * 1024 * 1024) })).toMatchObject({ status: 413 });
  });

  test('is written once when 30 requests have seen the same version (check-and-set)', async () => {
    const path = newPath();
    const attempts = (cas: number) =>
      Promise.all(
        Array.from({ length: 30 }, (_, n) =>
          owner.post(`${at(path)}/versions`, { data: { n }, cas }, { node: n % 2 ? latchkey.issuer : other.address }),
        ),
      );
    for (const cas of [0, 1]) {
      const statuses = (await attempts(cas)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 201)).toHaveLength(1);
      // On a busy machine, some requests wait too long for the row and get 503 with Retry-After.
      expect(statuses.filter((status) => ![201, 409, 503].includes(status))).toEqual([]);
    }
    expect((await owner.get(at(path))).body).toMatchObject({ current_version: 2 });
    await owner.patch(at(path), { cas_required: true });
    expect(await put(path, { n: 1 })).toMatchObject({ status: 400, body: { type: expect.stringMatching(/required/) } });
    expect((await put(path, { n: 1 }, { cas: 2 })).status).toBe(201);
  });

  test('is found by a leaked value, by callers who may read it', async () => {
    const [path, hidden] = [newPath(), newPath('hidden')];
    const leaked = `leaked ${crypto.randomUUID()}`;
    await put(path, { user: 'shop', password: leaked });
    await put(path, { password: 'the next one' });
    await put(hidden, { token: leaked, list: [leaked] });
    const search = (value: unknown, by = owner) => by.post('/secret-searches', { value });
    const { body } = await search(leaked);
    expect(body.items).toEqual([
      { path: hidden, number: 1, part: 'token', is_current: true, destroyed: false },
      { path, number: 1, part: 'password', is_current: false, destroyed: false },
    ]);
    expect((await search([leaked])).body.items).toMatchObject([{ path: hidden, part: 'list' }]);
    const written = (await eventsOf(path)).find(({ action }) => action === 'secret.written');
    expect(written.details.values.password).toBe(body.hash);
    // A caller who may only list it learns nothing about its value: a right guess looks like a wrong one.
    const lister = await serviceWith('secrets:list:*', 'secrets:read:test:*');
    expect((await search(leaked, lister)).body.items).toMatchObject([{ path }]);
    expect((await search('a wrong guess', lister)).body.items).toEqual([]);
    expect(await owner.post('/secret-searches', {})).toMatchObject({ status: 400 });
    await owner.post(`${at(path)}/versions/1/destroy`);
    expect((await search(leaked)).body.items).toMatchObject([{ path: hidden }, { path, destroyed: true }]);
    await owner.delete(at(path));
    expect((await search(leaked)).body.items).toMatchObject([{ path: hidden }]);
    const searches = await latchkey.auditEvents('secret.searched');
    expect(searches[0]).toMatchObject({ details: { hash: body.hash, found: 2 } });
    const command = await latchkey.command(['secret', 'find'], `${leaked}\n`);
    expect(command).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^hidden\/.*current\nIts hash in audit events: /),
    });
  });

  test('can be generated, and is shown only to its readers', async () => {
    const path = newPath();
    const generate = {
      password: { kind: 'password', length: 40, symbols: true },
      seed: { kind: 'random', bytes: 48, encoding: 'hex' },
      value: { kind: 'key_pair' },
      tls: {
        kind: 'certificate',
        common_name: 'orders',
        dns_names: ['orders.internal', '*.orders.internal'],
        days: 30,
      },
    };
    const made = await put(path, { user: 'shop' }, { generate });
    expect(made).toMatchObject({
      status: 201,
      body: { number: 1, public: { public_key: expect.any(String), tls_certificate: expect.any(String) } },
    });
    const { data } = (await read(path)).body as unknown as { data: Record<string, string> };
    const secret = ['password', 'seed', 'private_key', 'tls_private_key'];
    expect(Object.keys(data).sort()).toEqual([...secret, 'public_key', 'tls_certificate', 'user'].sort());
    for (const part of secret) expect(JSON.stringify(made.body)).not.toContain(JSON.stringify(data[part]).slice(1, -1));
    for (const characters of [/[a-z]/, /[A-Z]/, /[0-9]/, /[!#%*+\-.:=?@_~]/, /^.{40}$/])
      expect(data.password).toMatch(characters);
    expect(data.seed).toMatch(/^[0-9a-f]{96}$/);
    const pairOf = (text = '') => createPublicKey(createPrivateKey(text)).export({ type: 'spki', format: 'pem' });
    expect(pairOf(data.private_key)).toBe(data.public_key);
    const certificate = new X509Certificate(data.tls_certificate ?? '');
    expect(certificate.checkPrivateKey(createPrivateKey(data.tls_private_key ?? ''))).toBe(true);
    expect([certificate.checkHost('a.orders.internal'), certificate.checkHost('other.example')]).toEqual([
      '*.orders.internal',
      undefined,
    ]);
    expect([certificate.subject, certificate.ca]).toEqual(['CN=orders', false]);
    const [written] = (await eventsOf(path)).filter(({ action }) => action === 'secret.written');
    expect(written.details).toMatchObject({ generated: ['password', 'seed', 'value', 'tls'] });
    for (const [body, pointer] of [
      [{}, '/data'],
      [{ data: { password: 'mine' }, generate: { password: { kind: 'password' } } }, '/generate/password'],
      [{ generate: { password: { kind: 'password', length: 8 } } }, '/generate/password/length'],
      [{ generate: { key: { kind: 'dsa' } } }, '/generate/key/kind'],
    ] as const)
      expect(await owner.post(`${at(path)}/versions`, body)).toMatchObject({
        status: 400,
        body: { errors: [{ pointer }] },
      });
    const reader = await serviceWith('secrets:read:*');
    expect((await put(path, {}, { generate }, reader)).status).toBe(403);
    const command = ['secret', 'generate', path, '--kind', 'random', '--encoding', 'hex', '--cas', '1'];
    const { code, stdout } = await latchkey.command(command);
    const second = String(((await read(path)).body.data as Record<string, unknown>).value);
    expect([code, stdout.trim()]).toEqual([0, `Wrote version 2 of ${path}.`]);
    expect(second).toMatch(/^[0-9a-f]{64}$/);
    const log = (await latchkey.database.query('select t::text as row from audit_events t')).rows;
    const stored = log.map(({ row }) => row).join() + latchkey.server.output();
    for (const value of [data.password ?? '', data.seed ?? '', second]) expect(stored).not.toContain(value);
  });

  test('can be a reference to a credential kept elsewhere', async () => {
    const path = newPath();
    const entry = {
      ...{ location: 'AWS Secrets Manager, eu-central-1, pay/gateway', accessible_to: ['team payments', 'the vendor'] },
      rotated_at: '2026-05-01T00:00:00.000Z',
    };
    expect(await owner.patch(at(path), { ...entry, risk: 'high' })).toMatchObject({
      status: 200,
      body: { ...entry, current_version: 0 },
    });
    expect((await read(path)).status).toBe(404);
    expect((await owner.get('/secrets?q=eu-central-1')).body.items).toMatchObject([{ path }]);
    expect((await owner.patch(at(path), { location: null })).body).toMatchObject({ ...entry, location: null });
    await owner.patch(at(path), { location: entry.location });
    const page = await (await consoleAs(latchkey)).get(`/secrets/${encodeURIComponent(path)}`);
    for (const words of [entry.location, 'team payments', 'Last replaced']) expect(wordsOf(page)).toContain(words);
  });

  test('is due for rotation by its risk, and is listed by that and by its state', async () => {
    const folder = `due-${crypto.randomUUID().slice(0, 8)}`;
    const [written, unrated, deleted, elsewhere] = ['written', 'unrated', 'deleted', 'elsewhere'].map(
      (name) => `${folder}/${name}`,
    ) as [string, string, string, string];
    for (const path of [written, unrated, deleted]) await put(path, { n: 1 });
    for (const path of [written, deleted, elsewhere]) await owner.patch(at(path), { risk: 'high' });
    await owner.post(`${at(deleted)}/versions/1/delete`);
    await owner.patch(at(elsewhere), { location: 'A notebook', rotated_at: '2020-01-01T00:00:00Z' });
    const { body } = await owner.get(at(written));
    const [version] = body.versions as { created_at: string }[];
    const thirtyDays = 30 * 86_400_000;
    expect(new Date(String(body.due_at)).getTime()).toBe(new Date(String(version?.created_at)).getTime() + thirtyDays);
    const states = async (query: string) =>
      (await owner.get(`/secrets?prefix=${folder}/${query}`)).body.items.map(
        ({ path, current_state, due_at }) =>
          `${path}`.slice(folder.length + 1) + ` ${current_state} ${due_at !== null}`,
      );
    expect(await states('')).toEqual([
      'deleted deleted false',
      'elsewhere null true',
      'unrated live false',
      'written live true',
    ]);
    expect(await states('&due=true')).toEqual(['elsewhere null true']);
    expect(await states('&due=false&risk=high')).toEqual(['deleted deleted false', 'written live true']);
    expect(await states('&state=none')).toEqual(['elsewhere null true']);
    expect(await states('&state=deleted')).toEqual(['deleted deleted false']);
    await latchkey.advance(31 * 86_400);
    owner = await asOwner(latchkey);
    expect(await states('&due=true')).toEqual(['elsewhere null true', 'written live true']);
    const { stdout } = await latchkey.command(['secret', 'list', '--prefix', `${folder}/`, '--due']);
    expect(stdout).toMatch(/elsewhere +version 0 .* due 2020-01-31T00:00:00\.000Z\n.*written +version 1 /);
    const none = await latchkey.command(['secret', 'list', '--prefix', `${folder}/none`, '--due']);
    expect(none.stdout).toContain('No secret is due for rotation.');
    const page = await (await consoleAs(latchkey)).get(`/secrets?prefix=${folder}/&due=true`);
    expect(wordsOf(page)).toMatch(/elsewhere Kept elsewhere High Due .*written v1 High Due/);
    // A version of its own ends the reference, and an expiry before the risk does is the date.
    await put(elsewhere, { n: 1 }, { ttl_seconds: 86_400 });
    const { due_at, versions } = (await owner.get(at(elsewhere))).body;
    expect(due_at).toBe((versions as { expires_at: string }[])[0]?.expires_at);
  });

  test('loses the oldest versions above its limit', async () => {
    const path = newPath();
    await owner.patch(at(path), { max_versions: 2 });
    for (const n of [1, 2, 3]) await put(path, { n });
    expect((await owner.get(at(path))).body.versions).toMatchObject([{ number: 2 }, { number: 3 }]);
    expect((await read(path, '?version=1')).status).toBe(404);
  });

  test('is deleted, undeleted and destroyed by version; a destroyed value is stored nowhere', async () => {
    const path = newPath();
    for (const n of [1, 2]) await put(path, { n });
    const change = (number: number, what: string) => owner.post(`${at(path)}/versions/${number}/${what}`);
    await change(2, 'delete');
    expect(await read(path)).toMatchObject({ status: 410, body: { type: 'urn:latchkey:problem:deleted' } });
    expect((await read(path, '?version=1')).status).toBe(200);
    await change(2, 'undelete');
    expect((await read(path)).body.data).toEqual({ n: 2 });
    const destroyed = await change(2, 'destroy');
    expect(destroyed.body.versions).toMatchObject([{ state: 'live' }, { state: 'destroyed' }]);
    await change(2, 'undelete');
    expect(await read(path)).toMatchObject({ status: 410, body: { type: 'urn:latchkey:problem:destroyed' } });
    const { rows } = await latchkey.database.query(
      'select v.* from secret_versions v join secrets s on s.id = v.secret_id where s.path = $1 and number = 2',
      [path],
    );
    expect(rows).toMatchObject([{ sealed_key: null, sealed_value: null, term: null }]);
    expect(await owner.delete(at(path))).toMatchObject({ status: 204 });
    expect((await owner.get(at(path))).status).toBe(404);
    expect((await eventsOf(path)).map(({ action }) => action)).toEqual(
      expect.arrayContaining(['secret.deleted', 'secret.undeleted', 'secret.destroyed', 'secret.removed']),
    );
  });

  test('keeps metadata beside its value', async () => {
    const path = newPath();
    const settings = {
      description: 'The shop’s database',
      environment: 'prod',
      risk: 'high',
      owner: { user: 'alice' },
      custom_metadata: { team: 'shop' },
    };
    const { status, body } = await owner.patch(at(path), settings);
    expect({ status, body }).toMatchObject({ status: 200, body: { ...settings, current_version: 0 } });
    const merged = await owner.patch(at(path), { custom_metadata: { ticket: '7' }, owner: null });
    expect(merged.body).toMatchObject({ custom_metadata: { team: 'shop', ticket: '7' }, owner: null, risk: 'high' });
    const stale = { headers: { 'if-match': `"${body.version}"` } };
    expect((await owner.patch(at(path), { risk: 'low' }, stale)).status).toBe(412);
    expect(await owner.patch(at(path), { owner: { user: 'nobody' } })).toMatchObject({ status: 400 });
  });

  test.each([
    'a//b',
    '/a',
    'a/',
    'a/../b',
    'a b',
    'ä',
    'x'.repeat(65),
    Array(15).fill('a').join('/'),
    'a:b',
    `${longest}x`,
  ])('cannot be called %j', async (path) => expect((await put(path, { n: 1 })).status).toBe(404));

  test.each(['a\nb\tc\r\n', 'a\u0000b', '\u001b[2J', 'a\u0085\u202eb', '\ufeff😀'])(
    'can have the value %j, and be found by it',
    async (value) => {
      const path = newPath();
      expect(await put(path, { value, nested: [{ value }] })).toMatchObject({ status: 201 });
      expect((await read(path)).body).toMatchObject({ data: { value, nested: [{ value }] } });
      expect((await owner.post('/secret-searches', { value })).body.items).toMatchObject([{ path }]);
    },
  );

  test.each([
    ['control characters in the name of a part', { 'a\u0000': 'b' }, {}],
    ['invalid Unicode in a value', { a: '\ud800' }, {}],
    ['control characters in another member', { a: 'b' }, { cas: { data: '\u0000' } }],
  ])('is refused for %s', async (_, data, more) => {
    expect((await put(newPath(), data, more)).body.detail).toContain('Control characters');
  });

  test('can have a path of 14 segments and 496 characters, which a permission of 512 names', async () => {
    expect((await put(longest, { n: 1 })).status).toBe(201);
    const permission = `secrets:destroy:${longest.replaceAll('/', ':')}`;
    expect(permission).toHaveLength(512);
    expect((await owner.get('/secrets?prefix=segment-of-35')).body.items).toMatchObject([{ path: longest }]);
    const destroy = `${at(longest)}/versions/1/destroy`;
    expect((await (await serviceWith('secrets:destroy:other', 'secrets:list:*')).post(destroy)).body).toMatchObject({
      permission,
    });
    const lists = permission.replace('destroy', 'list');
    expect((await (await serviceWith(permission, lists)).post(destroy)).status).toBe(200);
  });
});

describe('a permission for secrets', () => {
  test.each<[permission: string, path: string, isAllowed: boolean]>([
    ['secrets:read:database:*', 'database/prod', true],
    ['secrets:read:database:*', 'database/eu/prod', true],
    ['secrets:read:*:prod', 'database/prod', true],
    ['secrets:*', 'database/prod', true],
    ['secrets:read:database:prod', 'database/prod', true],
    ['secrets:read:database', 'database/prod', false],
    ['secrets:read:database:*', 'database2/prod', false],
    ['secrets:read:Database:*', 'database/prod', false],
    ['secrets:write:*', 'database/prod', false],
  ])('%s: reading %s is allowed: %s', async (permission, path, isAllowed) => {
    await put(path, { value: 'v' });
    const caller = await serviceWith(permission);
    const { status, body } = await read(path, '', caller);
    expect(status).toBe(isAllowed ? 200 : 403);
    if (!isAllowed) expect(body).toMatchObject({ permission: `secrets:read:${path.replaceAll('/', ':')}` });
  });

  test('is never given by a leading *, and a refusal does not tell whether the secret exists', async () => {
    const path = newPath();
    await put(path, { value: 'v' });
    const caller = await asService(latchkey, owner, { permissions: ['latchkey:*'] });
    const [known, unknown] = [await read(path, '', caller), await read(newPath(), '', caller)];
    expect([known.status, unknown.status]).toEqual([403, 403]);
    expect(Object.keys(known.body)).toEqual(Object.keys(unknown.body));
    expect(await eventsOf(path)).toContainEqual(
      expect.objectContaining({ action: 'secret.refused', outcome: 'failure' }),
    );
  });

  test('is separate for reading, writing, deleting, destroying and listing', async () => {
    const path = newPath('separate');
    await put(path, { n: 1 });
    const reader = await serviceWith('secrets:read:separate:*');
    const writer = await serviceWith('secrets:write:separate:*');
    const deleter = await serviceWith('secrets:delete:separate:*');
    expect((await put(path, { n: 2 }, {}, writer)).status).toBe(201);
    expect((await read(path, '', writer)).status).toBe(403);
    expect((await put(path, { n: 3 }, {}, reader)).status).toBe(403);
    // A rollback reveals nothing to a writer, but it writes a value that others may read.
    expect((await writer.post(`${at(path)}/rollback`, { version: 1 })).status).toBe(403);
    const lists = (by: AdminApi) => by.get('/secrets?prefix=separate/');
    expect((await lists(reader)).body.items).toEqual([]);
    expect((await reader.get(at(path))).status).toBe(403);
    expect((await deleter.post(`${at(path)}/versions/1/destroy`)).status).toBe(403);
    expect((await deleter.delete(at(path))).status).toBe(403);
    // The response would describe the secret: nothing is changed before the refusal.
    expect((await deleter.post(`${at(path)}/versions/2/delete`)).body).toMatchObject({
      permission: `secrets:list:${path.replaceAll('/', ':')}`,
    });
    expect((await read(path)).status).toBe(200);
    const lister = await serviceWith('secrets:list:separate:*');
    expect((await lists(lister)).body.items).toMatchObject([{ path }]);
  });

  test('is lost with the role from the next read on, on every node', async () => {
    const path = newPath();
    await put(path, { n: 1 });
    const name = `role-${crypto.randomUUID().slice(0, 8)}`;
    await owner.post('/roles', {
      name,
      permissions: [{ resource: `${latchkey.issuer}/v1`, pattern: 'secrets:read:*' }],
    });
    const caller = await asService(latchkey, owner, { roles: [name] });
    expect((await read(path, '', caller, other.address)).status).toBe(200);
    await owner.delete(`/roles/${name}`);
    expect((await read(path, '', caller, other.address)).status).toBe(403);
  });

  test('is, with an API key, limited to that of the key, until it is revoked', async () => {
    const path = newPath('keys');
    await put(path, { n: 1 });
    const created = await owner.post('/api-keys', {
      name: 'reader',
      owner: { client_id: 'service' },
      environment: 'dev',
      permissions: ['secrets:read:keys:*', 'latchkey:secret:reveal'],
    });
    expect(created.status).toBe(201);
    const get = (node = latchkey.issuer) =>
      fetch(`${node}/admin/v1${at(path)}/value`, {
        headers: { 'x-api-key': String(created.body.key), 'x-forwarded-host': new URL(latchkey.issuer).host },
      });
    expect((await get()).status).toBe(200);
    expect((await get(other.address)).status).toBe(200);
    await owner.post(`/api-keys/${created.body.id}/revoke`);
    expect([(await get()).status, (await get(other.address)).status]).toEqual([401, 401]);
  });

  test('is applied to lists, which are paged by folder and filtered', async () => {
    const folder = `pages-${crypto.randomUUID().slice(0, 8)}`;
    for (const name of ['a', 'b', 'b/c', 'b-d']) await put(`${folder}/${name}`, { n: 1 });
    const page = async (query: string) => (await owner.get(`/secrets?prefix=${folder}/&${query}`)).body;
    const first = await page('limit=3&total=true');
    expect(first).toMatchObject({ total: 4, items: [{ path: `${folder}/a` }, { path: `${folder}/b` }, {}] });
    expect((await page(`limit=3&cursor=${first.next}`)).items).toMatchObject([{ path: `${folder}/b/c` }]);
  });
});

const refusing = `alter table audit_events add constraint refuses check (action <> 'secret.read') not valid`;

describe('the use records of secrets', () => {
  test('contain each read before it is answered, with the reason, and never a value', async () => {
    const path = newPath();
    const value = `value-${crypto.randomUUID()}`;
    await put(path, { password: value });
    await read(path, `?reason=${encodeURIComponent('incident 7')}`);
    await read(path, '?version=5');
    const events = await eventsOf(path);
    expect(events).toContainEqual(
      expect.objectContaining({
        action: 'secret.read',
        outcome: 'success',
        details: { version: 1, reason: 'incident 7' },
      }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({
        action: 'secret.read',
        outcome: 'failure',
        reason: 'missing',
        details: { version: 5 },
      }),
    );
    const [written] = events.filter(({ action }) => action === 'secret.written');
    expect(written?.details).toMatchObject({ version: 1, values: { password: expect.stringMatching(/^[\w-]{22}$/) } });
    const tables = ['audit_events', 'secrets', 'secret_versions', 'vault_terms', 'vault_seal', 'server_keys'];
    for (const table of tables) {
      const { rows } = await latchkey.database.query(`select t::text as row from ${table} t`);
      const text = rows.map(({ row }) => row).join('\n');
      for (const form of [value, Buffer.from(value).toString('hex')]) expect(text).not.toContain(form);
    }
    expect(latchkey.server.output()).not.toContain(value);
  });

  test('are a condition of a read: without the event no value is returned', async () => {
    const path = newPath();
    await put(path, { n: 1 });
    await latchkey.database.query(refusing);
    const refused = await read(path);
    await latchkey.database.query('alter table audit_events drop constraint refuses');
    expect(refused.status).toBeGreaterThanOrEqual(500);
    expect(refused.body).not.toHaveProperty('data');
    expect((await read(path)).status).toBe(200);
  });

  test.each([
    [
      'of another secret',
      `update secret_versions v set sealed_key = o.sealed_key, sealed_value = o.sealed_value
      from secret_versions o join secrets s on s.id = o.secret_id where s.path = $1 and o.number = 1 and v.number = 1
      and v.secret_id = (select id from secrets where path = $2)`,
    ],
    ['of a renamed secret', `update secrets set path = $2 || '-moved' where path = $1 and $2::text <> ''`],
    [
      'of another version',
      `update secret_versions v set sealed_key = o.sealed_key, sealed_value = o.sealed_value
      from secret_versions o join secrets s on s.id = o.secret_id where s.path = $2 and o.secret_id = v.secret_id
      and o.number = 1 and v.number = 2 and $1::text <> ''`,
    ],
  ])('name a row %s that cannot be decrypted', async (what, statement) => {
    const [from, to] = [newPath(), newPath()];
    await put(from, { secret: 'of the first' });
    for (const n of [1, 2]) await put(to, { n });
    await latchkey.database.query(statement, [from, to]);
    const [path, version] = what.includes('renamed') ? [`${to}-moved`, 1] : [to, what.includes('version') ? 2 : 1];
    const { status, body } = await read(path, `?version=${version}`);
    expect([status, body.type]).toEqual([500, 'urn:latchkey:problem:unreadable']);
    expect(JSON.stringify(body)).not.toContain('of the first');
    expect(await eventsOf(path)).toContainEqual(
      expect.objectContaining({ action: 'secret.unreadable', outcome: 'failure', details: { version } }),
    );
  });
});

describe('the lifetime of a version', () => {
  test('ends it after the given time', async () => {
    const path = newPath();
    await put(path, { n: 1 }, { ttl_seconds: 60 });
    expect((await read(path)).status).toBe(200);
    await latchkey.advance(61);
    expect((await read(path)).status).toBe(410);
    expect((await owner.get(at(path))).body.versions).toMatchObject([{ state: 'expired' }]);
    await owner.post(`${at(path)}/versions/1/undelete`);
    expect((await read(path)).status).toBe(200);
  });
});

describe('the key of a new term', () => {
  test('seals what is written from then on, on every node, and the present versions in the background', async () => {
    const paths = [newPath('rotated'), newPath('rotated')];
    const [path = '', destroyed = ''] = paths;
    for (const n of [1, 2]) for (const each of paths) await put(each, { n });
    await owner.post(`${at(destroyed)}/versions/1/destroy`);
    // Both nodes have the keys of the present term.
    expect((await read(path, '', owner, other.address)).status).toBe(200);
    const termsOf = async (...of: string[]): Promise<number[]> => {
      const { rows } = await latchkey.database.query(
        `select distinct v.term from secret_versions v join secrets s on s.id = v.secret_id
          where s.path = any($1) and v.term is not null order by 1`,
        [of],
      );
      return rows.map(({ term }) => term);
    };
    const allTerms = async () =>
      (await latchkey.database.query('select term from vault_terms order by 1')).rows.map(({ term }) => term);
    // Its row was changed: it cannot be decrypted, keeps its term, and delays no other.
    const broken = newPath('rotated');
    await put(broken, { n: 1 });
    await latchkey.database.query(
      `update secret_versions v set sealed_key = o.sealed_key from secret_versions o join secrets x on x.id = o.secret_id
        join secrets s on s.path = $1 where v.secret_id = s.id and x.path = $2 and o.number = 1`,
      [broken, path],
    );
    const [before = 0] = await termsOf(path);
    const rotated = await owner.post('/vault/rotate', undefined, { node: other.address });
    expect(rotated).toMatchObject({ status: 200, body: { term: before + 1 } });
    await owner.post(`${at(path)}/versions`, { data: { n: 3 } });
    await eventually(
      () => termsOf(...paths),
      (found) => found.length === 1 && found[0] === before + 1,
    );
    expect(await termsOf(broken)).toEqual([before]);
    expect(await allTerms()).toEqual([before, before + 1]);
    for (const node of [latchkey.issuer, other.address]) {
      for (const n of [1, 2, 3]) expect((await read(path, `?version=${n}`, owner, node)).body.data).toEqual({ n });
      expect((await read(destroyed, '?version=1', owner, node)).status).toBe(410);
    }
    await latchkey.database.query('delete from secret_versions where term = $1', [before]);
    const again = await latchkey.command(['vault', 'rotate']);
    expect(again.stdout).toContain(`term ${before + 2}`);
    await eventually(allTerms, (found) => found.length === 1 && found[0] === before + 2);
    expect((await read(path)).body.data).toEqual({ n: 3 });
    expect((await latchkey.auditEvents('vault.rotated')).length).toBe(2);
    expect((await latchkey.auditEvents('vault.rewrapped')).at(-1)).toMatchObject({
      details: { term: before + 2, removed: [before, before + 1] },
    });
  });
});

describe('sealed secrets', () => {
  test('cannot be read or written on any node, and everything else continues', async () => {
    const path = newPath();
    await put(path, { n: 1 });
    expect((await read(path, '', owner, other.address)).status).toBe(200);
    const { body } = await owner.post('/vault/seal');
    expect(body).toMatchObject({ kind: 'static', initialized: true, sealed: true });
    for (const node of [latchkey.issuer, other.address]) {
      expect(await read(path, '', owner, node)).toMatchObject({
        status: 503,
        body: { type: 'urn:latchkey:problem:sealed' },
      });
      expect((await owner.get(at(path), { node })).status).toBe(503);
      expect((await owner.get('/secrets', { node })).status).toBe(503);
      expect((await owner.post(`${at(path)}/versions`, { data: {} }, { node })).status).toBe(503);
      expect((await owner.get('/clients', { node })).status).toBe(200);
    }
    await owner.post('/vault/unseal', undefined, { node: other.address });
    for (const node of [latchkey.issuer, other.address]) expect((await read(path, '', owner, node)).status).toBe(200);
    for (const action of ['vault.initialized', 'vault.sealed', 'vault.unsealed'])
      expect(await latchkey.auditEvents(action)).toHaveLength(1);
  });
});

describe('in the console', () => {
  const planted = () => `planted-${crypto.randomUUID()}`;
  const pageOf = (path: string, rest = '') => `/secrets/${encodeURIComponent(path)}${rest}`;

  test('a secret is created, written, rolled back, deleted, undeleted and destroyed, without its value on any page', async () => {
    const alice = await consoleAs(latchkey);
    const path = newPath('console');
    const values = [planted(), planted()];
    const pages = [
      await alice.act('/new-secret', { path, value: values[0] ?? '', format: 'text' }),
      await alice.act(pageOf(path, '/new-version'), { value: `USER=shop\nPASSWORD=${values[1]}`, format: 'parts' }),
    ];
    expect((await read(path)).body).toMatchObject({ number: 2, data: { USER: 'shop', PASSWORD: values[1] } });
    // The typed value is not sent back, not even when it is refused.
    const again = await alice.act('/new-secret', { path, value: values[0] ?? '', format: 'text' });
    expect(again.status).toBe(409);
    const detail = await alice.get(pageOf(path));
    expect(stateOn(detail)).toBe('Active');
    expect(wordsOf(detail)).toMatch(/v2 Current .* v1 Previous/);
    pages.push(again, detail, await alice.act(pageOf(path, '/versions/1/rollback')));
    expect((await read(path)).body).toMatchObject({ number: 3, data: { value: values[0] } });
    pages.push(await alice.act(pageOf(path, '/versions/3/delete')));
    expect(stateOn(pages.at(-1) ?? detail)).toBe('Not readable');
    expect((await read(path)).status).toBe(410);
    await alice.act(pageOf(path, '/versions/3/undelete'));
    const destroying = await alice.get(pageOf(path, '/versions/2/destroy'));
    expect(wordsOf(destroying)).toContain('Backups of the database that were made before still hold both.');
    pages.push(await alice.send(destroying));
    expect((await owner.get(at(path))).body.versions).toMatchObject([
      { state: 'live' },
      { state: 'destroyed' },
      { state: 'live' },
    ]);
    for (const { html } of pages) for (const value of values) expect(html).not.toContain(value);
    expect((await alice.act(pageOf(path, '/delete'))).url).toContain('/console/secrets?done=secret-deleted');
    expect((await owner.get(at(path))).status).toBe(404);
  });

  test('a value is generated, and shown nowhere; its public part is shown', async () => {
    const alice = await consoleAs(latchkey);
    const [path, tls] = [newPath('console'), newPath('console')];
    const partsOf = async (at: string) => (await read(at)).body.data as Record<string, string>;
    const made = await alice.act('/generate-secret', { path, kind: 'password', part: 'password', length: '40' });
    const { password = '' } = await partsOf(path);
    expect(password).toMatch(/^[A-Za-z0-9]{40}$/);
    expect(made.html).not.toContain(password);
    expect(made.url).not.toContain(password);
    const wrong = await alice.act('/generate-secret', { path, kind: 'password', length: '4' });
    expect(wrong.status).toBe(400);
    expect(wrong.html).toMatch(/id="length"[^>]*aria-invalid="true"/);
    const unnamed = await alice.act('/generate-secret', { path, kind: 'random', part: '1st part' });
    expect(unnamed.html).toMatch(/id="part"[^>]*aria-invalid="true"/);
    expect((await alice.act('/generate-secret', { path, kind: 'random' })).status).toBe(409);

    await owner.patch(at(path), { max_versions: 1 });
    const next = await alice.get(pageOf(path, '/generate'));
    expect(wordsOf(next)).toContain('v1 is destroyed, because this secret keeps 1 version.');
    await alice.send(next, { kind: 'random', part: 'key', bytes: '16', encoding: 'hex', length: '4' });
    expect((await read(path)).body).toMatchObject({
      number: 2,
      data: { key: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
    const seenBefore = await alice.send(next, { kind: 'random', part: 'key' });
    expect(seenBefore.status).toBe(409);

    const certificate = { kind: 'certificate', part: 'tls', common_name: 'orders', dns_names: 'orders.internal' };
    const shown = await alice.act('/generate-secret', { path: tls, ...certificate, days: '30' });
    const { tls_certificate = '' } = await partsOf(tls);
    expect(new X509Certificate(tls_certificate).subjectAltName).toBe('DNS:orders.internal');
    expect(shown.html).toContain(tls_certificate.split('\n')[1]);
    expect(shown.html).not.toContain('PRIVATE KEY');
    const pair = await alice.act(pageOf(tls, '/generate'), { kind: 'key_pair', part: 'value', algorithm: 'ec_p256' });
    expect(wordsOf(pair)).toContain('BEGIN PUBLIC KEY');
    expect(Object.keys(await partsOf(tls)).toSorted()).toEqual(['private_key', 'public_key']);
  });

  test('a leaked value is found, by users who may read it, and is on no page', async () => {
    const alice = await consoleAs(latchkey);
    const [path, leaked] = [newPath('console'), planted()];
    await put(path, { password: leaked });
    await put(path, { password: 'the next one' });
    const found = await alice.act('/find-secret', { value: leaked });
    expect(wordsOf(found)).toContain('1 version of secrets that you may read has this value');
    expect(wordsOf(found)).toContain(path);
    expect(wordsOf(found)).toContain('Version 1, part password');
    expect(found.html).not.toContain(leaked);
    expect(found.url).not.toContain(leaked);
    const { body } = await owner.post('/secret-searches', { value: leaked });
    expect(wordsOf(found)).toContain(body.hash);
    expect(wordsOf(await alice.act('/find-secret', { value: planted() }))).toContain('No secret that you may read');
    expect((await alice.act('/find-secret', { value: ' ' })).status).toBe(400);
    // Multi-line texts mostly end with a line end; browsers send other line ends.
    const key = newPath('console');
    await put(key, { pem: `-----BEGIN KEY-----\n${leaked}\n-----END KEY-----\n` });
    const pasted = `-----BEGIN KEY-----\r\n${leaked}\r\n-----END KEY-----\r\n`;
    expect(wordsOf(await alice.act('/find-secret', { value: pasted }))).toContain(key);
  });

  test('the value is shown only with a reason, which is recorded, and only to users who may read it', async () => {
    const alice = await consoleAs(latchkey);
    const path = newPath('console');
    const value = planted();
    await put(path, { password: value });
    const asked = await alice.get(pageOf(path, '/reveal?version=1'));
    expect((await alice.send(asked, { version: '1', reason: '' })).status).toBe(400);
    expect((await alice.send(asked, { version: '1', reason: 'x' })).html).not.toContain(value);
    expect((await eventsOf(path)).filter(({ action }) => action === 'secret.read')).toEqual([]);
    const revealed = await alice.send(asked, { version: '1', reason: 'Ticket 4711: login fails' });
    expect(revealed.html).toContain(value);
    expect(revealed.headers.get('cache-control')).toBe('no-store');
    expect(revealed.headers.get('refresh')).toBe(`60; url=/console${pageOf(path)}`);
    expect(await eventsOf(path)).toContainEqual(
      expect.objectContaining({
        ...{ action: 'secret.read', actor_kind: 'user', outcome: 'success' },
        details: { reason: 'Ticket 4711: login fails', version: 1 },
      }),
    );
    await latchkey.database.query(refusing);
    const unrecorded = await alice.send(asked, { version: '1', reason: 'Ticket 4712: no record' });
    await latchkey.database.query('alter table audit_events drop constraint refuses');
    expect([unrecorded.status >= 500, unrecorded.html.includes(value)]).toEqual([true, false]);
    // An administrator of clients and users has no permission in the store.
    const administrator = await consoleOfNew(latchkey, 'administrator');
    expect(wordsOf(await administrator.get('/secrets'))).not.toContain(path);
    expect((await administrator.get(pageOf(path))).status).toBe(403);
    const forged = await administrator.forge(pageOf(path, '/reveal'), { version: '1', reason: 'because I want it' });
    expect([forged.status, forged.html.includes(value)]).toEqual([403, false]);
    await latchkey.advance(11 * 60);
    expect((await alice.act(pageOf(path, '/reveal'), { version: '1', reason: 'without a fresh proof' })).status).toBe(
      422,
    );
    owner = await asOwner(latchkey);
  });

  test('the list searches, filters and sorts, and the settings are edited', async () => {
    const alice = await consoleAs(latchkey);
    const folder = `list-${crypto.randomUUID().slice(0, 8)}`;
    for (const name of ['a', 'b']) await put(`${folder}/${name}`, { n: 1 });
    const saved = await alice.act(pageOf(`${folder}/b`, '/change'), {
      ...{ description: 'Billing database', environment: 'prod', risk: 'high', owner: 'client:service' },
      ...{ labels: 'team=shop\ntier=1', max_versions: '4', cas: 'required' },
    });
    expect(wordsOf(saved)).toContain('Saved.');
    expect((await owner.get(at(`${folder}/b`))).body).toMatchObject({
      ...{ description: 'Billing database', risk: 'high', owner: { client_id: 'service' }, cas_required: true },
      ...{ custom_metadata: { team: 'shop', tier: '1' }, max_versions: 4 },
    });
    const searched = wordsOf(await alice.get(`/secrets?prefix=${folder}/&q=billing`));
    expect(searched).toMatch(new RegExp(`${folder}/b v1 prod High service .*1 secret`));
    expect(searched).not.toContain(`${folder}/a`);
    expect(wordsOf(await alice.get(`/secrets?prefix=${folder}/&sort=-updated_at`))).toMatch(
      new RegExp(`${folder}/b .*${folder}/a`),
    );
    expect(wordsOf(await alice.get('/secrets?q=unicorn'))).toContain('No results');
    await alice.act(pageOf(`${folder}/b`, '/change'), { labels: 'tier=2', max_versions: '4', owner: '' });
    expect((await owner.get(at(`${folder}/b`))).body).toMatchObject({ custom_metadata: { tier: '2' }, owner: null });
  });

  test('readers of each version in the last days are listed, also in the API and on the command line', async () => {
    const path = newPath('console');
    await put(path, { n: 1 });
    await put(path, { n: 2 });
    const reader = await serviceWith('secrets:read:*', 'secrets:list:*');
    await read(path, '?version=1', reader);
    await latchkey.advance(2 * 86_400);
    owner = await asOwner(latchkey);
    for (const _ of [1, 2]) await read(path);
    await read(path, '?version=9');
    const { body } = await owner.get(`${at(path)}/consumers`);
    expect(body).toMatchObject({
      is_partial: false,
      items: [
        { version: 2, kind: 'client', reads: 2, reads_24h: 2, address: expect.any(String) },
        { version: 1, kind: 'client', reads: 1, reads_24h: 0 },
      ],
    });
    expect((await owner.get(`${at(path)}/consumers?days=1`)).body.items).toHaveLength(1);
    expect((await owner.get(`${at(path)}/consumers?version=1`)).body.items).toMatchObject([{ version: 1 }]);
    const stranger = await serviceWith('secrets:list:elsewhere:*');
    expect((await stranger.get(`${at(path)}/consumers`)).status).toBe(403);
    const page = await (await consoleAs(latchkey)).get(pageOf(path));
    expect(wordsOf(page)).toMatch(/1 consumer on earlier versions .*v2, current .*v1, earlier/);
    expect(linkOn(page, 'Reveal value')).toBe(`/console${pageOf(path, '/reveal')}`);
    const { stdout } = await latchkey.command(['secret', 'consumers', path, '--version', '1']);
    expect(stdout).toMatch(/^version 1 +client \S+ +1 reads/);
  });

  test('a secret has pages with who wrote each version and who reads it; actions name those whom they affect', async () => {
    const alice = await consoleAs(latchkey);
    const path = newPath('console');
    await put(path, { n: 0 });
    await owner.patch(at(path), { max_versions: 100, risk: 'medium' });
    await alice.act(pageOf(path, '/new-version'), { value: planted(), format: 'text' });
    const reader = await serviceWith('secrets:read:*', 'secrets:list:*');
    await read(path, '?version=1', reader);
    const { body } = await owner.get(`${at(path)}/consumers`);
    const name = String(body.items[0]?.id);

    const overview = await alice.get(pageOf(path));
    expect(wordsOf(overview)).toMatch(/v2 Current alice@?\S* .* v1 Previous Administration/);
    expect(wordsOf(overview)).toMatch(/Recent activity .*Secret written secret\.written · by alice\b/);
    expect(wordsOf(overview)).not.toContain('Secret versions listed');
    expect(wordsOf(overview)).toContain('1 consumer last read an earlier version than v2:');
    expect(wordsOf(overview)).toMatch(/Next rotation due: .* UTC \(90 days for medium risk\)/);
    expect(overview.html).toMatch(/<desc id="rotation-description">v1 was current from .* UTC until .* UTC\. v2 was/);
    const acted = ['/versions/1/delete', '/versions/1/destroy', '/delete'];
    for (const act of acted) {
      const page = await alice.get(pageOf(path, act));
      expect(wordsOf(page)).toMatch(/1 consumer in the last 7 days: \S.* Client · 1 read of v1, the last .* UTC from/);
      expect(page.html).not.toContain('This revokes');
    }
    const rollback = wordsOf(await alice.get(pageOf(path, '/versions/1/rollback')));
    expect(rollback).toContain('Consumers in the last 7 days: None');
    await read(path, '', reader);
    expect(wordsOf(await alice.get(pageOf(path, '/versions/1/rollback')))).toContain('1 consumer in the last 7 days:');
    expect(wordsOf(await alice.get(pageOf(path)))).not.toContain('last read an earlier version');

    const access = async (query: string) => wordsOf(await alice.get(pageOf(path, `?tab=access${query}`)));
    expect(await access('')).toMatch(/v2, current .*v1, earlier/);
    expect(await access('&version=1')).toMatch(/Consumers of v1 .*v1, earlier/);
    expect(await access('&version=1')).not.toContain('v2, current');
    expect(await access('&version=999&days=5')).toContain('in the last 7 days');
    expect(linkOn(await alice.get(pageOf(path, '?tab=access')), 'Explain access')).toContain(
      encodeURIComponent(`secrets:read:${path.replaceAll('/', ':')}`),
    );
    expect(name).not.toBe('undefined');

    for (let n = 3; n <= 27; n += 1) await put(path, { n });
    const first = await alice.get(pageOf(path, '?tab=versions'));
    expect(wordsOf(first)).toContain('1–25 of 27');
    const last = await alice.agent.get(linkOn(first, 'Next') ?? '');
    expect(wordsOf(last)).toMatch(/v2 Previous .*v1 Previous .*26–27 of 27/);
    expect(linkOn(last, 'Previous')).toBe(`/console${pageOf(path, '?tab=versions')}`);
    expect((await alice.get(pageOf(path, '?tab=versions&page=1e9'))).html).toContain('26–27 of 27');
    expect(linkOn(await alice.get(pageOf(path)), 'All 27')).toBe(`/console${pageOf(path, '?tab=versions')}`);
  });

  test('a credential that is kept elsewhere is registered, and its replacements are recorded', async () => {
    const alice = await consoleAs(latchkey);
    const path = newPath('console');
    const location = 'AWS Secrets Manager, <script>alert(1)</script>';
    const fields = { path, location, accessible_to: 'team payments\nops', rotated_at: '2026-01-31T10:00', risk: 'low' };
    expect((await alice.act('/register-credential', { ...fields, location: ' ' })).status).toBe(400);
    for (const act of ['/register-credential', '/new-secret', '/generate-secret']) {
      const page = await alice.act(act, { ...fields, value: 'x', kind: 'password', path: 'a path' });
      expect([act, page.status]).toEqual([act, 400]);
      expect(wordsOf(page)).toContain('The path must be names of letters, digits, ".", "_" and "-", joined by "/"');
      expect(page.html).toMatch(/id="path"[^>]*aria-invalid="true"/);
    }
    const wrong = await alice.act('/register-credential', { ...fields, rotated_at: 'yesterday' });
    expect(wrong.html).toMatch(/id="rotated_at"[^>]*aria-invalid="true"/);
    const made = await alice.act('/register-credential', { ...fields, owner: 'client:service' });
    expect(stateOn(made)).toBe('Kept elsewhere');
    expect(made.html).not.toContain('<script>alert');
    expect(linkOn(made, 'Reveal value')).toBeUndefined();
    expect((await owner.get(at(path))).body).toMatchObject({
      ...{ location, accessible_to: ['team payments', 'ops'], rotated_at: '2026-01-31T10:00:00.000Z' },
      ...{ current_version: 0, risk: 'low', owner: { client_id: 'service' } },
    });
    const again = await alice.act('/register-credential', { ...fields, location: 'Another place' });
    expect([again.status, wordsOf(again)]).toEqual([409, expect.stringContaining('already a secret with this path')]);
    expect((await owner.get(at(path))).body.location).toBe(location);
    await alice.act(pageOf(path, '/replaced'), { rotated_at: '2026-02-28T12:30' });
    expect((await owner.get(at(path))).body.rotated_at).toBe('2026-02-28T12:30:00.000Z');
    // The form has minutes; a time with seconds that is not changed keeps them.
    await owner.patch(at(path), { rotated_at: '2026-03-01T12:30:45Z' });
    const present = { location, accessible_to: 'team payments', risk: 'low', rotated_at: '2026-03-01T12:30' };
    await alice.act(pageOf(path, '/change'), { ...present, description: 'The gateway', max_versions: '10' });
    expect((await owner.get(at(path))).body).toMatchObject({
      ...{ description: 'The gateway', rotated_at: '2026-03-01T12:30:45.000Z' },
    });
  });

  test('a user who may only list sees no action, and each of its pages names the missing permission', async () => {
    const path = newPath('console');
    const value = planted();
    await put(path, { value });
    await put(path, { value: 'the next one' });
    const name = `lister-${crypto.randomUUID().slice(0, 8)}`;
    const permissions = [
      { resource: `${latchkey.issuer}/v1`, pattern: 'secrets:list:*' },
      { resource: `${latchkey.issuer}/admin`, pattern: 'latchkey:secret:*' },
    ];
    await owner.post('/roles', { name, permissions });
    const lister = await consoleOfNew(latchkey, name);
    const labels = ['Create secret', 'Generate', 'Register', 'Find value', 'Reveal', 'New version', 'Roll back'];
    const never = [...labels, 'Edit settings', 'Delete', 'Undelete', 'Destroy', 'Seal'];
    for (const page of ['/secrets', pageOf(path), pageOf(path, '?tab=versions'), pageOf(path, '?tab=settings')]) {
      const shown = await lister.get(page);
      expect(shown.status).toBe(200);
      expect([page, never.filter((label) => linkOn(shown, label))]).toEqual([page, []]);
    }
    const permission = (verb: string) => `secrets:${verb}:${path.replaceAll('/', ':')}`;
    for (const [act, missing] of [
      ['/reveal', permission('read')],
      ['/new-version', permission('write')],
      ['/generate', permission('write')],
      ['/change', permission('write')],
      ['/replaced', permission('write')],
      ['/versions/1/rollback', permission('read')],
      ['/versions/1/delete', permission('delete')],
      ['/versions/1/undelete', permission('delete')],
      ['/versions/1/destroy', permission('destroy')],
      ['/delete', permission('destroy')],
    ] as const) {
      const page = await lister.get(pageOf(path, act));
      expect([act, page.status, page.html.includes(missing)]).toEqual([act, 403, true]);
      const fields = { version: '1', reason: 'because I want it', value: 'x', format: 'text', kind: 'password' };
      const forged = await lister.forge(pageOf(path, act), { ...fields, rotated_at: '2026-01-31T10:00' });
      expect([act, forged.status, forged.html.includes(value)]).toEqual([act, 403, false]);
    }
    // Who wrote it is named, without a link to a page that the user may not open.
    const shown = await lister.get(pageOf(path));
    expect(wordsOf(shown)).toContain('v2 Current Administration');
    expect(linkOn(shown, 'Administration')).toBeUndefined();
    for (const act of ['/new-secret', '/generate-secret', '/register-credential', '/find-secret'])
      expect([act, (await lister.get(act)).status]).toEqual([act, 403]);
    expect((await owner.get(at(path))).body).toMatchObject({ current_version: 2, current_state: 'live' });
    await owner.post('/vault/seal');
    const sealed = await lister.get('/secrets');
    const edited = await lister.get(pageOf(path, '/change'));
    await owner.post('/vault/unseal', {});
    expect([sealed.status, stateOn(sealed)]).toEqual([200, 'Sealed']);
    expect(wordsOf(sealed)).toContain('Ask an administrator with the permission latchkey:vault:seal');
    expect(edited.status).toBe(403);
  });

  test('a value with characters that a page hides or reorders is shown as JSON', async () => {
    const alice = await consoleAs(latchkey);
    const path = newPath('console');
    expect(await put(path, { hidden: 'a\u202eb', plain: 'Grüße\n', list: [1] })).toMatchObject({
      status: 201,
      body: { number: 1 },
    });
    const page = await alice.act(pageOf(path, '/reveal'), { version: '1', reason: 'Ticket 4711: login fails' });
    expect(page.html).toContain('&quot;a\\u202eb&quot;');
    expect(page.html).toContain('>Grüße\n</code>');
    expect(wordsOf(page)).toContain('hidden (escaped, as JSON)');
    expect(page.html).not.toContain('\u202e');
  });

  test('the key is rotated; the page says what happens first, and which term is current', async () => {
    const alice = await consoleAs(latchkey);
    const { term } = (await owner.get('/vault')).body as { term?: { term: number; versions: number } };
    const next = (term?.term ?? 0) + 1;
    const asked = await alice.get('/vault/rotate');
    expect(wordsOf(asked)).toContain(`Creates the key of term ${next}.`);
    expect(wordsOf(asked)).toMatch(/The keys of the \d+ versions that exist are encrypted under it/);
    const done = await alice.send(asked);
    expect(wordsOf(done)).toMatch(new RegExp(`Existing ones follow in the background\\. .*Term ${next} `));
    await owner.post('/vault/seal');
    const sealed = await alice.get('/vault/rotate');
    const creating = await alice.act('/new-secret', { path: newPath(), value: planted(), format: 'text' });
    const changing = await alice.get(pageOf(newPath(), '/change'));
    await owner.post('/vault/unseal', {});
    expect(sealed.html).not.toContain(`Create the key of term`);
    expect([creating.status, wordsOf(creating)]).toEqual([
      409,
      expect.stringContaining('Unseal them on the page Seal.'),
    ]);
    expect(wordsOf(changing)).toContain('No server reads, writes or lists secrets while they are sealed.');
  });

  test('shows the seal while the secrets are sealed, and seals and unseals them', async () => {
    const alice = await consoleAs(latchkey);
    const sealed = await alice.act('/vault/seal');
    expect([stateOn(sealed), wordsOf(sealed)]).toEqual(['Sealed', expect.stringContaining('sealed on every server')]);
    expect(stateOn(await alice.get('/secrets'))).toBe('Sealed');
    expect((await read('anything')).status).toBe(503);
    expect(stateOn(await alice.act('/vault/unseal'))).toBe('Open');
    expect((await alice.get('/secrets')).status).toBe(200);
  });
});

describe('the command line', () => {
  test('takes values from standard input, and prints them', async () => {
    const run = (args: string[], input = '') => latchkey.command(['secret', ...args], input);
    const path = newPath('cli');
    expect(await run(['put', path], 'a password\n')).toMatchObject({
      code: 0,
      stdout: `Wrote version 1 of ${path}.\n`,
    });
    expect((await run(['get', path])).stdout).toBe('a password\n');
    await run(['put', path, '--object', '--cas', '1'], '{"user":"shop","password":"p"}');
    expect((await run(['get', path, '--part', 'user'])).stdout).toBe('shop\n');
    expect(JSON.parse((await run(['get', path])).stdout)).toEqual({ user: 'shop', password: 'p' });
    expect((await run(['rollback', path, '--to', '1'])).stdout).toContain('Wrote version 3');
    expect((await run(['get', path])).stdout).toBe('a password\n');
    expect((await run(['list', '--prefix', 'cli/'])).stdout).toContain(path);
    await run(['delete', path]);
    expect(await run(['get', path])).toMatchObject({ code: 1, stderr: expect.stringContaining('can be undeleted') });
    await run(['undelete', path]);
    await run(['destroy', path, '--version', '3', '--yes']);
    expect((await run(['versions', path])).stdout).toMatch(/1 +live .*\n2 +live .*\n3 +destroyed/);
    await run(['destroy', path, '--yes']);
    expect((await run(['get', path])).code).toBe(1);
    expect((await run(['put', path])).code).toBe(2);
    const { stdout } = await latchkey.command(['vault', 'status']);
    expect(stdout).toBe('The secrets are unsealed.\n');
  });

  test('imports the secrets of another Vault with their versions, and resumes where it stopped', async () => {
    const [folder, target] = [`from-${crypto.randomUUID().slice(0, 8)}`, `to-${crypto.randomUUID().slice(0, 8)}`];
    const name = (path: string) => `${folder}/${path}`;
    for (const n of [1, 2, 3]) await put(name('db'), { n });
    await owner.post(`${at(name('db'))}/versions/2/destroy`);
    await owner.patch(at(name('db')), { custom_metadata: { team: 'shop' } });
    const value = `planted-${crypto.randomUUID()}`;
    await put(name('nested/key'), { value });
    const { body } = await owner.post('/api-keys', {
      ...{ name: 'importer', owner: { client_id: 'service' }, environment: 'dev' },
      permissions: [`secrets:read:${folder}:*`, `secrets:list:${folder}:*`],
    });
    const bring = (token = String(body.key)) =>
      latchkey.command(['secret', 'import', target, '--vault', latchkey.issuer, '--from', folder], '', {
        VAULT_TOKEN: token,
      });
    const first = await bring();
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('Imported 2 of 2 secrets.') });
    expect(first.stdout + first.stderr).not.toContain(value);
    expect((await read(`${target}/db`, '?version=1')).body.data).toEqual({ n: 1 });
    expect((await read(`${target}/db`)).body).toMatchObject({
      number: 2,
      data: { n: 3 },
      custom_metadata: { team: 'shop' },
    });
    expect((await read(`${target}/nested/key`)).body.data).toEqual({ value });
    await put(name('db'), { n: 4 });
    expect((await bring()).stdout).toContain(`${target}/db: 1 version written`);
    expect((await read(`${target}/db`)).body).toMatchObject({ number: 3, data: { n: 4 } });
    expect(await bring('lk_wrong')).toMatchObject({ code: 1, stderr: expect.stringContaining('403') });
    const unsafe = await latchkey.command(['secret', 'import', '--vault', 'http://vault.example'], '', {
      VAULT_TOKEN: 'x',
    });
    expect(unsafe).toMatchObject({ code: 2, stderr: expect.stringContaining('https') });
  });

  test('imports numbers of YAML and JSON as they are written, and names what is wrong', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-'));
    const name = newPath('import');
    const bring = async (text: string, to = name) => {
      await writeFile(path.join(folder, 'values.yaml'), text);
      return latchkey.command(['secret', 'import', to, '--file', path.join(folder, 'values.yaml')]);
    };
    expect(await bring('pin: 0123\nversion: 1.10\nnumber: 5\nlong: 12345678901234567890\n')).toMatchObject({ code: 0 });
    expect((await read(name)).body.data).toEqual({
      ...{ pin: '0123', version: '1.10', number: 5, long: '12345678901234567890' },
    });
    expect(await bring('a: "hidden\nb: [')).toMatchObject({ code: 2, stderr: expect.stringMatching(/line \d/) });
    expect((await bring('a: "hidden\nb: [')).stderr).not.toContain('hidden');
    expect(await bring('a: 1', 'bad path!')).toMatchObject({ stderr: expect.stringContaining('letters, digits') });
  });

  test('imports what a Vault wrote since the last import, whatever it has removed or begun anew meanwhile', async () => {
    const [folder, target] = [`from-${crypto.randomUUID().slice(0, 8)}`, `to-${crypto.randomUUID().slice(0, 8)}`];
    const { body } = await owner.post('/api-keys', {
      ...{ name: folder, owner: { client_id: 'service' }, environment: 'dev' },
      permissions: [`secrets:read:${folder}:*`, `secrets:list:${folder}:*`],
    });
    const bring = async () =>
      (
        await latchkey.command(['secret', 'import', target, '--vault', latchkey.issuer, '--from', folder], '', {
          VAULT_TOKEN: String(body.key),
        })
      ).stdout;
    const [source, copy] = [`${folder}/a`, `${target}/a`];
    const values = async () => {
      const { items } = (await owner.get(`${at(copy)}/versions`)).body;
      const reads = items.map(({ number }) => read(copy, `?version=${number}`));
      return (await Promise.all(reads)).map((answer) => (answer.body.data as { n: number }).n);
    };
    // More versions than the store keeps without a setting.
    await owner.patch(at(source), { max_versions: 12, cas_required: true });
    const write = (n: number) => put(source, { n }, { cas: n - 1 });
    for (let n = 1; n <= 12; n += 1) await write(n);
    expect(await bring()).toContain(`${copy}: 12 versions written`);
    expect(await values()).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
    expect((await owner.get(at(copy))).body).toMatchObject({
      ...{
        max_versions: 12,
        cas_required: true,
        imported: { number: 12, created_at: expect.stringMatching(/^20.*Z$/) },
      },
    });
    // The oldest versions are gone: the source has as many as before, and two of them are new.
    await write(13);
    await owner.post(`${at(source)}/versions/13/destroy`);
    for (const n of [14, 15]) await write(n);
    expect(await bring()).toContain(`${copy}: 2 versions written`);
    expect((await values()).slice(-3)).toEqual([12, 14, 15]);
    expect(await bring()).toContain(`${copy}: 0 versions written`);
    await owner.delete(at(source));
    await put(source, { n: 100 });
    expect(await bring()).toContain(`${copy}: 1 version written`);
    expect((await values()).slice(-2)).toEqual([15, 100]);
    const written = (await eventsOf(copy)).filter(({ action }) => action === 'secret.written');
    expect(written.at(-1)?.details).toMatchObject({ imported: { number: 1 } });

    await put(`${folder}/expiring`, { n: 1 }, { ttl_seconds: 3600 });
    await put(`${folder}/own`, { n: 1 });
    await put(`${target}/own`, { n: 'its own' });
    expect(await bring()).toContain(`${target}/own: it has versions that were not imported: choose another folder`);
    expect((await read(`${target}/own`)).body).toMatchObject({ number: 1, data: { n: 'its own' } });
    const { expires_at, created_at } = (await read(`${target}/expiring`)).body;
    expect(Date.parse(String(expires_at)) - Date.parse(String(created_at))).toBeLessThanOrEqual(3_601_000);
  });

  test('lists paths of another Vault that it cannot use, without control of the terminal', async () => {
    const vault = createServer((request, response) => {
      const isList = request.url?.endsWith('?list=true');
      const named = { keys: ['\u001b[31mred\n', 'a\u202eb'] };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ data: isList ? named : { versions: {} } }));
    });
    vault.listen(0, '127.0.0.1');
    await once(vault, 'listening');
    const address = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
    const words = ['secret', 'import', newPath('to'), '--vault', address];
    const { code, stdout } = await latchkey.command(words, '', { VAULT_TOKEN: 'x' });
    expect([code, stdout]).toEqual([1, expect.stringContaining('/\\u001b[31mred\\u000a: its path must be names')]);
    const json = (await latchkey.command([...words, '--json'], '', { VAULT_TOKEN: 'x' })).stdout;
    for (const sent of ['\u001b', '\u202e']) expect(stdout + json).not.toContain(sent);
    expect(JSON.parse(json).items[1].path).toMatch(/\/a\u202eb$/);
    vault.close();
  });

  test('imports the same file once', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-'));
    const [name, file] = [newPath('file'), path.join(folder, 'values.yaml')];
    const bring = async (text: string) => {
      await writeFile(file, text);
      return latchkey.command(['secret', 'import', name, '--file', file]);
    };
    expect((await bring('a: 1\nb: {c: [x, 2]}\n')).stdout).toBe(`Wrote version 1 of ${name}: a, b.\n`);
    expect((await bring('b: {c: [x, 2]}\na: 1\n')).stdout).toBe(
      `${name} has these values already, as version 1: a, b.\n`,
    );
    expect((await bring('a: 2\n')).stdout).toContain('Wrote version 2');
    // The values that are current, not those of any version.
    expect((await bring('a: 1\nb: {c: [x, 2]}\n')).stdout).toContain('Wrote version 3');
    await owner.post(`${at(name)}/versions/3/delete`);
    expect((await bring('a: 1\nb: {c: [x, 2]}\n')).stdout).toContain('Wrote version 4');
    await rm(folder, { recursive: true });
  });

  test('imports files, and runs programs with their variables, without the credential', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-secrets-'));
    const name = newPath('run');
    const files = { '.env': 'DB_USER=shop\nDB_PASSWORD="a b"\n', 'more.json': '{"api-key":"k","n":1}' };
    for (const [file, text] of Object.entries(files)) await writeFile(path.join(folder, file), text);
    const imported = await latchkey.command(['secret', 'import', name, '--file', path.join(folder, '.env')]);
    expect(imported).toMatchObject({ code: 0, stdout: `Wrote version 1 of ${name}: DB_PASSWORD, DB_USER.\n` });
    await latchkey.command(['secret', 'import', `${name}-more`, '--file', path.join(folder, 'more.json')]);
    const { body } = await owner.post('/api-keys', {
      ...{ name: 'runner', owner: { client_id: 'service' }, environment: 'dev' },
      permissions: ['secrets:read:run:*'],
    });
    const settings = { LATCHKEY_URL: latchkey.issuer, LATCHKEY_TOKEN: String(body.key) };
    const shown =
      'console.log(JSON.stringify([process.env.DB_PASSWORD, process.env.API_KEY, process.env.n, process.env.LATCHKEY_TOKEN ?? null])); process.exit(3)';
    const wanted = ['--secret', name, '--secret', `${name}-more`];
    const ran = await runCommand(['run', ...wanted, '--', process.execPath, '-e', shown], { env: settings });
    expect(ran).toMatchObject({ code: 3, stdout: '["a b","k","1",null]\n' });
    const refused = await runCommand(['run', '--secret', 'elsewhere', '--', 'echo', 'started'], { env: settings });
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('403') });
    // Unquoted lines of a key are not variables: otherwise parts of the key would be printed as names.
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    for (const [file, text, advice] of [
      ['key.pem', `${pem}${pem}`, 'latchkey secret put'],
      ['torn.env', `USER=shop\nTLS_KEY=${pem}`, 'TLS_KEY in'],
    ] as const) {
      await writeFile(path.join(folder, file), text);
      const refused = await latchkey.command(['secret', 'import', name, '--file', path.join(folder, file)]);
      expect([refused.code, refused.stdout, refused.stderr]).toEqual([2, '', expect.stringContaining(advice)]);
      expect(refused.stderr).not.toContain(pem.split('\n')[1]?.slice(0, 12));
    }
    await rm(folder, { recursive: true });
  });

  test('are read by a project that installs the package, with TypeScript and without', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-secrets-'));
    const { files, dependencies } = await installTarball('secrets', folder);
    const outside = files.filter((file) => !/^dist\/[a-z-]+(\.d)?\.[jt]s$/.test(file));
    expect([outside, dependencies]).toEqual([['LICENSE', 'README.md', 'package.json'], []]);
    const secret = newPath('packed');
    await put(secret, { password: 'packed' });
    const { body } = await owner.post('/api-keys', {
      ...{ name: 'packed', owner: { client_id: 'service' }, environment: 'dev' },
      permissions: ['secrets:read:packed:*'],
    });
    const program = `import { Secrets, SecretsError } from '@latchkey/secrets';
      const secrets = new Secrets({ url: '${latchkey.issuer}', login: { token: String(process.argv[2]) } });
      const { version, data } = await secrets.get('${secret}');
      const refused = await secrets.get('elsewhere').catch((error) => error instanceof SecretsError && error.status);
      console.log(JSON.stringify([version, data, refused]));
      await secrets.close();`;
    expect(await runAndCheck(folder, program, String(body.key))).toBe('[1,{"password":"packed"},403]\n');
    await rm(folder, { recursive: true });
  });

  test('are read, cached and refreshed by the client for Node, which logs in as a workload', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-secrets-'));
    const tokenFile = path.join(folder, 'token');
    const name = `client-${crypto.randomUUID().slice(0, 8)}`;
    const secret = newPath(name);
    const issuer = await ForeignIssuer.named(`https://${crypto.randomUUID()}.example`, { alg: 'ES256' });
    const { body: trust } = await owner.post('/trusts', {
      ...{ name, issuer: issuer.issuer, jwks: { keys: issuer.keys } },
      conditions: [{ claim: 'sub', equals: 'orders' }],
      permissions: { [`${latchkey.issuer}/v1`]: [`secrets:read:${name}:*`] },
    });
    await writeFile(tokenFile, await issuer.sign({ sub: 'orders', aud: latchkey.issuer, ...times() }));
    await put(secret, { password: 'first' });
    const problems: unknown[] = [];
    const login = { method: 'jwt', role: name, tokenFile } as const;
    const options = { url: latchkey.issuer, login, onError: (error: unknown) => void problems.push(error) };
    const [secrets, fresh] = [new Secrets(options), new Secrets({ ...options, maxAgeSeconds: 0 })];
    const readsOf = async () => (await eventsOf(secret)).filter(({ action }) => action === 'secret.read').length;
    expect(await Promise.all([secrets.get(secret), secrets.get(secret)])).toMatchObject([{ version: 1 }, {}]);
    expect((await secrets.get(secret)).data).toEqual({ password: 'first' });
    expect(await readsOf()).toBe(1);
    await expect(secrets.get('elsewhere')).rejects.toMatchObject({ name: 'SecretsError', status: 403 });

    const swapped: string[] = [];
    const gate = Promise.withResolvers<void>();
    const watched = await secrets.watch(secret, async (next, before) => {
      swapped.push(`${before.data.password} to ${next.data.password}`);
      if (swapped.length === 1) throw new Error('it cannot be opened yet');
      await gate.promise;
    });
    expect(watched.secret.data).toEqual({ password: 'first' });
    await put(secret, { password: 'second' });
    await eventually(
      () => swapped.length,
      (times) => times === 2,
    );
    // While the connection with the new version is opened, all others continue with the previous one.
    expect((await secrets.get(secret)).data).toEqual({ password: 'first' });
    gate.resolve();
    await eventually(
      () => secrets.get(secret),
      ({ version }) => version === 2,
    );
    expect(swapped).toEqual(['first to second', 'first to second']);
    expect(problems).toEqual([new Error('it cannot be opened yet')]);

    expect((await fresh.get(secret)).version).toBe(2);
    await owner.post('/vault/seal');
    // The server is running but does not respond: the cached value is still used.
    expect((await fresh.get(secret)).data).toEqual({ password: 'second' });
    await expect(fresh.get(newPath(name))).rejects.toMatchObject({ status: 503 });
    await owner.post('/vault/unseal');
    // The tokens of the trust are revoked: the client logs in again.
    await owner.post(`/trusts/${trust.id}/disable`);
    await expect(fresh.get(secret)).rejects.toMatchObject({ status: 403 });
    await owner.patch(`/trusts/${trust.id}`, { enabled: true });
    expect((await fresh.get(secret)).version).toBe(2);
    const revoked = async () => (await latchkey.auditEvents('access_token.revoked')).length;
    const before = await revoked();
    await fresh.close();
    expect(await revoked()).toBe(before + 1);
    watched.stop();
    await secrets.close();
    expect(() => new Secrets({ ...options, url: 'http://latchkey.example' })).toThrow('https');
    await rm(folder, { recursive: true });
  });

  test.each(['restart', 'SIGHUP'])(
    'runs a program as a workload without a credential, and follows changes: %s',
    async (onChange) => {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-secrets-'));
      const [identity, seen] = [path.join(folder, 'token'), path.join(folder, 'seen')];
      const secret = newPath('workload');
      const issuer = await ForeignIssuer.named(`https://${crypto.randomUUID()}.example`, { alg: 'ES256' });
      const role = `orders-${crypto.randomUUID().slice(0, 8)}`;
      await owner.post('/trusts', {
        ...{ name: role, issuer: issuer.issuer, jwks: { keys: issuer.keys } },
        conditions: [{ claim: 'sub', equals: 'orders' }],
        permissions: { [`${latchkey.issuer}/v1`]: ['secrets:read:workload:*'] },
      });
      await writeFile(identity, await issuer.sign({ sub: 'orders', aud: latchkey.issuer, ...times() }));
      await put(secret, { PASSWORD: 'first' });
      const program = `const { appendFileSync } = require('node:fs');
      const note = (text) => appendFileSync(${JSON.stringify(seen)}, text + '\\n');
      process.on('SIGHUP', () => { note('told'); process.exit(7); });
      note(process.env.PASSWORD);
      if (process.env.PASSWORD === 'second') process.exit(7);
      setInterval(() => {}, 1000);`;
      const settings = ['--role', role, '--identity', identity, '--auth', 'jwt', '--on-change', onChange];
      const running = runCommand(['run', '--secret', secret, ...settings, '--', process.execPath, '-e', program], {
        env: { LATCHKEY_URL: latchkey.issuer },
      });
      const seenIn = () => readFile(seen, 'utf8').catch(() => '');
      await eventually(seenIn, (text) => text === 'first\n');
      await put(secret, { PASSWORD: 'second' });
      expect(await running).toMatchObject({ code: 7 });
      expect(await seenIn()).toBe(onChange === 'restart' ? 'first\nsecond\n' : 'first\ntold\n');
      await rm(folder, { recursive: true });
    },
  );

  test('gives a program files in memory alone, which follow changes and are removed when it exits', async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-secrets-'));
    const [memory, seen] = [await mkdtemp('/dev/shm/latchkey-test-'), path.join(folder, 'seen')];
    const name = `files-${crypto.randomUUID().slice(0, 8)}`;
    await put(`${name}/app`, { 'tls.key': 'key one', password: 'first', gone: 'soon' });
    await put(`${name}/single`, { value: 'alone' });
    await put(`${name}/binary`, { base64: Buffer.of(0, 255, 1).toString('base64') });
    const { body } = await owner.post('/api-keys', {
      ...{ name, owner: { client_id: 'service' }, environment: 'dev' },
      permissions: [`secrets:read:${name}:*`],
    });
    const env = { LATCHKEY_URL: latchkey.issuer, LATCHKEY_TOKEN: String(body.key) };
    const into = (at: string, ...more: string[]) =>
      [
        ...['run', '--secret', `${name}/app`, '--secret', `${name}/single`, '--secret', `${name}/binary`],
        ...['--files', at, ...more],
      ] as const;
    const program = `const { readdirSync, readFileSync, statSync, appendFileSync } = require('node:fs');
      const at = process.argv[1];
      const note = () => appendFileSync(${JSON.stringify(seen)}, JSON.stringify([process.env.password ?? null,
        ...readdirSync(at).sort().map((file) => [file, readFileSync(at + '/' + file, file === 'binary' ? 'hex' : 'utf8'), (statSync(at + '/' + file).mode & 0o777).toString(8)])]) + '\\n');
      process.on('SIGHUP', note);
      note();
      setInterval(() => {}, 1000);`;
    const at = path.join(memory, 'app');
    const running = spawn(
      process.execPath,
      [commandFile, ...into(at, '--on-change', 'SIGHUP'), '--', process.execPath, '-e', program, at],
      { env: { PATH: process.env.PATH, ...env }, stdio: 'inherit' },
    );
    const lines = async () => (await readFile(seen, 'utf8').catch(() => '')).trim().split('\n');
    const told = (key: string, password: string, ...more: string[][]) => [
      null,
      ['binary', '00ff01', '600'],
      ...more,
      ['password', password, '600'],
      ['single', 'alone', '600'],
      ['tls.key', key, '600'],
    ];
    const [first = ''] = await eventually(lines, ([line]) => line !== '');
    expect(JSON.parse(first)).toEqual(told('key one', 'first', ['gone', 'soon', '600']));
    await put(`${name}/app`, { 'tls.key': 'key two', password: 'second' });
    const [, second = ''] = await eventually(lines, ({ length }) => length === 2);
    expect(JSON.parse(second)).toEqual(told('key two', 'second'));
    const ended = once(running, 'exit');
    running.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    expect(await readdir(memory)).toEqual([]);

    const echo = ['--', 'echo', 'started'];
    // A folder that is never in memory, on any machine.
    const refused = await runCommand([...into('/proc/self'), ...echo], { env });
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('--files-on-disk') });
    const allowed = await runCommand([...into(path.join(folder, 'disk'), '--files-on-disk'), ...echo], { env });
    expect(allowed).toMatchObject({ code: 0, stdout: 'started\n' });
    expect(await readdir(folder)).toEqual(['seen']);
    await chmod(memory, 0o777);
    const open = await runCommand([...into(memory), ...echo], { env });
    expect(open).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('others can replace files') });
    await put(`${name}/app`, { '../out': 'x' });
    const unfit = await runCommand([...into(at), ...echo], { env });
    expect(unfit).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('"../out"') });
    expect(await readdir(memory)).toEqual([]);
    for (const each of [folder, memory]) await rm(each, { recursive: true });
  });
});
