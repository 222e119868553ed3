import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import nodeVault from 'node-vault';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { ForeignIssuer } from '../../support/foreign-issuer.ts';
import { password, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { ServerProcess } from '../../support/server.ts';
import { testWith } from '../../support/where-possible.ts';

const env = { LATCHKEY_VAULT_SEAL: 'shamir' };
// There is no administrator at first.
const latchkey = startLatchkey({ env, apply: { ...standardInstallation, users: [] } });
let owner: AdminApi;
let other: ServerProcess;
let token: string;
/** The shares of the vault, in hexadecimal. */
let keys: string[];
/** Answers to the set-up secret, before there is an administrator and after. */
let bySetupSecret: unknown[];

beforeAll(async () => {
  const { stdout } = await latchkey.command(['setup-link'], '', { LATCHKEY_ISSUER: latchkey.issuer });
  const by = /lk_setup_[\w-]+/.exec(stdout)?.[0] ?? '';
  // As from a page, so that the address of this machine does not suffice.
  const initialize = (secret: string) =>
    call('sys/init', { secret_shares: 2, secret_threshold: 2 }, { by: secret, origin: 'https://a.example' });
  const [wrong, right] = [await initialize(`${by.slice(0, -1)}${by.endsWith('a') ? 'b' : 'a'}`), await initialize(by)];
  const page = (await fetch(`${latchkey.issuer}/setup/${by}`)).status;
  owner = await asOwner(latchkey);
  other = await latchkey.startAnother({
    env: { ...env, LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1' },
  });
  const { body } = await owner.post('/clients', {
    ...{ client_id: 'keeper', grant_types: ['client_credentials'] },
    service_permissions: { [`${latchkey.issuer}/v1`]: ['secrets:*'] },
  });
  const login = { role_id: 'keeper', secret_id: String(body.client_secret) };
  token = (await nodeVault({ endpoint: latchkey.issuer }).approleLogin(login)).auth.client_token;
  await owner.post('/users', { username: 'keeper', email: 'keeper@example.com', password, roles: ['owner'] });
  bySetupSecret = [wrong, right, page, await initialize(by)];
});

const call = async (path: string, body?: object, { node = latchkey.issuer, by = '', origin = '' } = {}) => {
  const response = await fetch(`${node}/v1/${path}`, {
    method: body ? 'PUT' : 'GET',
    headers: {
      'x-forwarded-host': new URL(latchkey.issuer).host,
      ...(by && { 'x-vault-token': by }),
      ...(origin && { origin }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : undefined };
};
const unseal = (key: string, node?: string) => call('sys/unseal', { key }, node ? { node } : {});
const isReadable = async (node?: string) =>
  (await call('secret/data/a', undefined, { by: token, ...(node && { node }) })).status === 200;
function combinations<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, n) => combinations(items.slice(n + 1), size - 1).map((rest) => [item, ...rest]));
}

/** The same share with changed bytes, and a valid checksum. */
async function forged(key: string, change: (bytes: Buffer) => void): Promise<string> {
  const { crc32 } = await import('node:zlib');
  const bytes = Buffer.from(key, 'hex');
  change(bytes);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes.toString('hex');
}

describe('secrets sealed with shares', () => {
  test('are initialized by a user who may seal them, and are sealed until enough shares were entered', async () => {
    // Before there is an administrator the set-up secret suffices; it still opens the set-up page then.
    expect(bySetupSecret).toMatchObject([
      { status: 403 },
      { status: 200, body: { root_token: '', keys: [expect.any(String), expect.any(String)] } },
      200,
      { status: 403 },
    ]);
    const wanted = { secret_shares: 5, secret_threshold: 3 };
    // In development, a request from this machine needs no token, but pages that the user visits must not be able to send it.
    expect((await call('sys/init', wanted, { origin: 'https://evil.example' })).status).toBe(403);
    const first = await call('sys/init', wanted, { by: token });
    expect(first).toMatchObject({ status: 200, body: { root_token: token, keys: expect.any(Array) } });
    // It was never unsealed: lost shares do not matter.
    const { body } = await call('sys/init', wanted, { by: token });
    keys = body.keys;
    expect([keys.length, new Set(keys).size]).toEqual([5, 5]);
    expect(Buffer.from(body.keys_base64[0], 'base64').toString('hex')).toBe(keys[0]);
    expect(await unseal(first.body.keys[0])).toMatchObject({
      status: 400,
      body: { errors: [expect.stringContaining('belongs to another vault')] },
    });
    expect((await call('secret/data/a', undefined, { by: token })).status).toBe(503);
    for (const key of keys.slice(0, 3)) await unseal(key);
    expect((await call('sys/seal-status')).body).toMatchObject({ type: 'shamir', sealed: false, t: 3, n: 5 });
    expect(await call('sys/init', wanted, { by: token })).toMatchObject({
      status: 400,
      body: { errors: ['Vault is already initialized'] },
    });
    expect((await call('secret/data/a', { data: { n: 1 } }, { by: token })).status).toBe(200);
  });

  test('are unsealed by any three of the five, and by no two', async () => {
    const threes = combinations(keys, 3);
    expect(threes).toHaveLength(10);
    for (const shares of threes) {
      expect((await call('sys/seal', {}, { by: token })).status).toBe(204);
      for (const [n, key] of shares.entries()) {
        expect(await isReadable()).toBe(false);
        expect((await unseal(key)).body).toMatchObject({ sealed: n < 2, progress: n < 2 ? n + 1 : 0 });
      }
      expect(await isReadable()).toBe(true);
    }
  });

  test('stay sealed after a wrong share, with the reason, and the other shares are kept', async () => {
    await call('sys/seal', {}, { by: token });
    const [first = '', second = '', third = ''] = keys;
    await unseal(first);
    const mistyped = `${second.slice(0, 40)}${second[40] === '0' ? '1' : '0'}${second.slice(41)}`;
    const wrong: [key: string, why: string][] = [
      [mistyped, 'mistyped'],
      [second.slice(0, -2), 'not an unseal key'],
      ['ab'.repeat(33), 'not an unseal key'],
      [await forged(second, (bytes) => bytes.writeUInt8(0, bytes.length - 5)), 'not an unseal key'],
      [await forged(second, (bytes) => bytes.writeUInt8(200, bytes.length - 5)), 'none of the keys'],
      [await forged(second, (bytes) => bytes.writeUInt8((bytes[20] ?? 0) ^ 1, 20)), 'none of the keys'],
      [await forged(second, (bytes) => bytes.fill(7, 1, 17)), 'another vault'],
    ];
    for (const [key, why] of wrong) {
      const { status, body } = await unseal(key);
      expect([status, body.errors]).toEqual([400, [expect.stringContaining(why)]]);
    }
    expect((await unseal(first)).body).toMatchObject({ progress: 1, sealed: true });
    await unseal(second);
    expect((await unseal(third)).body).toMatchObject({ sealed: false });
    await call('sys/seal', {}, { by: token });
    await unseal(first);
    await call('sys/unseal', { reset: true });
    expect((await call('sys/seal-status')).body.progress).toBe(0);
  });

  test('are unsealed on each node, and sealed on all at once; everything else continues', async () => {
    const open = async (node?: string) => {
      for (const key of keys.slice(1, 4)) await unseal(key, node);
    };
    await open();
    expect([await isReadable(), await isReadable(other.address)]).toEqual([true, false]);
    await open(other.address);
    expect(await isReadable(other.address)).toBe(true);
    await owner.post('/vault/seal');
    expect([await isReadable(), await isReadable(other.address)]).toEqual([false, false]);
    expect((await call('secret/data/a', { data: {} }, { by: token, node: other.address })).status).toBe(503);
    const ready = await fetch(`${latchkey.issuer}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', secrets: 'sealed' }]);
    expect((await latchkey.clientCredentials()).status).toBe(200);
    expect((await owner.post('/vault/unseal', {})).status).toBe(409);
    await open();
    expect(await isReadable()).toBe(true);
  });

  test('get new shares with enough of the present ones, once enough of the new ones were confirmed', async () => {
    const [old, wanted] = [keys, { secret_shares: 4, secret_threshold: 2, require_verification: true }];
    expect((await call('sys/rekey/init', wanted)).status).toBe(403);
    const started = await call('sys/rekey/init', wanted, { by: token });
    expect(started.body).toMatchObject({
      started: true,
      t: 2,
      n: 4,
      required: 3,
      progress: 0,
      verification_required: true,
    });
    expect((await call('sys/rekey/init', wanted, { by: token })).status).toBe(400);
    const { nonce } = started.body;
    const update = (key: string, by = nonce) => call('sys/rekey/update', { key, nonce: by });
    expect((await update(old[0] ?? '', crypto.randomUUID())).status).toBe(400);
    for (const [n, key] of [old[0], old[0], old[1]].entries())
      expect((await update(key ?? '')).body).toMatchObject({ progress: n === 2 ? 2 : 1 });
    expect((await update('ab'.repeat(54))).status).toBe(400);
    const made = (await update(old[2] ?? '')).body;
    expect(made).toMatchObject({ complete: true, keys: { length: 4 }, verification_required: true });
    const verify = (key: string, by = made.verification_nonce) => call('sys/rekey/verify', { key, nonce: by });
    expect((await verify(old[0] ?? '')).status).toBe(400);
    expect((await verify(made.keys[0])).body).toMatchObject({ progress: 1, t: 2, n: 4 });
    // Nothing has changed yet: the present shares unseal the other node, and a cancelled attempt leaves nothing behind.
    await owner.post('/vault/seal');
    for (const key of old.slice(0, 3)) await unseal(key);
    expect(await isReadable()).toBe(true);
    expect(await verify(made.keys[3])).toMatchObject({ status: 200, body: { complete: true } });
    expect((await call('sys/rekey/init')).body).toMatchObject({ started: false, required: 2 });
    expect((await unseal(old[0] ?? '', other.address)).body).toMatchObject({
      errors: [expect.stringContaining('replaced')],
    });
    keys = made.keys;
    for (const key of keys.slice(1, 3)) await unseal(key, other.address);
    expect([await isReadable(), await isReadable(other.address)]).toEqual([true, true]);
    expect(await latchkey.auditEvents('vault.rekeyed')).toMatchObject([{ details: { shares: 4, threshold: 2 } }]);

    const again = (await call('sys/rekey/init', { secret_shares: 5, secret_threshold: 3 }, { by: token })).body;
    await call('sys/rekey/update', { key: keys[0], nonce: again.nonce });
    const replaced = (await call('sys/rekey/update', { key: keys[3], nonce: again.nonce })).body;
    expect(replaced).toMatchObject({ complete: true, verification_required: false });
    const [earlier, fresh] = [keys, replaced.keys as string[]];
    const rekeyed = await eventually(
      () => latchkey.auditEvents('vault.rekeyed'),
      (events) => events.length === 3,
    );
    expect(rekeyed.map(({ details }) => details)).toMatchObject(
      ['revoked', 'valid', 'revoked'].map((previous_shares) => ({ previous_shares })),
    );
    await owner.post('/vault/seal');
    await unseal(fresh[0] ?? '');
    expect((await unseal(earlier[0] ?? '')).body.errors).toEqual([expect.stringContaining('replaced')]);
    expect((await call('sys/seal-status')).body).toMatchObject({ sealed: true, t: 3, n: 5, progress: 1 });
    keys = fresh;
    for (const key of keys.slice(0, 3)) await unseal(key);
    const cancelled = await fetch(`${latchkey.issuer}/v1/sys/rekey/init`, {
      method: 'DELETE',
      headers: { 'x-vault-token': token },
    });
    expect(cancelled.status).toBe(204);
  });

  test('stay so on a server that starts with another setting, which it reports', async () => {
    const otherwise = { LATCHKEY_VAULT_SEAL: 'static', LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1' };
    const third = await latchkey.startAnother({ env: { ...otherwise, LOG_LEVEL: 'warn' } });
    expect(third.output()).toContain('but the secrets were initialized with');
    expect((await call('sys/seal-status', undefined, { node: third.address })).body).toMatchObject({
      ...{ type: 'shamir', sealed: true },
    });
  });

  test('keep neither shares nor keys in the database or the log', async () => {
    const { rows } = await latchkey.database.query(
      'select t::text as row from vault_seal t union all select t::text from vault_next_shares t union all select t::text from audit_events t',
    );
    const stored = rows.map(({ row }) => row).join('\n') + latchkey.server.output();
    for (const key of keys) for (const part of [key, key.slice(34, 98)]) expect(stored).not.toContain(part);
  });

  test('are unsealed from the command line', async () => {
    await owner.post('/vault/seal');
    const settings = { ...env, LATCHKEY_ISSUER: latchkey.issuer };
    for (const [n, key] of keys.slice(2).entries()) {
      const { code, stdout } = await latchkey.command(['vault', 'unseal'], `${key}\n`, settings);
      expect([code, stdout]).toEqual([0, expect.stringContaining(n < 2 ? `${n + 1} of 3 shares entered` : 'unsealed')]);
    }
    expect(await isReadable()).toBe(true);
    expect((await latchkey.command(['vault', 'status'], '', settings)).stdout).toContain('unsealed');
    await owner.post('/vault/seal');
    const both = ['--address', latchkey.issuer, '--address', 'http://127.0.0.1:9'];
    const several = await latchkey.command(['vault', 'unseal', ...both], `${keys.slice(0, 3).join('\n')}\n`, settings);
    expect([several.code, several.stdout]).toEqual([1, expect.stringMatching(/unsealed\n.*No server answers/)]);
    expect(await isReadable()).toBe(true);
    const { hostname, port } = new URL(other.address);
    const all = ['--all', '--address', `http://${hostname}:${port}`];
    const everywhere = await latchkey.command(['vault', 'unseal', ...all], keys.slice(0, 3).join('\n'), settings);
    expect([everywhere.code, everywhere.stdout]).toEqual([0, expect.stringContaining('unsealed')]);
    expect(await isReadable(other.address)).toBe(true);

    const rekey = ['vault', 'rekey', '--shares', '3', '--threshold', '2'];
    expect((await latchkey.command(rekey, keys.join('\n'), settings)).stderr).toContain('--no-verify');
    const few = await latchkey.command([...rekey, '--no-verify'], `${keys[0]}\n${keys[0]}\n`, settings);
    expect([few.code, few.stderr]).toEqual([2, expect.stringContaining('1 came')]);
    const wrong = await latchkey.command([...rekey, '--no-verify'], 'mistyped\n', settings);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('not an unseal key')]);
    const made = await latchkey.command([...rekey, '--no-verify', '--json'], keys.slice(1, 4).join('\n'), settings);
    expect(made.code).toBe(0);
    const fresh = (JSON.parse(made.stdout) as { keys: string[] }).keys.map((key) =>
      Buffer.from(key, 'base64').toString('hex'),
    );
    expect(fresh).toHaveLength(3);
    expect((await latchkey.auditEvents('vault.rekeyed')).at(-1)).toMatchObject({ actor_kind: 'system' });
    await owner.post('/vault/seal');
    for (const key of fresh.slice(1)) await unseal(key);
    expect(await isReadable()).toBe(true);
    await owner.post('/vault/seal');
    expect((await unseal(keys[0] ?? '')).status).toBe(400);
    keys = fresh;
    for (const key of keys.slice(1)) await unseal(key);
    const again = await latchkey.command(['vault', 'init'], '', settings);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('already initialized')]);
  });
});

const flow = path.join(import.meta.dirname, 'hvac_flow.py');
// Debian's package belongs to Debian's Python, which may not be the first one.
const python = ['python3', '/usr/bin/python3'].find((each) => spawnSync(each, ['-c', 'import hvac']).status === 0);

/** The output of the program for this input. */
function runHvac(input: object): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const child = execFile(python ?? '', [flow], (error, stdout, stderr) =>
      error ? reject(new Error(stderr || error.message)) : resolve(JSON.parse(stdout)),
    );
    child.stdin?.end(JSON.stringify(input));
  });
}

describe('python3-hvac, unmodified', () => {
  testWith(python, 'python3-hvac is not installed')(
    'unseals, writes policies and roles, logs in, reads and writes versions, renews and revokes tokens, and seals',
    async () => {
      const folder = `hvac-${crypto.randomUUID().slice(0, 8)}`;
      const issuer = await ForeignIssuer.named(`https://${crypto.randomUUID()}.example`, { alg: 'ES256' });
      const trust = await owner.post('/trusts', {
        ...{ name: folder, issuer: issuer.issuer, jwks: { keys: issuer.keys } },
        conditions: [{ claim: 'sub', equals: 'system:serviceaccount:shop:orders' }],
        permissions: { [`${latchkey.issuer}/v1`]: [`secrets:read:${folder}:*`] },
      });
      expect(trust.status).toBe(201);
      const jwt = () => issuer.sign({ sub: 'system:serviceaccount:shop:orders', aud: latchkey.issuer });
      await owner.post('/vault/seal');
      const [first, second] = [await jwt(), await jwt()];
      const shares = { keys, token, url: latchkey.issuer };
      const seen = await runHvac({ ...shares, folder, trust: folder, jwt: first, second_jwt: second, patches: true });
      expect(seen).toMatchObject({
        ...{ sealed_at_first: true, sealed_then: false, is_initialized: true, is_authenticated: true, policy: true },
        ...{ refused_policy: 'InvalidRequest', logged_in: true, second_login: 'InvalidRequest', workload: true },
        ...{ kubernetes: folder, written: 1, cas: 'InvalidRequest', read: { n: 2 }, first: { n: 1 }, patched: 3 },
        ...{
          deleted: 'InvalidPath',
          undeleted: true,
          destroyed: 'InvalidPath',
          listed: ['db'],
          forbidden: 'Forbidden',
        },
        ...{ renewed: 600, child: true, revoked: false, sealed_at_last: true },
      });
    },
  );
});
