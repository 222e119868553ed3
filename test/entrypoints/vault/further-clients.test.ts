import { request as requestHttp } from 'node:http';
import { z } from 'zod';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const latchkey = startLatchkey({});
let owner: AdminApi;
let token: string;
beforeAll(async () => {
  owner = await asOwner(latchkey);
  token = await tokenWith(['secrets:*']);
});

type Body = { data: Record<string, unknown>; auth: Record<string, unknown>; wrap_info: Record<string, unknown> };

async function ask(method: string, path: string, { by = token, body = undefined as unknown, headers = {} } = {}) {
  const response = await fetch(`${latchkey.issuer}/v1/${path}`, {
    method,
    headers: { ...(by && { 'x-vault-token': by }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text ? JSON.parse(text) : undefined) as Body };
}

/** The token of a service with these permissions. */
async function tokenWith(permissions: string[]): Promise<string> {
  const client_id = `service-${crypto.randomUUID().slice(0, 8)}`;
  const { body } = await owner.post('/clients', {
    ...{ client_id, grant_types: ['client_credentials'] },
    service_permissions: { [`${latchkey.issuer}/v1`]: permissions },
  });
  const login = { role_id: client_id, secret_id: body.client_secret };
  return String((await ask('POST', 'auth/approle/login', { by: '', body: login })).body.auth.client_token);
}

const newFolder = () => `app-${crypto.randomUUID().slice(0, 8)}`;

/** The status of a request that names this host. */
function statusAt(host: string, method: string, path: string, { by = token, body = '' } = {}): Promise<number> {
  const { port } = new URL(latchkey.issuer);
  const headers = { host, 'x-vault-token': by, 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = requestHttp({ host: '127.0.0.1', port, method, path: `/v1/${path}`, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject).end(body);
  });
}

describe('clients with their default address', () => {
  test('write and read under every name of this machine, and under no other host', async () => {
    const { port } = new URL(latchkey.issuer);
    const path = `secret/data/${newFolder()}/a`;
    const body = JSON.stringify({ data: { a: 1 } });
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
      expect([host, await statusAt(host, 'POST', path, { body })]).toEqual([host, 200]);
      expect([host, await statusAt(host, 'GET', path)]).toEqual([host, 200]);
    }
    for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1:1']) {
      for (const method of ['GET', 'POST'])
        expect([host, await statusAt(host, method, path, { body })]).toEqual([host, 421]);
      expect([host, await statusAt(host, 'PUT', 'sys/init', { body: '{}' })]).toEqual([host, 421]);
      expect([host, await statusAt(host, 'PUT', 'sys/seal')]).toEqual([host, 421]);
    }
  });

  test('ask for the state, and unseal, at the address of one server', async () => {
    for (const path of ['sys/health', 'sys/seal-status', 'sys/leader'])
      expect([path, await statusAt('10.0.0.5:3000', 'GET', path, { by: '' })]).toEqual([path, 200]);
    expect(await statusAt('10.0.0.5:3000', 'PUT', 'sys/unseal', { by: '', body: '{"key":"00"}' })).toBe(200);
  });
});

describe('clients that check the form of responses', () => {
  const plugin = z.object({
    ...{ accessor: z.string().min(1), uuid: z.uuid(), type: z.string(), description: z.string() },
    ...{ deprecation_status: z.string(), plugin_version: z.string(), running_sha256: z.string() },
    ...{ running_plugin_version: z.string().min(1), local: z.boolean(), seal_wrap: z.boolean() },
    options: z.record(z.string(), z.string()),
  });

  test.each([
    ['sys/seal-status', z.object({ build_date: z.iso.datetime(), cluster_id: z.uuid(), storage_type: z.string() })],
    [
      'sys/health',
      z.object({ cluster_id: z.uuid(), cluster_name: z.string(), echo_duration_ms: z.int(), clock_skew_ms: z.int() }),
    ],
    ['sys/leader', z.object({ active_time: z.iso.datetime(), performance_standby: z.boolean() })],
    ['sys/mounts', z.object({ data: z.record(z.string(), plugin) })],
    ['sys/mounts/secret', plugin.extend({ data: plugin })],
    ['sys/auth', z.object({ data: z.record(z.string(), plugin) })],
    ['sys/internal/ui/mounts/secret/a', z.object({ data: plugin })],
    ['sys/generate-root/attempt', z.object({ started: z.literal(false), nonce: z.literal(''), required: z.int() })],
  ])('read %s', async (path, shape) => {
    const { status, body } = await ask('GET', path);
    expect(status).toBe(200);
    expect(shape.safeParse(body).error).toBeUndefined();
    expect((await ask('GET', path)).body).toMatchObject(path === 'sys/seal-status' ? body : {});
  });

  test('read every member of a role', async () => {
    const name = newFolder();
    expect((await ask('PUT', `auth/approle/role/${name}`, { body: {} })).status).toBe(204);
    expect((await ask('GET', `auth/approle/role/${name}`)).body.data).toEqual({
      ...{ bind_secret_id: true, local_secret_ids: false, policies: [], token_policies: [], token_type: 'default' },
      ...{ secret_id_ttl: 0, secret_id_num_uses: 0, secret_id_bound_cidrs: [], token_bound_cidrs: [] },
      ...{ token_ttl: 0, token_max_ttl: 0, token_num_uses: 0, token_period: 0, token_explicit_max_ttl: 0 },
      token_no_default_policy: false,
    });
  });

  test.each(['batch', 'default-batch', 'other'])('learn that no role creates tokens of type %s', async (token_type) => {
    const name = newFolder();
    const refused = { status: 400, body: { errors: [expect.stringContaining(`"${token_type}"`)] } };
    expect(await ask('PUT', `auth/approle/role/${name}`, { body: { token_type } })).toMatchObject(refused);
    expect(await ask('PUT', `auth/token/roles/${name}`, { body: { token_type } })).toMatchObject(refused);
    const role = { bound_service_account_names: 'a', bound_service_account_namespaces: 'b', token_type };
    await ask('PUT', 'auth/kubernetes/config', { body: { kubernetes_host: 'https://cluster.example' } });
    expect(await ask('PUT', `auth/kubernetes/role/${name}`, { body: role })).toMatchObject(refused);
  });

  test('get the policies of the role that they log in with', async () => {
    const name = newFolder();
    const policy = `path "secret/data/${name}/*" { capabilities = ["read"] }`;
    await ask('PUT', `sys/policies/acl/${name}`, { body: { policy } });
    await ask('PUT', `auth/approle/role/${name}`, { body: { token_policies: [name] } });
    const { secret_id } = (await ask('PUT', `auth/approle/role/${name}/secret-id`)).body.data;
    const { auth } = (await ask('PUT', 'auth/approle/login', { by: '', body: { role_id: name, secret_id } })).body;
    expect(auth).toMatchObject({ policies: ['default', name], token_policies: ['default', name] });
    const by = String(auth.client_token);
    expect((await ask('GET', 'auth/token/lookup-self', { by })).body.data.policies).toEqual(['default', name]);
  });
});

describe('clients that configure', () => {
  test('change the settings of new secrets, and of none that exists', async () => {
    const folder = newFolder();
    const [old, fresh] = ['old', 'fresh'].map((name) => `${folder}/${name}`);
    const put = (name = '', cas?: number) =>
      ask('POST', `secret/data/${name}`, { body: { data: { a: 1 }, ...(cas !== undefined && { options: { cas } }) } });
    const settingsOf = async (path: string) => (await ask('GET', path)).body.data;
    await put(old);
    const config = { max_versions: 2, cas_required: true, delete_version_after: '1h' };
    expect((await ask('POST', 'secret/config', { body: config })).status).toBe(204);
    expect(await settingsOf('secret/config')).toEqual({ ...config, delete_version_after: '1h0m0s' });
    expect((await put(fresh)).body).toEqual({ errors: ['check-and-set parameter required for this call'] });
    expect((await ask('GET', `secret/metadata/${fresh}`)).status).toBe(404);
    expect((await put(fresh, 0)).body.data.deletion_time).toMatch(/^20/);
    expect(await settingsOf(`secret/metadata/${fresh}`)).toMatchObject({ max_versions: 2, cas_required: true });
    expect((await put(old)).status).toBe(200);
    expect(await settingsOf(`secret/metadata/${old}`)).toMatchObject({ max_versions: 10, cas_required: false });
    // 0 is the number of new secrets; of these, the usual one.
    await ask('POST', `secret/metadata/${old}`, { body: { max_versions: 0 } });
    expect(await settingsOf(`secret/metadata/${old}`)).toMatchObject({ max_versions: 2 });
    const usual = { max_versions: 0, cas_required: false, delete_version_after: '0s' };
    expect((await ask('POST', 'secret/config', { body: usual })).status).toBe(204);
    expect(await settingsOf('secret/config')).toEqual({ ...usual, max_versions: 10 });
    expect((await latchkey.auditEvents('secret.defaults.changed')).at(-1)?.details).toMatchObject({
      changed: { max_versions: { old: 2, new: 10 } },
    });
    const by = await tokenWith([`secrets:write:${folder}:*`]);
    expect((await ask('POST', 'secret/config', { by, body: config })).status).toBe(403);
  });

  test('log in with an unknown role, whose name is not recorded', async () => {
    const name = newFolder();
    await ask('PUT', `auth/approle/role/${name}`, { body: {} });
    const { secret_id } = (await ask('PUT', `auth/approle/role/${name}/secret-id`)).body.data;
    const refused = async (role_id: string) => {
      const told = await ask('PUT', 'auth/approle/login', { by: '', body: { role_id, secret_id } });
      expect(told).toMatchObject({ status: 400, body: { errors: ['invalid role or secret ID'] } });
      return (await latchkey.auditEvents('client.refused')).at(-1)?.target_id ?? null;
    };
    expect(await refused(`\u001b[31m${'x'.repeat(10_000)}`)).toBeNull();
    const other = newFolder();
    await ask('PUT', `auth/approle/role/${other}`, { body: {} });
    expect(await refused(other)).toBe(other);
  });

  test('read and write one member of a role', async () => {
    const name = newFolder();
    await ask('PUT', `auth/approle/role/${name}`, { body: { token_ttl: '10m', token_bound_cidrs: ['10.0.0.0/8'] } });
    const at = (member: string) => `auth/approle/role/${name}/${member}`;
    expect((await ask('GET', at('token-ttl'))).body.data).toEqual({ token_ttl: 600 });
    expect((await ask('POST', at('token-ttl'), { body: { token_ttl: '20m' } })).status).toBe(204);
    expect((await ask('GET', at('token-ttl'))).body.data).toEqual({ token_ttl: 1200 });
    expect((await ask('DELETE', at('token-ttl'))).status).toBe(204);
    expect((await ask('GET', at('token-ttl'))).body.data).toEqual({ token_ttl: 0 });
    expect((await ask('GET', at('token-bound-cidrs'))).body.data).toEqual({ token_bound_cidrs: ['10.0.0.0/8'] });
    expect((await ask('DELETE', at('token-bound-cidrs'))).status).toBe(204);
    expect((await ask('GET', `auth/approle/role/${name}`)).body.data.token_bound_cidrs).toEqual([]);
    expect((await ask('POST', at('period'), { body: { token_period: 60 } })).status).toBe(400);
    expect((await ask('POST', at('token-ttl'), { body: {} })).body).toEqual({ errors: ['missing token_ttl'] });
    expect((await ask('GET', `auth/approle/role/${newFolder()}/token-ttl`)).status).toBe(404);
    for (const path of ['auth/approle/tidy/secret-id', 'auth/token/tidy'])
      expect((await ask('POST', path)).status).toBe(202);
    expect(await ask('PUT', at('secret-id/lookup'), { body: { secret_id: 'unknown' } })).toMatchObject({ status: 204 });
    expect((await ask('PUT', 'auth/approle/role/none/secret-id')).body).toEqual({
      errors: ['role "none" does not exist'],
    });
  });
});

describe('Spring Vault, as its source makes its calls', () => {
  const accepts = { accept: 'application/json, application/*+json' };
  const spring = (by: string) => (method: string, path: string, body?: unknown) =>
    ask(method, path, {
      ...{ by, body },
      headers: { ...accepts, ...(body !== undefined && { 'content-type': 'application/json' }) },
    });

  test('keeps a session, and writes and reads versions and their metadata', async () => {
    const folder = newFolder();
    const client_id = `spring-${folder}`;
    const { body: made } = await owner.post('/clients', {
      ...{ client_id, grant_types: ['client_credentials'] },
      service_permissions: { [`${latchkey.issuer}/v1`]: [`secrets:*:${folder}:*`] },
    });
    const login = { role_id: client_id, secret_id: made.client_secret };
    const { auth } = (await spring('')('POST', 'auth/approle/login', login)).body;
    const call = spring(String(auth.client_token));
    // LoginToken: `renewable` is a boolean, `ttl` or `lease_duration` a number, and only tokens of the type `service` are revoked.
    expect((await call('GET', 'auth/token/lookup-self')).body.data).toMatchObject({
      ...{ renewable: true, ttl: expect.any(Number), type: 'service', accessor: expect.stringMatching(/./) },
    });
    expect((await call('POST', 'auth/token/renew-self')).body.auth).toMatchObject({
      ...{
        client_token: auth.client_token,
        renewable: true,
        lease_duration: expect.any(Number),
        token_type: 'service',
      },
    });
    // KeyValueDelegate.
    expect((await call('GET', `sys/internal/ui/mounts/secret/${folder}`)).body.data).toMatchObject({
      ...{ path: 'secret/', options: { version: '2' } },
    });
    const [data, metadata] = ['data', 'metadata'].map((kind) => `secret/${kind}/${folder}/app`);
    if (!data || !metadata) throw new Error('no paths');
    // VaultVersionedKeyValueTemplate: an unversioned one is 0.
    const first = await call('POST', data, { data: { a: 1 }, options: { cas: 0 } });
    const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
    expect(first.body.data).toMatchObject({ version: 1, destroyed: false, created_time: expect.stringMatching(time) });
    await call('POST', data, { data: { a: 2 }, options: { cas: 1 } });
    expect((await call('GET', `${data}?version=1`)).body.data).toMatchObject({
      data: { a: 1 },
      metadata: { version: 1 },
    });
    // VaultMetadataRequest: its times have seconds and nanoseconds.
    const settings = { max_versions: 0, cas_required: false, custom_metadata: null };
    for (const [sent, shown] of [
      ['180s0ns', '3m0s'],
      ['0s0ns', '0s'],
    ]) {
      expect((await call('POST', metadata, { ...settings, delete_version_after: sent })).status).toBe(204);
      expect((await call('GET', metadata)).body.data).toMatchObject({
        ...{
          delete_version_after: shown,
          max_versions: 10,
          current_version: 2,
          oldest_version: 1,
          cas_required: false,
        },
        ...{
          updated_time: expect.stringMatching(time),
          versions: { 2: { created_time: expect.stringMatching(time) } },
        },
      });
    }
    expect((await call('GET', `secret/metadata/${folder}?list=true`)).body.data.keys).toEqual(['app']);
    await call('POST', `secret/delete/${folder}/app`, { versions: [2] });
    expect(await call('GET', data)).toMatchObject({
      ...{ status: 404, body: { data: { data: null, metadata: { deletion_time: expect.stringMatching(time) } } } },
    });
    // VaultTokenRequest: members that were not set are null or empty.
    const unset = { id: null, policies: [], meta: {}, no_parent: false, no_default_policy: false, entity_alias: null };
    const child = { ...unset, renewable: true, ttl: '600s', explicit_max_ttl: null, display_name: '', num_uses: 0 };
    expect((await call('POST', 'auth/token/create', child)).body.auth).toMatchObject({ lease_duration: 600 });
    expect((await call('POST', 'auth/token/revoke-self')).status).toBe(204);
    expect((await call('GET', 'auth/token/lookup-self')).status).toBe(403);
  });

  test.each([
    ['1h0m30s0ns', '1h0m30s'],
    ['1500ms', '1s'],
    // It must not become 0, which is no limit.
    ['250ms', '1s'],
    ['0.5s', '1s'],
    ['1d', '24h0m0s'],
    ['-1ns', '0s'],
  ])('writes the time %s, which is %s', async (sent, shown) => {
    const path = `secret/metadata/${newFolder()}/a`;
    expect((await ask('POST', path, { body: { delete_version_after: sent } })).status).toBe(204);
    expect((await ask('GET', path)).body.data.delete_version_after).toBe(shown);
  });

  test.each([
    ['True', true],
    ['T', true],
    ['FALSE', false],
    [0, false],
  ])('writes the flag %p as a text, as in vault write', async (sent, shown) => {
    const path = `secret/metadata/${newFolder()}/a`;
    await ask('POST', path, { body: { cas_required: !shown } });
    expect((await ask('POST', path, { body: { cas_required: sent } })).status).toBe(204);
    expect((await ask('GET', path)).body.data.cas_required).toBe(shown);
    expect((await ask('POST', path, { body: { cas_required: 'yes' } })).status).toBe(400);
  });

  test.each(['1x', 's', '1sm', '1.s', '1 s', 'ms'])('cannot write the time %s', async (sent) => {
    const path = `secret/metadata/${newFolder()}/a`;
    expect((await ask('POST', path, { body: { delete_version_after: sent } })).status).toBe(400);
  });
});

describe('a token that a request does not name', () => {
  test('is not the token of the caller, except for a lookup', async () => {
    const by = await tokenWith(['secrets:tokens', 'secrets:read:a']);
    for (const what of ['revoke', 'revoke-orphan', 'renew'])
      expect([what, await ask('POST', `auth/token/${what}`, { by, body: {} })]).toMatchObject([
        ...[what, { status: 400, body: { errors: ['missing token ID'] } }],
      ]);
    expect((await ask('POST', 'auth/token/lookup', { by, body: {} })).body.data.id).toBe(by);
    expect((await ask('GET', 'auth/token/lookup', { by })).body.data.id).toBe(by);
  });

  test('or that does not exist, is revoked without a refusal, and is not renewed', async () => {
    const asked = { body: { token: 'hvs.unknown' } };
    expect((await ask('POST', 'auth/token/revoke', asked)).status).toBe(204);
    expect(await ask('POST', 'auth/token/renew', asked)).toMatchObject({ status: 400 });
    expect((await ask('POST', 'auth/token/lookup', asked)).body).toEqual({ errors: ['bad token'] });
  });
});

describe('clients that look before they act', () => {
  test('read the capabilities of their token at every kind of path', async () => {
    const folder = newFolder();
    const at = async (permissions: string[], path: string) => {
      const by = await tokenWith([...permissions, `secrets:read:${folder}`]);
      return (await ask('POST', 'sys/capabilities-self', { by, body: { paths: [path] } })).body.data[path];
    };
    const all = ['create', 'delete', 'list', 'read', 'update'];
    expect(await at([], `secret/subkeys/${folder}`)).toEqual(['read']);
    expect(await at([], 'auth/token/create')).toEqual(['create', 'update']);
    expect(await at([], 'sys/wrapping/unwrap')).toEqual(['update']);
    expect(await at([], 'sys/mounts')).toEqual(['read']);
    expect(await at([], 'auth/approle/role/a')).toEqual(['deny']);
    expect(await at(['secrets:roles'], 'auth/approle/role/a')).toEqual(all);
    expect(await at(['secrets:roles'], 'auth/token/create-orphan')).toEqual(['deny']);
    expect(await at(['secrets:seal'], 'sys/rotate')).toEqual(['sudo', 'update']);
    expect(await at([], 'sys/elsewhere')).toEqual(['deny']);
    expect(await ask('POST', 'sys/capabilities-self', { body: {} })).toMatchObject({ status: 400 });
    expect((await ask('GET', 'sys/policies/acl/root')).body.data).toEqual({ name: 'root', policy: '' });
    for (const path of ['secret/metadata', 'kv']) expect((await ask('GET', path)).status).toBe(404);
    expect((await ask('GET', 'auth/approle/login', { by: '' })).status).toBe(405);
  });

  test('find no deleted secret in a list of KV version 1', async () => {
    const folder = newFolder();
    for (const name of ['a', 'b', 'c/d']) await ask('POST', `kv/${folder}/${name}`, { body: { value: name } });
    const keys = async () => (await ask('GET', `kv/${folder}?list=true`)).body.data?.keys;
    expect(await keys()).toEqual(['a', 'b', 'c/']);
    await ask('DELETE', `kv/${folder}/a`);
    expect(await keys()).toEqual(['b', 'c/']);
    // Version 2 lists it: it can be undeleted.
    expect((await ask('GET', `secret/metadata/kv/${folder}?list=true`)).body.data.keys).toEqual(['a', 'b', 'c/']);
  });

  test('learn that there are no root tokens to generate', async () => {
    expect(await ask('PUT', 'sys/generate-root/attempt', { by: '', body: { otp: 'x' } })).toMatchObject({
      ...{ status: 400, body: { errors: [expect.stringContaining('no root tokens')] } },
    });
    expect((await ask('DELETE', 'sys/generate-root/attempt', { by: '' })).status).toBe(204);
  });
});

describe('wrapping', () => {
  const wrapping = { 'x-vault-wrap-ttl': '60s' };
  const unwrap = (by: unknown) => ask('POST', 'sys/wrapping/unwrap', { by: String(by) });

  test('keeps any response for the holder of a token, who opens it once', async () => {
    const path = `secret/data/${newFolder()}/a`;
    await ask('POST', path, { body: { data: { password: 'hidden' } } });
    const { body } = await ask('GET', path, { headers: wrapping });
    expect(body).toMatchObject({ data: null, auth: null, wrap_info: { ttl: 60, creation_path: path } });
    expect(JSON.stringify(body)).not.toContain('hidden');
    const opened = await unwrap(body.wrap_info.token);
    expect(opened).toMatchObject({ status: 200, body: { data: { data: { password: 'hidden' } }, wrap_info: null } });
    expect((await unwrap(body.wrap_info.token)).status).toBe(400);
  });

  test('keeps the token of a login, and names its accessor', async () => {
    const name = newFolder();
    await ask('PUT', `sys/policies/acl/${name}`, {
      body: { policy: 'path "secret/data/x/y" { capabilities = ["read"] }' },
    });
    await ask('PUT', `auth/approle/role/${name}`, { body: { token_policies: [name] } });
    const { secret_id } = (await ask('PUT', `auth/approle/role/${name}/secret-id`)).body.data;
    const login = { by: '', body: { role_id: name, secret_id }, headers: wrapping };
    const { auth, wrap_info } = (await ask('PUT', 'auth/approle/login', login)).body;
    expect(auth).toBeNull();
    const opened = (await unwrap(wrap_info.token)).body.auth;
    expect(opened).toMatchObject({
      accessor: wrap_info.wrapped_accessor,
      client_token: expect.stringMatching(/^lk_at_/),
    });
  });

  test('keeps what a client sends, and moves it to a new token', async () => {
    const content = { zip: 'zap', list: [1, 2] };
    const { wrap_info } = (await ask('POST', 'sys/wrapping/wrap', { body: content, headers: wrapping })).body;
    const moved = await ask('POST', 'sys/wrapping/rewrap', { by: '', body: { token: wrap_info.token } });
    expect(moved.body.wrap_info).toMatchObject({ ttl: 60, creation_path: 'sys/wrapping/wrap' });
    expect((await unwrap(wrap_info.token)).status).toBe(400);
    expect((await unwrap(moved.body.wrap_info.token)).body.data).toEqual(content);
    expect((await latchkey.auditEvents('vault.unwrapped')).length).toBeGreaterThanOrEqual(2);
  });

  test('leaves refusals and responses without content as they are, and refuses long ones', async () => {
    const folder = newFolder();
    expect((await ask('GET', `secret/data/${folder}/none`, { headers: wrapping })).body).toEqual({ errors: [] });
    expect((await ask('DELETE', `secret/data/${folder}/none`, { headers: wrapping })).status).toBe(204);
    expect((await ask('GET', 'sys/health', { headers: wrapping })).body).toMatchObject({ sealed: false });
    const path = `secret/data/${folder}/long`;
    await ask('POST', path, { body: { data: { a: 'x'.repeat(70_000) } } });
    expect(await ask('GET', path, { headers: wrapping })).toMatchObject({
      ...{ status: 400, body: { errors: [expect.stringContaining('cannot be wrapped')] } },
    });
  });

  test('opens nothing while the secrets are sealed', async () => {
    const { wrap_info } = (await ask('POST', 'sys/wrapping/wrap', { body: { a: 1 }, headers: wrapping })).body;
    await owner.post('/vault/seal');
    expect(await unwrap(wrap_info.token)).toMatchObject({ status: 503, body: { errors: ['Vault is sealed'] } });
    const again = await ask('POST', 'sys/wrapping/rewrap', { by: '', body: { token: wrap_info.token } });
    expect(again.status).toBe(503);
    await owner.post('/vault/unseal');
    expect((await unwrap(wrap_info.token)).status).toBe(200);
  });
});
