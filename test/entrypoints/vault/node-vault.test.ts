import { createHash } from 'node:crypto';
import { exportSPKI } from 'jose';
import nodeVault from 'node-vault';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { ForeignCluster } from '../../support/foreign-cluster.ts';
import { ForeignIssuer } from '../../support/foreign-issuer.ts';
import type { RunningServer } from '../../support/hosted-server.ts';
import { password, redirectUri } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const latchkey = startLatchkey({ env: { LOG_LEVEL: 'trace' } });
let owner: AdminApi;
let other: RunningServer;
beforeAll(async () => {
  owner = await asOwner(latchkey);
  other = await latchkey.startNode();
});

const allOf = (folder: string) =>
  ['read', 'write', 'list', 'delete', 'destroy'].map((verb) => `secrets:${verb}:${folder}:*`);
const newFolder = () => `app-${crypto.randomUUID().slice(0, 8)}`;
const vaultAt = (token?: string, endpoint = latchkey.issuer) => nodeVault({ endpoint, ...(token && { token }) });

/** A client that acts as a role of AppRole. */
async function role(permissions: string[], lifetimes = {}): Promise<{ role_id: string; secret_id: string }> {
  const client_id = `role-${crypto.randomUUID().slice(0, 8)}`;
  const { status, body } = await owner.post('/clients', {
    ...{ client_id, grant_types: ['client_credentials'], ...lifetimes },
    service_permissions: { [`${latchkey.issuer}/v1`]: permissions },
  });
  if (status !== 201) throw new Error(JSON.stringify(body));
  return { role_id: client_id, secret_id: String(body.client_secret) };
}

/** A client of Vault that has logged in. */
async function loggedIn(permissions: string[]) {
  const vault = vaultAt();
  const credentials = await role(permissions);
  const { auth } = await vault.approleLogin(credentials);
  return { vault, auth, ...credentials };
}

type Refused = { response?: { statusCode: number; body: unknown }; message: string };
const refusalOf = (call: Promise<unknown>): Promise<Refused> =>
  call.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: Refused) => error,
  );
const statusOf = async (call: Promise<unknown>) => (await refusalOf(call)).response?.statusCode;

const call = (method: string, path: string, { token = '', body = undefined as unknown, headers = {} } = {}) =>
  fetch(`${latchkey.issuer}/v1/${path}`, {
    method,
    headers: { ...(token && { 'x-vault-token': token }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });

describe('node-vault, unmodified', () => {
  test('logs in with a role, and writes, reads, lists, deletes, undeletes and destroys versions', async () => {
    const folder = newFolder();
    const { vault, auth } = await loggedIn(allOf(folder));
    expect(auth).toMatchObject({
      client_token: expect.stringMatching(/^lk_at_/),
      renewable: true,
      token_type: 'service',
    });
    const at = (kind: string) => `secret/${kind}/${folder}/db`;
    expect((await vault.write(at('data'), { data: { password: 'first' } })).data).toMatchObject({
      ...{ version: 1, deletion_time: '', destroyed: false, custom_metadata: null },
    });
    await vault.write(at('data'), { data: { password: 'second' }, options: { cas: 1 } });
    const conflict = await refusalOf(vault.write(at('data'), { data: {}, options: { cas: 1 } }));
    expect(conflict).toMatchObject({
      response: { statusCode: 400, body: { errors: ['check-and-set parameter did not match the current version'] } },
    });
    expect((await vault.read(at('data'))).data).toMatchObject({
      data: { password: 'second' },
      metadata: { version: 2 },
    });
    expect((await vault.read(`${at('data')}?version=1`)).data.data).toEqual({ password: 'first' });
    expect((await vault.update(at('data'), { data: { user: 'shop' } })).data.version).toBe(3);
    expect((await vault.read(at('data'))).data.data).toEqual({ password: 'second', user: 'shop' });

    await vault.write(`secret/data/${folder}/nested/key`, { data: { a: 1 } });
    expect((await vault.list(`secret/metadata/${folder}`)).data.keys).toEqual(['db', 'nested/']);
    expect((await vault.list(`secret/metadata/${folder}/`)).data.keys).toEqual(['db', 'nested/']);
    expect(await statusOf(vault.list(`secret/metadata/${folder}/none`))).toBe(404);

    await vault.delete(at('data'));
    const deleted = await refusalOf(vault.read(at('data')));
    expect(deleted.response).toMatchObject({
      statusCode: 404,
      body: {
        data: { data: null, metadata: { version: 3, destroyed: false, deletion_time: expect.stringMatching(/^20/) } },
      },
    });
    await vault.write(at('undelete'), { versions: [3] });
    expect((await vault.read(at('data'))).data.metadata.version).toBe(3);
    await vault.write(at('delete'), { versions: [1, 2] });
    await vault.write(at('destroy'), { versions: ['1'] });
    const { versions, current_version, oldest_version } = (await vault.read(at('metadata'))).data;
    expect({ current_version, oldest_version }).toEqual({ current_version: 3, oldest_version: 1 });
    expect(versions).toMatchObject({ 1: { destroyed: true }, 2: { destroyed: false }, 3: { deletion_time: '' } });
    await vault.write(at('metadata'), {
      ...{ custom_metadata: { team: 'shop' }, max_versions: 3, cas_required: true, delete_version_after: '1h30m' },
    });
    expect((await vault.read(at('metadata'))).data).toMatchObject({
      ...{ custom_metadata: { team: 'shop' }, max_versions: 3, cas_required: true, delete_version_after: '1h30m0s' },
    });
    expect((await refusalOf(vault.write(at('data'), { data: {} }))).message).toBe(
      'check-and-set parameter required for this call',
    );
    await vault.delete(at('metadata'));
    expect(await statusOf(vault.read(at('metadata')))).toBe(404);
    await vault.delete(at('metadata'));
    await vault.delete(at('data'));
  });

  test('reads and writes version 1 of KV, in the folder kv', async () => {
    const name = newFolder();
    const { vault } = await loggedIn(allOf('kv'));
    await vault.write(`kv/${name}`, { user: 'shop', password: 'p' });
    const { data, lease_duration } = await vault.read(`kv/${name}`);
    expect({ data, lease_duration }).toEqual({ data: { user: 'shop', password: 'p' }, lease_duration: 2764800 });
    expect((await vault.list('kv')).data.keys).toContain(name);
    await vault.delete(`kv/${name}`);
    expect(await statusOf(vault.read(`kv/${name}`))).toBe(404);
  });

  test('reads the state, the mounts and its capabilities', async () => {
    const folder = newFolder();
    const { vault, auth } = await loggedIn([`secrets:read:${folder}:*`]);
    expect(await vault.health()).toMatchObject({ initialized: true, sealed: false, standby: false });
    expect(await vault.status()).toMatchObject({ initialized: true, sealed: false, type: 'static' });
    expect(await vault.initialized()).toEqual({ initialized: true });
    expect(await statusOf(vault.init({ secret_shares: 1, secret_threshold: 1 }))).toBe(400);
    const mounts = await vault.mounts();
    expect(mounts).toMatchObject({
      'secret/': { type: 'kv', options: { version: '2' } },
      data: { 'kv/': { type: 'kv' } },
    });
    const token = auth.client_token;
    const found = await call('GET', `sys/internal/ui/mounts/secret/${folder}`, { token });
    expect(await found.json()).toMatchObject({ data: { path: 'secret/', options: { version: '2' } } });
    expect((await call('GET', 'sys/internal/ui/mounts/kv/x', { token })).status).toBe(403);
    // Sign-in pages send the request without a token, and get no details.
    const shownTo = async (by?: string) =>
      (await call('GET', 'sys/internal/ui/mounts', by ? { token: by } : {})).json();
    expect(((await shownTo()) as { data: object }).data).toEqual({ secret: {}, auth: {} });
    expect(Object.keys(((await shownTo(token)) as { data: { secret: object } }).data.secret)).toEqual(['secret/']);
    expect((await call('GET', 'sys/internal/ui/mounts', { token: 'hvs.nonsense' })).status).toBe(403);
    const paths = [`secret/data/${folder}/a`, 'secret/data/elsewhere'];
    const told = await call('POST', 'sys/capabilities-self', { token, body: { paths } });
    expect(await told.json()).toMatchObject({ [paths[0] ?? '']: ['read'], [paths[1] ?? '']: ['deny'] });
  });

  test('gets Vault’s responses where Terraform, hvac, agents and operators ask for more than values', async () => {
    const folder = newFolder();
    const { vault, auth } = await loggedIn([...allOf(folder), ...allOf('kv')]);
    const token = auth.client_token;
    const ask = async (method: string, path: string, body?: unknown, headers = {}) => {
      const response = await call(method, path, { token, body, headers });
      const text = await response.text();
      return { status: response.status, body: text ? JSON.parse(text) : undefined };
    };
    const [data, subkeys, metadata] = ['data', 'subkeys', 'metadata'].map((kind) => `secret/${kind}/${folder}/a`);
    if (!data || !subkeys || !metadata) throw new Error('no paths');
    await ask('POST', metadata, { delete_version_after: 3725, custom_metadata: { team: 'shop', gone: null } });
    const written = await ask('POST', data, { data: { user: 'shop', db: { host: 'a', list: [1] }, none: {} } });
    expect(written.body.data.deletion_time).toMatch(/^20/);
    expect((await ask('GET', metadata)).body.data).toMatchObject({
      ...{ delete_version_after: '1h2m5s', custom_metadata: { team: 'shop' } },
    });
    const keys = { user: null, db: { host: null, list: null }, none: {} };
    expect((await ask('GET', subkeys)).body.data).toMatchObject({ subkeys: keys, metadata: { version: 1 } });
    expect((await ask('GET', `${subkeys}?depth=1`)).body.data.subkeys).toEqual({ user: null, db: null, none: null });
    expect((await ask('GET', 'secret/subkeys/elsewhere')).status).toBe(403);
    const reads = (await latchkey.auditEvents('secret.read')).filter(({ target_id }) => target_id === `${folder}/a`);
    expect(reads.at(-1)?.details).toMatchObject({ reason: 'subkeys', version: 1 });
    await ask('DELETE', data);
    const patch = { 'content-type': 'application/merge-patch+json' };
    expect(await ask('PATCH', data, { data: { user: 'x' } }, patch)).toMatchObject({
      ...{ status: 404, body: { data: { data: null, metadata: { version: 1 } } } },
    });
    expect(await ask('GET', subkeys)).toMatchObject({ status: 404, body: { data: { subkeys: null } } });

    const config = { cas_required: false, delete_version_after: '0s', max_versions: 10 };
    expect((await ask('GET', 'secret/config')).body.data).toEqual(config);
    // The settings of all new secrets need the permission for all.
    expect((await ask('POST', 'secret/config', { max_versions: 3 })).status).toBe(403);
    expect((await ask('GET', 'sys/mounts/secret')).body).toMatchObject({
      type: 'kv',
      data: { options: { version: '2' } },
    });
    expect((await ask('GET', 'sys/mounts/kv/tune')).body).toMatchObject({
      max_lease_ttl: 0,
      data: { options: { version: '1' } },
    });
    for (const [path, words] of [
      ['secret', 'path is already in use at secret/'],
      ['team', 'there are no others'],
    ])
      expect(await ask('POST', `sys/mounts/${path}`, { type: 'kv' })).toMatchObject({
        ...{ status: 400, body: { errors: [expect.stringContaining(words ?? '')] } },
      });
    // Clients write settings as they read them: what would change is refused.
    const same = { default_lease_ttl: '0s', max_lease_ttl: '0s', options: { version: '2' }, description: '' };
    for (const [method, path, body, status, words] of [
      ['GET', 'sys/mounts/team', undefined, 400, 'No secret engine mount at team/'],
      ['GET', 'sys/mounts/team/kv/tune', undefined, 400, 'No secret engine mount at team/kv/'],
      ['POST', 'sys/mounts/secret/tune', same, 204],
      ['POST', 'sys/mounts/secret/tune', { ...same, max_lease_ttl: '768h' }, 400, 'max_lease_ttl cannot be changed'],
      ['POST', 'sys/mounts/kv/tune', { options: { version: '2' } }, 400, 'options cannot be changed'],
      ['DELETE', 'sys/mounts/secret', undefined, 400, 'delete its secrets'],
      ['DELETE', 'sys/mounts/team', undefined, 204],
      ['POST', 'sys/remount', { from: 'secret', to: 'team' }, 400, 'cannot be moved'],
      ['GET', 'sys/auth/userpass', undefined, 400, 'No auth engine at userpass/'],
      ['GET', 'sys/auth/team/jwt/tune', undefined, 400, 'No auth engine at team/jwt/'],
      ['GET', 'sys/auth/jwt/tune', undefined, 200],
      ['POST', 'sys/auth/jwt/tune', {}, 403],
      ['DELETE', 'sys/auth/jwt', undefined, 403],
      ['PATCH', 'sys/auth/jwt', {}, 415],
      ['LIST', 'sys/auth/jwt', undefined, 405],
    ] as const) {
      const told = await ask(method, path, body);
      expect([path, told.status]).toEqual([path, status]);
      if (words) expect(told.body.errors).toEqual([expect.stringContaining(words)]);
    }
    expect((await ask('PUT', 'sys/leases/revoke-prefix/database/creds/x')).status).toBe(204);
    expect((await ask('LIST', 'sys/leases/lookup/database/')).status).toBe(404);
    const paths = ['auth/token/lookup-self', 'auth/token/renew-self'];
    expect((await ask('POST', 'sys/capabilities-self', { paths })).body.data).toMatchObject({
      ...{ 'auth/token/lookup-self': ['read'], 'auth/token/renew-self': ['update'] },
    });

    await ask('POST', `kv/${folder}`, { password: 'x', ttl: '30m' });
    expect((await ask('GET', `kv/${folder}`)).body.lease_duration).toBe(1800);
    for (const name of ['b', 'c', 'd']) await ask('POST', `secret/data/${folder}/${name}`, { data: { name } });
    const page = async (query: string) => (await ask('LIST', `secret/metadata/${folder}?${query}`)).body.data?.keys;
    expect([await page('limit=2'), await page('after=b&limit=1'), await page('after=d')]).toEqual([
      ...[['a', 'b'], ['c'], undefined],
    ]);
    await vault.tokenRevokeSelf();
    // This tells Vault's agent to log in again.
    const ended = { status: 403, body: { errors: ['permission denied', 'invalid token'] } };
    expect(await ask('GET', `secret/data/${folder}/b`)).toEqual(ended);
  });

  test('reads as much as a value needs, and no more where there is none', async () => {
    const folder = newFolder();
    const { auth } = await loggedIn(allOf(folder));
    const send = async (path: string, body: unknown, token = auth.client_token) =>
      (await call('POST', path, { token, body })).status;
    const large = { data: { text: 'x'.repeat(1_000_000) } };
    expect(await send(`secret/data/${folder}/a`, large)).toBe(200);
    expect(await send('auth/approle/login', { ...large, role_id: 'a', secret_id: 'b' }, '')).toBe(413);
    expect(await send('sys/capabilities-self', { paths: Array(20_000).fill('secret/data/a') })).toBe(413);
    const list = (length: number) => ({ data: { list: Array(length).fill(0) } });
    expect(await send(`secret/data/${folder}/a`, list(19_000))).toBe(200);
    expect(await send(`secret/data/${folder}/a`, list(20_001))).toBe(400);
    expect(await send(`secret/data/${folder}/a`, `{"data":{"a":${'['.repeat(201)}`)).toBe(400);
    const policies = Array.from({ length: 101 }, (_, n) => `policy-${n}`);
    const refused = await call('POST', 'auth/token/create', { token: auth.client_token, body: { policies } });
    expect(await refused.json()).toEqual({ errors: ['policies has at most 100 policies'] });
  });

  test('logs in with the token of a workload, at the trust that the role names', async () => {
    const folder = newFolder();
    const issuer = await ForeignIssuer.named(`https://${crypto.randomUUID()}.example`, { alg: 'ES256' });
    const input = (name: string, namespace: string, permissions: string[]) => ({
      ...{ name, issuer: issuer.issuer, jwks: { keys: issuer.keys } },
      conditions: [{ claim: 'sub', prefix: `system:serviceaccount:${namespace}` }],
      permissions: { [`${latchkey.issuer}/v1`]: permissions },
    });
    const shop = `shop-${folder}`;
    const made = await owner.post('/trusts', input(shop, 'shop', allOf(folder)));
    expect(made.status).toBe(201);
    await owner.post('/trusts', input(`bank-${folder}`, 'bank', [`secrets:read:${folder}:*`]));
    const jwt = await issuer.sign({ sub: 'system:serviceaccount:shop:orders', aud: latchkey.issuer });
    const vault = vaultAt();
    const { auth } = await vault.kubernetesLogin({ role: shop, jwt, mount_point: 'kubernetes' } as never);
    expect(auth.metadata).toEqual({
      ...{ role: shop, service_account_namespace: 'shop', service_account_name: 'orders' },
    });
    await vault.write(`secret/data/${folder}/a`, { data: { n: 1 } });
    expect((await vault.read(`secret/data/${folder}/a`)).data.data).toEqual({ n: 1 });

    const byJwt = vaultAt();
    const answered = await call('POST', 'auth/jwt/login', { body: { role: shop, jwt } });
    byJwt.token = ((await answered.json()) as { auth: { client_token: string } }).auth.client_token;
    expect((await byJwt.read(`secret/data/${folder}/a`)).data.data).toEqual({ n: 1 });
    for (const wrong of [`bank-${folder}`, 'unknown']) {
      const refused = await call('POST', 'auth/kubernetes/login', { body: { role: wrong, jwt } });
      expect([refused.status, await refused.json()]).toEqual([403, { errors: ['permission denied'] }]);
    }
    const forged = await issuer.sign({ sub: 'system:serviceaccount:shop:orders', aud: 'https://other.example' });
    expect((await call('POST', 'auth/jwt/login', { body: { role: shop, jwt: forged } })).status).toBe(403);

    await owner.post(`/trusts/${made.body.id}/disable`);
    expect(await statusOf(vault.read(`secret/data/${folder}/a`))).toBe(403);
    expect(await statusOf(vaultAt(auth.client_token, other.address).tokenLookupSelf())).not.toBe(200);
  });

  test('gets Vault’s response when the secrets are sealed', async () => {
    const { vault } = await loggedIn(['secrets:read:*']);
    await owner.post('/vault/seal');
    const refused = await refusalOf(vault.read('secret/data/anything'));
    expect(refused.response).toMatchObject({ statusCode: 503, body: { errors: ['Vault is sealed'] } });
    expect(await vault.status()).toMatchObject({ sealed: true });
    expect((await call('GET', 'sys/health')).status).toBe(503);
    expect((await call('HEAD', 'sys/health?sealedcode=204')).status).toBe(204);
    await owner.post('/vault/unseal');
    expect(await statusOf(vault.read('secret/data/anything'))).toBe(404);
  });
});

describe('the calls of well-known clients, as their sources make them', () => {
  type Told = { status: number; body: Record<'data' | 'auth', Record<string, unknown>> & { version?: string } };
  const at = async (token: string, method: string, path: string, body?: unknown, headers = {}): Promise<Told> => {
    const sent = { 'x-vault-request': 'true', ...headers };
    const response = await call(method, path, { token, body, headers: sent });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : {} };
  };

  test('Terraform’s provider starts with a child token, and reads back what it wrote', async () => {
    const folder = newFolder();
    const policy = `policy-${folder}`;
    const { auth } = await loggedIn([...allOf(folder), 'secrets:policies', 'secrets:roles']);
    // internal/provider/meta.go: setClient, createChildToken, getVaultVersion.
    const looked = await at(auth.client_token, 'GET', 'auth/token/lookup-self');
    expect(looked.body.data).toMatchObject({ ttl: expect.any(Number), policies: expect.any(Array) });
    const made = await at(auth.client_token, 'POST', 'auth/token/create', {
      ...{ display_name: 'terraform', ttl: '1200s', explicit_max_ttl: '1200s', renewable: false, num_uses: 0 },
    });
    expect(made.body.auth).toMatchObject({ lease_duration: 1200, renewable: false, policies: expect.any(Array) });
    const token = String(made.body.auth.client_token);
    const { version } = (await at(token, 'GET', 'sys/seal-status')).body;
    // It fails if this is not a semantic version, and compares it with 1.9 and later ones.
    expect(version).toMatch(/^1\.17\.0\+latchkey-\d+\.\d+\.\d+$/);
    expect((await at('', 'GET', 'sys/health')).body).toMatchObject({ version, enterprise: false });

    // vault/resource_policy.go, resource_auth_backend.go, resource_approle_auth_backend_role.go.
    const rules = `path "secret/data/${folder}/*" {\n  capabilities = ["read"]\n}\n`;
    expect((await at(token, 'GET', `sys/policies/acl/${policy}`)).status).toBe(404);
    expect((await at(token, 'PUT', `sys/policies/acl/${policy}`, { policy: rules })).status).toBe(204);
    expect((await at(token, 'GET', `sys/policies/acl/${policy}`)).body.data.policy).toBe(rules);
    const backend = { type: 'approle', description: '', config: {}, local: false };
    expect((await at(token, 'POST', 'sys/auth/approle', backend)).status).toBe(204);
    expect((await at(token, 'GET', 'sys/auth/approle')).body.data).toMatchObject({
      ...{ type: 'approle', description: '', local: false, accessor: expect.any(String) },
    });
    const tune = 'sys/mounts/auth/approle/tune';
    const read = (await at(token, 'GET', tune)).body.data;
    expect(
      (await at(token, 'POST', tune, { ...read, default_lease_ttl: '1h', audit_non_hmac_request_keys: [] })).status,
    ).toBe(204);
    expect(await at(token, 'POST', tune, { default_lease_ttl: '10m' })).toMatchObject({
      ...{ status: 400, body: { errors: [expect.stringContaining('token_ttl')] } },
    });
    expect((await at(token, 'GET', 'auth/approle/role/login')).status).toBe(404);
    expect((await at(token, 'PUT', 'auth/approle/role/login', { token_policies: [policy] })).status).toBe(204);
    expect((await at(token, 'DELETE', 'auth/approle/role/login')).status).toBe(204);
    const limited = { ...backend, config: { max_lease_ttl: '10m' } };
    expect((await at(token, 'POST', 'sys/auth/approle', limited)).status).toBe(400);
    expect(await at(token, 'DELETE', 'sys/auth/approle')).toMatchObject({
      ...{ status: 400, body: { errors: [expect.stringContaining('delete its roles')] } },
    });
    expect((await at(token, 'DELETE', 'sys/auth/userpass')).status).toBe(204);
    const role = `auth/approle/role/tf-${folder}`;
    const settings = { token_policies: [policy], token_no_default_policy: false, token_type: 'default' };
    const more = { bind_secret_id: true, local_secret_ids: false, token_ttl: 600 };
    expect((await at(token, 'PUT', role, { ...settings, ...more })).status).toBe(204);
    expect((await at(token, 'GET', role)).body.data).toMatchObject({
      ...{ token_policies: [policy], token_type: 'default', bind_secret_id: true, token_ttl: 600 },
    });
    const { body: secret } = await at(token, 'PUT', `${role}/secret-id`, { metadata: '' });
    const lookup = { secret_id_accessor: secret.data.secret_id_accessor };
    expect((await at(token, 'PUT', `${role}/secret-id-accessor/lookup`, lookup)).body.data).toMatchObject({
      ...{ cidr_list: [], token_bound_cidrs: [], metadata: {}, secret_id_num_uses: 0 },
    });

    // vault/resource_kv_secret_v2.go: the options are empty, and the time to live is in the format of Go.
    const data = `secret/data/${folder}/tf`;
    const written = { data: { password: 'x' }, cas: 0, options: {} };
    expect((await at(token, 'PUT', data, written)).status).toBe(200);
    await at(token, 'PUT', `secret/metadata/${folder}/tf`, { max_versions: 5, delete_version_after: 0 });
    expect((await at(token, 'GET', data)).body.data.metadata).toMatchObject({ version: 1, custom_metadata: null });
    expect((await at(token, 'GET', `secret/metadata/${folder}/tf`)).body.data).toMatchObject({
      ...{ max_versions: 5, delete_version_after: '0s' },
    });
    expect((await at(token, 'DELETE', `secret/metadata/${folder}/tf`)).status).toBe(204);
    expect((await at(token, 'GET', data)).status).toBe(404);
  });

  test('agents and operators in Kubernetes, CI and Java log in, renew, read and revoke', async () => {
    const folder = newFolder();
    const { auth, vault, ...credentials } = await loggedIn(allOf(folder));
    await vault.write(`secret/data/${folder}/app`, { data: { a: '1' } });
    const logIn = (headers = {}) => at('', 'PUT', 'auth/approle/login', credentials, headers);
    // vault-action sends its empty namespace; Spring and agents send none.
    const token = String((await logIn({ 'x-vault-namespace': '' })).body.auth.client_token);
    // Vault Secrets Operator and agents (api.LifetimeWatcher): a body of null, or an increment; the response replaces the login.
    for (const [method, body] of [
      ['PUT', 'null'],
      ['PUT', { increment: 0 }],
      ['POST', undefined],
    ] as const)
      expect((await at(token, method, 'auth/token/renew-self', body)).body.auth).toMatchObject({
        ...{ client_token: token, renewable: true, lease_duration: 3600, token_type: 'service' },
        ...{ accessor: expect.any(String), metadata: expect.any(Object), policies: expect.any(Array) },
      });
    // External Secrets Operator (providers/v1/vault/auth.go: checkToken).
    expect((await at(token, 'GET', 'auth/token/lookup-self')).body.data).toMatchObject({
      ...{ type: 'service', ttl: expect.any(Number), expire_time: expect.stringMatching(/^\d{4}-.*Z$/) },
      ...{ renewable: true, creation_ttl: expect.any(Number), id: token },
    });
    // consul-template (dependency/vault_common.go: isKVv2), for values and for lists.
    for (const path of [`secret/${folder}/app`, 'secret', 'secret/'])
      expect((await at(token, 'GET', `sys/internal/ui/mounts/${path}`)).body.data).toMatchObject({
        ...{ path: 'secret/', type: 'kv', options: { version: '2' } },
      });
    expect((await at(token, 'GET', `secret/metadata/${folder}/?list=true`)).body.data.keys).toEqual(['app']);
    // Spring Cloud Vault reads optional paths, and treats 404 as empty.
    expect((await at(token, 'GET', `secret/data/${folder}/app/production`)).status).toBe(404);
    expect((await at(token, 'PUT', 'auth/token/revoke-self', 'null')).status).toBe(204);
    expect((await at(token, 'GET', `secret/data/${folder}/app`)).status).toBe(403);
  });
});

describe('what Vault’s clients compare', () => {
  test('is exactly the same: content type, envelope, errors and statuses', async () => {
    const folder = newFolder();
    const { auth } = await loggedIn(allOf(folder));
    const token = auth.client_token;
    const path = `secret/data/${folder}/a`;
    const written = await call('PUT', path, {
      token,
      body: { data: { a: 1 } },
      headers: { 'content-type': 'text/plain' },
    });
    expect(written.status).toBe(200);
    expect(written.headers.get('content-type')).toBe('application/json');
    expect(written.headers.get('cache-control')).toBe('no-store');
    expect(Object.keys((await written.json()) as object).sort()).toEqual([
      'auth',
      'data',
      'lease_duration',
      'lease_id',
      'renewable',
      'request_id',
      'warnings',
      'wrap_info',
    ]);
    expect((await call('GET', path, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    const cases: [Promise<Response>, number, unknown][] = [
      [call('GET', path), 403, { errors: ['permission denied'] }],
      [call('GET', path, { token: 'hvs.nonsense' }), 403, { errors: ['permission denied'] }],
      [call('GET', 'secret/data/elsewhere', { token }), 403, { errors: ['permission denied'] }],
      [call('GET', `secret/data/${folder}/none`, { token }), 404, { errors: [] }],
      [call('POST', path, { token, body: {} }), 400, { errors: ['no data provided'] }],
      [call('POST', path, { token, body: '{' }), 400, { errors: ['error parsing JSON'] }],
      [call('PATCH', path, { token, body: { data: {} } }), 415, { errors: [expect.stringContaining('merge-patch')] }],
      [call('DELETE', `secret/destroy/${folder}/a`, { token }), 405, { errors: ['unsupported operation'] }],
      [call('GET', path, { token, headers: { 'x-vault-namespace': 'team' } }), 404, { errors: [] }],
      [call('GET', `secret/${folder}/a`, { token }), 404, { warnings: [expect.stringContaining('vault kv get')] }],
      // What `vault login` prints with methods that there are not.
      ...['auth/userpass/login/bob', 'auth/ldap/team/login/bob', 'auth/oidc/oidc/auth_url', 'auth/k8s/login'].map(
        (login): [Promise<Response>, number, unknown] => [
          call('PUT', login, { body: { password: 'x' } }),
          403,
          { errors: ['permission denied', expect.stringContaining('log in with approle, jwt or kubernetes')] },
        ],
      ),
      [
        call('POST', 'sys/wrapping/wrap', { token, body: { a: 1 } }),
        400,
        { errors: [expect.stringContaining('requires')] },
      ],
      [call('POST', 'sys/wrapping/rewrap', { token }), 400, { errors: [expect.stringContaining('wrapping token')] }],
      // A response that cannot be wrapped is not returned unwrapped.
      ...['sys/init', 'sys/rekey/update'].map((at): [Promise<Response>, number, unknown] => [
        call('PUT', at, { body: {}, headers: { 'x-vault-wrap-ttl': '60' } }),
        400,
        { errors: [expect.stringContaining('X-Vault-Wrap-TTL')] },
      ]),
      [call('GET', 'transit/keys/a', { token }), 404, { errors: [expect.stringContaining('no handler')] }],
      [call('POST', `secret/data/${folder}/a%2e%2e`, { token, body: { data: {} } }), 200, {}],
      [
        call('POST', 'auth/approle/login', { body: { role_id: 'service', secret_id: 'wrong' } }),
        400,
        { errors: ['invalid role or secret ID'] },
      ],
    ];
    for (const [answered, status, body] of cases) {
      const response = await answered;
      expect([response.url, response.status]).toEqual([response.url, status]);
      expect(await response.json()).toMatchObject(body as object);
    }
    const large = JSON.stringify({ data: { x: 'x'.repeat(5_000_000) } });
    expect((await call('POST', path, { token, body: large })).status).toBe(413);
  });

  test('also where nulls and several forms of the same value are accepted', async () => {
    const { auth } = await loggedIn(['secrets:*']);
    const token = auth.client_token;
    const renew = (increment: unknown) => call('POST', 'auth/token/renew-self', { token, body: { increment } });
    for (const [increment, seconds] of [
      [null, 3600],
      ['30m', 1800],
      ['90', 90],
      [120, 120],
    ] as const)
      expect(((await (await renew(increment)).json()) as { auth: object }).auth).toMatchObject({
        lease_duration: seconds,
      });
    expect((await renew('soon')).status).toBe(400);
    for (const list of ['1', 'true', 't'])
      expect((await call('GET', `secret/metadata?list=${list}`, { token })).status).toBe(200);
  });

  test('a read waits for the next version, and is checked again when it arrives', async () => {
    const path = `${newFolder()}/a`;
    const { auth } = await loggedIn(['secrets:*']);
    const { client_token: token } = auth;
    const write = (n: number) => call('POST', `secret/data/${path}`, { token, body: { data: { n } } });
    const waiting = (query: string, by = token) => call('GET', `secret/data/${path}?${query}`, { token: by });
    await write(1);
    expect(await (await waiting('wait=20s')).json()).toMatchObject({ data: { data: { n: 1 } } });
    expect((await waiting('wait=1&after=1')).status).toBe(204);
    expect((await waiting('wait=1h&after=1')).status).toBe(400);
    const two = (await loggedIn(['secrets:*'])).auth.client_token;
    const [stays, ends] = [waiting('wait=30&after=1'), waiting('wait=30&after=1', two)];
    const strangers = (await loggedIn(['secrets:read:none'])).auth.client_token;
    expect((await waiting('wait=30&after=1', strangers)).status).toBe(403);
    // The token is revoked while its request waits: it does not get the new version.
    await call('POST', 'auth/token/revoke-self', { token: two });
    await fetch(`${other.address}/v1/secret/data/${path}`, {
      ...{ method: 'POST', body: JSON.stringify({ data: { n: 2 } }) },
      headers: { 'x-vault-token': token, 'x-forwarded-host': new URL(latchkey.issuer).host },
    });
    expect(await (await stays).json()).toMatchObject({ data: { data: { n: 2 }, metadata: { version: 2 } } });
    expect((await ends).status).toBe(403);
    const reads = (await latchkey.auditEvents('secret.read')).filter(({ target_id }) => target_id === path);
    expect(reads.map(({ details }) => (details as { version: number }).version)).toEqual([1, 2]);
  });

  test('a read waits no longer than its token is valid, and one caller does not use all waiting slots', async () => {
    const path = `${newFolder()}/a`;
    const { vault, auth, ...credentials } = await loggedIn(['secrets:*']);
    const again = (await vaultAt().approleLogin(credentials)).auth.client_token;
    await vault.write(`secret/data/${path}`, { data: { n: 1 } });
    const ending = new AbortController();
    const waiting = (by: string, signal?: AbortSignal) => {
      const headers = { 'x-vault-token': by };
      return fetch(`${latchkey.issuer}/v1/secret/data/${path}?wait=30&after=1`, { headers, ...(signal && { signal }) });
    };
    const began = performance.now();
    const ended = waiting(again);
    const many = Array.from({ length: 249 }, () => waiting(auth.client_token, ending.signal).catch(() => undefined));
    // The limit applies to the caller: all its tokens count together.
    const refused = await eventually(
      () => waiting(auth.client_token, AbortSignal.timeout(1000)).catch(() => undefined),
      (answer) => answer !== undefined,
    );
    expect([refused?.status, refused?.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await refused?.json()).toEqual({ errors: [expect.stringContaining('250 requests')] });
    expect((await call('GET', `secret/data/${path}`, { token: auth.client_token })).status).toBe(200);
    const other = await loggedIn(['secrets:*']);
    expect((await call('GET', `secret/data/${path}?wait=1&after=1`, { token: other.auth.client_token })).status).toBe(
      204,
    );
    await call('POST', 'auth/token/revoke-self', { token: again });
    expect((await ended).status).toBe(403);
    expect(performance.now() - began).toBeLessThan(25_000);
    ending.abort();
    await Promise.all(many);
    await eventually(
      () => call('GET', `secret/data/${path}?wait=0&after=1`, { token: auth.client_token }),
      ({ status }) => status === 204,
    );
  });

  test('input that cannot be stored is refused with its field, and stored values are returned unchanged', async () => {
    const folder = newFolder();
    const { auth } = await loggedIn(['secrets:*']);
    const token = auth.client_token;
    const [data, metadata] = [`secret/data/${folder}/a`, `secret/metadata/${folder}/a`];
    const written =
      '{"data":{"__proto__":{"a":1},"n":9007199254740991,"f":1.5e3,"t":"x\\u0000y","d":"12345678901234567890"}}';
    expect((await call('POST', data, { token, body: written })).status).toBe(200);
    const { data: read } = (await (await call('GET', data, { token })).json()) as { data: { data: object } };
    expect(JSON.stringify(read.data)).toBe(JSON.stringify(JSON.parse(written).data));
    const nested = (levels: number) => `{"data":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`;
    expect((await call('POST', data, { token, body: nested(99) })).status).toBe(200);
    expect((await call('GET', `secret/subkeys/${folder}/a`, { token })).status).toBe(200);
    const huge = 10 ** 12;
    const cases: [method: string, path: string, body: unknown, why: string][] = [
      ['POST', data, nested(100_000), 'levels'],
      ['POST', data, '{"data":{"n":12345678901234567890}}', 'send it as a string'],
      ['POST', data, '{"data":{"n":1e400}}', 'send it as a string'],
      ['POST', data, { data: { 'a\0': 'b' } }, 'control characters'],
      ['POST', data, { data: { a: 1 }, options: { cas: huge } }, '"cas"'],
      ['GET', `${data}?version=${huge}`, undefined, '"version"'],
      ['PUT', `secret/destroy/${folder}/a`, { versions: [huge] }, 'version'],
      ['POST', 'auth/token/create', { num_uses: huge }, '"num_uses"'],
      ['POST', 'auth/token/create', { display_name: 'a\0' }, '"display_name"'],
      ['POST', 'auth/token/create', { policies: ['a\0'] }, '"policies"'],
      ['POST', 'auth/token/create', { ttl: -5 }, 'ttl must be positive'],
      ['POST', 'auth/token/create', { ttl: '-5s' }, 'ttl must be positive'],
      ['POST', 'auth/token/renew-self', { increment: -5 }, 'increment must be positive'],
      ['POST', 'auth/token/lookup-accessor', { accessor: 'a\0' }, '"accessor"'],
      ['POST', 'auth/jwt/login', { role: 'a\0', jwt: 'x.y.z' }, '"role"'],
      ['POST', 'auth/approle/role/none', { secret_id_num_uses: huge }, '"secret_id_num_uses"'],
      ['PUT', 'sys/policies/acl/x', { policy: '# \0' }, '"policy"'],
    ];
    for (const [method, path, body, why] of cases) {
      const refused = await call(method, path, { token, body });
      expect([why, refused.status, await refused.json()]).toEqual([
        ...[why, 400],
        { errors: [expect.stringContaining(why)] },
      ]);
    }
    const secret = `/secrets/${encodeURIComponent(`${folder}/a`)}`;
    const refusals = await Promise.all([
      owner.get(`${secret}/value?version=${huge}`),
      owner.post(`${secret}/rollback`, { version: huge }),
      owner.post(`${secret}/versions`, { data: { n: 2 ** 60 } }),
      owner.post(`${secret}/versions/${huge}/destroy`),
    ]);
    expect(refusals.map(({ status }) => status)).toEqual([400, 400, 400, 404]);
    const lasting = async (delete_version_after: unknown) => {
      await call('POST', metadata, { token, body: { delete_version_after } });
      const found = (await (await call('GET', metadata, { token })).json()) as { data: Record<string, string> };
      return found.data.delete_version_after;
    };
    expect(await lasting('999999999999h')).toBe('596523h14m7s');
    expect(await lasting('-1s')).toBe('0s');
    const longest = await call('POST', 'auth/token/create', { token, body: { ttl: '99999999999h' } });
    expect(longest.status).toBe(200);
  });

  test('events name a value by a hash that only some may request', async () => {
    const path = `${newFolder()}/a`;
    const { auth } = await loggedIn(['secrets:*']);
    const token = auth.client_token;
    await call('POST', `secret/data/${path}`, { token, body: { data: { password: 'a value' } } });
    const answered = await call('PUT', 'sys/audit-hash/latchkey', { token, body: { input: 'a value' } });
    const { hash } = (await answered.json()) as { hash: string };
    const written = (await latchkey.auditEvents('secret.written')).find(({ target_id }) => target_id === path);
    expect(written?.details).toMatchObject({ values: { password: hash } });
    expect(await (await call('GET', 'sys/audit', { token })).json()).toMatchObject({ data: { 'latchkey/': {} } });
    const reader = (await loggedIn(['secrets:read:*'])).auth.client_token;
    expect((await call('PUT', 'sys/audit-hash/latchkey', { token: reader, body: { input: 'a' } })).status).toBe(403);
    expect((await call('PUT', 'sys/audit/file', { token, body: { type: 'file' } })).status).toBe(400);
  });

  test('a path that other servers read as another one is refused', async () => {
    const { auth } = await loggedIn(['secrets:*']);
    const { hostname, port } = new URL(latchkey.issuer);
    const { request } = await import('node:http');
    const statusAt = (path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = { 'x-vault-token': auth.client_token };
        request({ host: hostname, port, path, headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    for (const path of [
      '/v1/secret/data/../../sys/mounts',
      '/v1/secret/data/a/%2e%2e/b',
      '/v1/secret/data/a%2fb',
      '/v1/secret//data',
    ])
      expect([path, await statusAt(path)]).toEqual([path, 400]);
  });
});

describe('policies', () => {
  const newName = () => `policy-${crypto.randomUUID().slice(0, 8)}`;
  const write = async (token: string, policy: string, name = newName()) => {
    const response = await call('PUT', `sys/policies/acl/${name}`, { token, body: { policy } });
    const text = await response.text();
    return { name, status: response.status, body: text ? JSON.parse(text) : undefined };
  };
  const permissionsOf = async (name: string) => {
    const { body } = await owner.get(`/roles/${name}`);
    return (body.permissions as { pattern: string }[]).map(({ pattern }) => pattern);
  };
  let token: string;
  beforeAll(async () => {
    token = (await loggedIn(['secrets:*'])).auth.client_token;
  });

  test('are written, read, listed and deleted by node-vault, and are roles', async () => {
    const vault = vaultAt(token);
    const [name, folder] = [newName(), newFolder()];
    const rules = `# reads the shop
      path "secret/data/${folder}/*" { capabilities = ["read"] }`;
    await vault.addPolicy({ name, rules });
    expect((await vault.policies()).policies).toEqual(expect.arrayContaining(['default', 'root', name]));
    expect((await vault.getPolicy({ name })).rules).toBe(rules);
    const listed = await call('LIST', 'sys/policies/acl', { token });
    expect(await listed.json()).toMatchObject({ data: { keys: expect.arrayContaining([name]) } });
    expect(await (await call('GET', `sys/policies/acl/${name}`, { token })).json()).toMatchObject({
      data: { name, policy: rules },
    });
    expect(await permissionsOf(name)).toEqual([`secrets:read:${folder}:*`]);

    const { role_id, secret_id } = await role(['secrets:read:none']);
    await owner.put(`/roles/${name}/assignments/client/${role_id}`, {});
    await vault.write(`secret/data/${folder}/a`, { data: { n: 1 } });
    const reader = vaultAt();
    await reader.approleLogin({ role_id, secret_id });
    expect((await reader.read(`secret/data/${folder}/a`)).data.data).toEqual({ n: 1 });
    expect(await statusOf(reader.write(`secret/data/${folder}/a`, { data: {} }))).toBe(403);
    const asked = { kind: 'client', subject: role_id, resource: `${latchkey.issuer}/v1` };
    const question = new URLSearchParams({ ...asked, permission: `secrets:read:${folder}:a` });
    expect((await owner.get(`/explanation?${question}`)).body).toEqual({
      ...{ allowed: true, because: `The role "${name}" gives it.` },
    });

    // After a change of the role, the policy shows its present permissions.
    await owner.patch(`/roles/${name}`, {
      permissions: [{ resource: `${latchkey.issuer}/v1`, pattern: `secrets:list:${folder}:*` }],
    });
    expect((await vault.getPolicy({ name })).rules).toContain(`path "secret/metadata/${folder}/*"`);
    await vault.removePolicy({ name });
    await vault.removePolicy({ name });
    expect(await statusOf(vault.getPolicy({ name }))).toBe(404);
    expect((await owner.get(`/roles/${name}`)).status).toBe(404);
    for (const action of ['vault.policy.written', 'vault.policy.deleted'])
      expect((await latchkey.auditEvents(action)).filter(({ target_id }) => target_id === name)).toHaveLength(1);
    // As in Vault, where it has no text.
    const root = await call('GET', 'sys/policies/acl/root', { token });
    expect(await root.json()).toMatchObject({ data: { name: 'root', policy: '' } });
    expect((await call('GET', 'sys/policies/acl/default', { token })).status).toBe(200);
    expect((await write(token, rules, 'root')).status).toBe(400);
  });

  const dataAt = (path: string, ...capabilities: string[]) =>
    `path "${path}" { capabilities = ${JSON.stringify(capabilities)} }`;
  test.each<[policy: string, permissions: string[]]>([
    [
      dataAt('secret/data/app/*', 'create', 'update', 'read', 'delete', 'list'),
      ['delete:app:*', 'read:app:*', 'write:app:*'],
    ],
    [dataAt('secret/data/app/db', 'read'), ['read:app:db']],
    [dataAt('secret/data/+/db', 'read'), ['read:*:db']],
    [dataAt('secret/+/app/*', 'read', 'list'), ['list:app:*', 'read:app:*']],
    [dataAt('kv/app/*', 'read', 'list'), ['list:kv:app:*', 'read:kv:app:*']],
    [
      dataAt('*', 'create', 'read', 'update', 'delete', 'list', 'sudo'),
      ['delete:*', 'destroy:*', 'list:*', 'policies', 'policies-read', 'read:*', 'seal', 'write:*'],
    ],
    [
      `${dataAt('secret/data/app/*', 'read')}\n${dataAt('secret/data/app/x', 'read', 'delete')}`,
      ['delete:app:x', 'read:app:*', 'read:app:x'],
    ],
    [`${dataAt('secret/destroy/app/*', 'update')} ${dataAt('secret/metadata/app/*', 'delete')}`, ['destroy:app:*']],
    [`/* none */ ${dataAt('auth/token/lookup-self', 'read')} // open`, []],
    ['{"path":{"secret/data/app/*":{"capabilities":["read"]}}}', ['read:app:*']],
    [Buffer.from(dataAt('secret/data/app/b64', 'read')).toString('base64'), ['read:app:b64']],
  ])('compile to permissions: %s', async (policy, permissions) => {
    const { name, status } = await write(token, policy);
    expect([200, 204]).toContain(status);
    expect((await permissionsOf(name)).toSorted()).toEqual(permissions.map((each) => `secrets:${each}`));
  });

  test.each<[policy: string, line: number, why: string]>([
    [`${dataAt('secret/data/a', 'read')}\n${dataAt('secret/data/b', 'deny')}`, 2, 'deny'],
    [`${dataAt('secret/data/*', 'read', 'delete')}\n\n${dataAt('secret/data/prod/*', 'read')}`, 3, 'line 1'],
    [dataAt('secret/data/app*', 'read'), 1, 'whole names'],
    [dataAt('secret/data/app/+', 'read'), 1, '"+" at the end'],
    [dataAt('secret/data/app', 'create'), 1, '"update"'],
    [dataAt('secret/metadata/app/*', 'update'), 1, 'secret/data/app/*'],
    [dataAt('secret/metadata/', 'list'), 1, 'secret/metadata/*'],
    [dataAt('transit/keys/*', 'read'), 1, 'transit/keys/*'],
    [dataAt('auth/approle/role/shop/secret-id', 'update'), 1, '"secrets:roles"'],
    [dataAt('secret/data/{{identity.entity.id}}/*', 'read'), 1, 'templates'],
    [dataAt('secret/data/a', 'fly'), 1, 'invalid capability'],
    ['path "secret/data/a" {\n capabilities = ["read"]\n allowed_parameters = { }\n}', 3, 'allowed_parameters'],
    ['path "secret/data/a" {\n policy = "write"\n}', 2, '"policy"'],
    ['path "secret/data/a" {\n capabilities = ["read"\n', 3, 'expected'],
    ['{"path":\n{"secret/data/a":\n{"capabilities":["read"],"min_wrapping_ttl":1}}}', 3, 'min_wrapping_ttl'],
    ['{"path":\n{', 2, 'JSON'],
  ])('that permissions cannot express are refused by the line: %s', async (policy, line, why) => {
    const { name, status, body } = await write(token, policy);
    expect([status, body.errors]).toEqual([400, [expect.stringContaining(`line ${line}: `)]]);
    expect(body.errors[0]).toContain(why);
    expect((await owner.get(`/roles/${name}`)).status).toBe(404);
  });

  test('grant nothing that their author lacks, whatever the client has', async () => {
    const folder = newFolder();
    const own = `secrets:read:${folder}:*`;
    const { auth, role_id, secret_id } = await loggedIn([own, 'secrets:policies']);
    const allowed = await write(auth.client_token, dataAt(`secret/data/${folder}/a/*`, 'read'));
    expect(allowed.status).toBe(204);
    for (const path of ['secret/data/*', `secret/metadata/${folder}/*`, 'secret/data/elsewhere'])
      expect(await write(auth.client_token, dataAt(path, 'read', 'list'))).toMatchObject({
        status: 403,
        body: { errors: ['permission denied', expect.stringContaining('do not hold')] },
      });
    const wide = await write(token, dataAt('secret/data/*', 'read'));
    expect((await write(auth.client_token, dataAt(`secret/data/${folder}/b`, 'read'), wide.name)).status).toBe(403);
    expect((await call('DELETE', `sys/policy/${wide.name}`, { token: auth.client_token })).status).toBe(403);
    // A token with fewer permissions than its client grants only its own.
    const narrow = await latchkey.post('/oauth/token', {
      ...{ grant_type: 'client_credentials', resource: `${latchkey.issuer}/v1`, scope: 'secrets:policies' },
      ...{ client_id: role_id, client_secret: secret_id },
    });
    const byNarrow = await write(String(narrow.body.access_token), dataAt(`secret/data/${folder}/c`, 'read'));
    expect(byNarrow.status).toBe(403);
    const reader = (await loggedIn(['secrets:read:*', 'secrets:policies-read'])).auth.client_token;
    expect((await write(reader, dataAt('secret/data/a', 'read'))).status).toBe(403);
    expect((await call('GET', `sys/policies/acl/${wide.name}`, { token: reader })).status).toBe(200);
    const nothing = (await loggedIn(['secrets:read:*'])).auth.client_token;
    expect((await call('GET', `sys/policies/acl/${wide.name}`, { token: nothing })).status).toBe(403);
    const told = await call('POST', 'sys/capabilities', {
      token,
      body: { token: reader, paths: ['sys/policies/acl/x'] },
    });
    expect(await told.json()).toMatchObject({ 'sys/policies/acl/x': ['list', 'read'] });
    // The built-in roles cannot be changed.
    expect((await write(token, dataAt('secret/data/a', 'read'), 'auditor')).status).toBe(400);
  });
});

describe('access', () => {
  test('is refused to a revoked token, client or key from the next request on, on every node', async () => {
    const folder = newFolder();
    const path = `secret/data/${folder}/a`;
    const first = await loggedIn(allOf(folder));
    await first.vault.write(path, { data: { n: 1 } });
    const readsOf = async (token: string) =>
      Promise.all(
        [latchkey.issuer, other.address].map(async (node) => {
          const headers = { 'x-vault-token': token, 'x-forwarded-host': new URL(latchkey.issuer).host };
          return (await fetch(`${node}/v1/${path}`, { headers })).status;
        }),
      );
    expect(await readsOf(first.auth.client_token)).toEqual([200, 200]);
    await latchkey.post('/oauth/revoke', {
      token: first.auth.client_token,
      client_id: first.role_id,
      client_secret: first.secret_id,
    });
    expect(await readsOf(first.auth.client_token)).toEqual([403, 403]);

    const second = await loggedIn(allOf(folder));
    expect(await readsOf(second.auth.client_token)).toEqual([200, 200]);
    await owner.post(`/clients/${second.role_id}/disable`);
    expect(await readsOf(second.auth.client_token)).toEqual([403, 403]);
    const { role_id, secret_id } = second;
    expect(await statusOf(vaultAt().approleLogin({ role_id, secret_id }))).toBe(400);

    const key = await owner.post('/api-keys', {
      ...{ name: 'vault', owner: { client_id: first.role_id }, environment: 'dev' },
      permissions: [`secrets:read:${folder}:*`],
    });
    expect(await readsOf(String(key.body.key))).toEqual([200, 200]);
    await owner.post(`/api-keys/${key.body.id}/revoke`);
    expect(await readsOf(String(key.body.key))).toEqual([403, 403]);
  });

  test('is throttled, not denied, for an API key whose limit is used up', async () => {
    const { role_id } = await loggedIn(['secrets:read:*']);
    const { body } = await owner.post('/api-keys', {
      ...{ name: 'limited', owner: { client_id: role_id }, environment: 'dev' },
      ...{ permissions: ['secrets:read:*'], restrictions: { rate_limit: '2 requests/hour' } },
    });
    const read = () => call('GET', 'secret/data/none', { token: String(body.key) });
    expect([(await read()).status, (await read()).status]).toEqual([404, 404]);
    const refused = await read();
    expect([refused.status, await refused.json()]).toEqual([429, { errors: [expect.stringContaining('used up')] }]);
  });

  test('is given to a token of the token endpoint for the store, and not to one for another API', async () => {
    const folder = newFolder();
    const credentials = await role([`secrets:read:${folder}:*`, `secrets:list:${folder}:*`]);
    const token = async (resource: string, scope: string) =>
      (
        await latchkey.post('/oauth/token', {
          ...{ grant_type: 'client_credentials', resource, scope },
          ...{ client_id: credentials.role_id, client_secret: credentials.secret_id },
        })
      ).body.access_token;
    const narrow = await token(`${latchkey.issuer}/v1`, `secrets:list:${folder}:*`);
    expect((await call('GET', `secret/data/${folder}/a`, { token: narrow })).status).toBe(403);
    expect((await call('GET', `secret/metadata/${folder}/a`, { token: narrow })).status).toBe(404);
    const looked = await call('GET', 'auth/token/lookup-self', { token: narrow });
    const { accessor } = ((await looked.json()) as { data: { accessor: string } }).data;
    expect(accessor).toMatch(/^[0-9a-f]{64}$/);
    const by = (token: string, what: string, of = accessor) =>
      call('POST', `auth/token/${what}-accessor`, { token, body: { accessor: of } });
    const keeper = (await loggedIn(['secrets:tokens'])).auth.client_token;
    const stranger = (await loggedIn(['secrets:read:*'])).auth.client_token;
    expect((await by(stranger, 'lookup')).status).toBe(403);
    for (const token of [narrow, keeper])
      expect(await (await by(token, 'lookup')).json()).toMatchObject({ data: { accessor, id: '', renewable: false } });
    // A child that it creates is its own, too; tokens for other APIs are nobody’s here.
    const child = await call('POST', 'auth/token/create', { token: narrow, body: {} });
    const { auth } = (await child.json()) as { auth: { accessor: string; client_token: string } };
    expect((await by(narrow, 'revoke', auth.accessor)).status).toBe(204);
    expect((await call('GET', 'auth/token/lookup-self', { token: auth.client_token })).status).toBe(403);
    const ofAdmin = createHash('sha256').update(owner.token).digest('hex');
    for (const what of ['lookup', 'renew', 'revoke']) expect((await by(keeper, what, ofAdmin)).status).toBe(403);
    expect((await owner.get('/roles')).status).toBe(200);
    expect((await by(keeper, 'renew')).status).toBe(400);
    expect((await by(keeper, 'revoke')).status).toBe(204);
    expect((await call('GET', 'auth/token/lookup-self', { token: narrow })).status).toBe(403);
    expect((await call('GET', 'auth/token/lookup-self', { token: owner.token })).status).toBe(403);
  });

  test('to a value is recorded in an event; equal reads at once may share one, which lists their requests', async () => {
    const folder = newFolder();
    const { vault, auth } = await loggedIn(allOf(folder));
    const stranger = (await loggedIn(allOf(folder))).auth.client_token;
    const path = `secret/data/${folder}/a`;
    await vault.write(path, { data: { n: 1 } });
    const ids: string[] = Array.from({ length: 60 }, () => crypto.randomUUID());
    const read = async (id: string, n: number) => {
      // Every third read is by another caller, every fifth of another version.
      const token = n % 3 === 0 ? stranger : auth.client_token;
      const headers = { 'x-request-id': id };
      const response = await call('GET', n % 5 === 0 ? `${path}?version=7` : path, { token, headers });
      return response.status;
    };
    const statuses = await Promise.all(ids.map(read));
    expect(statuses).toEqual(ids.map((_, n) => (n % 5 === 0 ? 404 : 200)));
    type Read = { outcome: string; request_id: string; details: { request_ids?: string[]; uses?: number } };
    const recorded = await latchkey.auditEvents('secret.read');
    const events = recorded.filter(({ target_id }) => target_id === `${folder}/a`) as Read[];
    const requestsIn = ({ request_id, details }: Read) => details.request_ids ?? [request_id];
    expect(events.flatMap(requestsIn).sort()).toEqual([...ids].sort());
    for (const event of events) {
      const numbers = requestsIn(event).map((id) => ids.indexOf(id));
      expect(event.details.uses ?? 1).toBe(numbers.length);
      expect(new Set(numbers.map((n) => `${n % 3 === 0} ${n % 5 === 0}`)).size).toBe(1);
      expect(event.outcome).toBe((numbers[0] ?? 0) % 5 === 0 ? 'failure' : 'success');
    }
    expect(Math.max(...events.map(requestsIn).map(({ length }) => length))).toBeGreaterThan(1);
    // Each of its requests finds the event, and consumers are counted by reads.
    const shared = events.map(requestsIn).find(({ length }) => length > 1)?.[1];
    const found = (await owner.get(`/audit/events?request_id=${shared}`)).body.items as { action: string }[];
    expect(found.map(({ action }) => action)).toEqual(['secret.read']);
    const { items } = (await owner.get(`/secrets/${encodeURIComponent(`${folder}/a`)}/consumers`)).body as {
      items: { reads: number }[];
    };
    expect(items.reduce((sum, { reads }) => sum + reads, 0)).toBe(statuses.filter((status) => status === 200).length);
  });
});

describe('a child token', () => {
  const create = async (token: string, body: object) => {
    const response = await call('POST', 'auth/token/create', { token, body });
    return {
      status: response.status,
      body: (await response.json()) as { auth: Record<string, never>; errors: string[] },
    };
  };
  /** The Vault client would switch to the token that it creates; here it keeps its own. */
  const madeBy = async (vault: ReturnType<typeof vaultAt>, body: object) => {
    const { token } = vault;
    const made = await vault.tokenCreate(body);
    vault.token = token;
    return made;
  };
  const isGood = async (token: string) => (await call('GET', 'auth/token/lookup-self', { token })).status === 200;

  test('may do no more than its parent, expires with it, and not later', async () => {
    const folder = newFolder();
    const { vault, auth } = await loggedIn(allOf(folder));
    await vault.write(`secret/data/${folder}/a`, { data: { n: 1 } });
    const made = await madeBy(vault, {
      policies: [`secrets:read:${folder}:*`],
      ttl: '10m',
      display_name: 'job',
      meta: { n: '1' },
    });
    expect(made.auth).toMatchObject({
      ...{ orphan: false, renewable: true, lease_duration: 600, num_uses: 0, metadata: { n: '1' } },
      policies: ['default', `secrets:read:${folder}:*`],
    });
    const child = vaultAt(made.auth.client_token);
    expect((await child.read(`secret/data/${folder}/a`)).data.data).toEqual({ n: 1 });
    expect(await statusOf(child.write(`secret/data/${folder}/a`, { data: {} }))).toBe(403);
    expect((await child.tokenLookupSelf()).data).toMatchObject({
      orphan: false,
      path: 'auth/token/create',
      display_name: 'token-job',
    });
    const grandchild = await madeBy(child, {});
    expect(await statusOf(vaultAt(grandchild.auth.client_token).write(`secret/data/${folder}/a`, { data: {} }))).toBe(
      403,
    );
    expect(await statusOf(madeBy(child, { policies: [`secrets:write:${folder}:*`] }))).toBe(400);
    const longer = await madeBy(child, { ttl: '5h' });
    expect(longer.auth.lease_duration).toBeLessThanOrEqual(600);
    const renewed = await vaultAt(longer.auth.client_token).tokenRenewSelf({ increment: '5h' });
    expect(renewed.auth.lease_duration).toBeLessThanOrEqual(600);
    // Renewing the parent for a shorter time also shortens its children.
    await child.tokenRenewSelf({ increment: 60 });
    expect((await vaultAt(longer.auth.client_token).tokenLookupSelf()).data.ttl).toBeLessThanOrEqual(60);
    await vault.tokenRevokeSelf();
    for (const token of [auth, made.auth, grandchild.auth, longer.auth].map(({ client_token }) => client_token)) {
      expect(await isGood(token)).toBe(false);
      const headers = { 'x-vault-token': token, 'x-forwarded-host': new URL(latchkey.issuer).host };
      expect((await fetch(`${other.address}/v1/secret/data/${folder}/a`, { headers })).status).toBe(403);
    }
  });

  test('is revoked with its parent in any way, and with its client', async () => {
    const first = await loggedIn(['secrets:read:*']);
    const { auth } = await madeBy(first.vault, {});
    const { role_id: client_id, secret_id: client_secret } = first;
    await latchkey.post('/oauth/revoke', { token: first.auth.client_token, client_id, client_secret });
    expect(await isGood(auth.client_token)).toBe(false);
    const second = await loggedIn(['secrets:read:*']);
    const { auth: other } = await madeBy(second.vault, {});
    await owner.post(`/clients/${second.role_id}/disable`);
    expect(await isGood(other.client_token)).toBe(false);
  });

  test('is refused with fields that would be ignored', async () => {
    const { auth } = await loggedIn(['secrets:read:*']);
    for (const [body, why] of [
      [{ policies: ['root'] }, 'root'],
      [{ policies: ['unknown'] }, 'unknown'],
      [{ type: 'batch' }, 'batch'],
      [{ period: '1h' }, 'period'],
      [{ bound_cidrs: ['nowhere'] }, 'nowhere'],
    ] as const)
      expect(await create(auth.client_token, body)).toMatchObject({
        status: 400,
        body: { errors: [expect.stringContaining(why)] },
      });
    const nulls = {
      policies: null,
      ttl: null,
      num_uses: null,
      meta: null,
      period: null,
      explicit_max_ttl: null,
      type: null,
    };
    expect((await create(auth.client_token, nulls)).status).toBe(200);
  });

  test('can be used as often as it states, by 30 at once, too', async () => {
    const folder = newFolder();
    const { vault, auth } = await loggedIn(allOf(folder));
    await vault.write(`secret/data/${folder}/a`, { data: { n: 1 } });
    const limited = await madeBy(vault, { num_uses: 3 });
    expect(limited.auth.num_uses).toBe(3);
    const token = limited.auth.client_token;
    const reads = await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        const headers = { 'x-vault-token': token, 'x-forwarded-host': new URL(latchkey.issuer).host };
        const node = n % 2 ? latchkey.issuer : other.address;
        return (await fetch(`${node}/v1/secret/data/${folder}/a`, { headers })).status;
      }),
    );
    // Its end may overtake a read at the other node that was counted, but not judged yet.
    const good = reads.filter((status) => status === 200).length;
    expect(good).toBeGreaterThanOrEqual(1);
    expect(good).toBeLessThanOrEqual(3);
    expect(reads.filter((status) => ![200, 403].includes(status))).toEqual([]);
    expect(await isGood(token)).toBe(false);
    const once = await madeBy(vault, { num_uses: 1 });
    expect((await create(once.auth.client_token, {})).body.errors[0]).toContain('restricted use');
    expect(await isGood(once.auth.client_token)).toBe(false);
    const elsewhere = (await create(auth.client_token, { bound_cidrs: ['203.0.113.0/24'] })).body.auth;
    expect(await isGood(elsewhere.client_token ?? '')).toBe(false);
    const here = (await create(auth.client_token, { bound_cidrs: '127.0.0.0/8,::1' })).body.auth;
    expect(await isGood(here.client_token ?? '')).toBe(true);
  });

  test('is looked up, renewed and revoked by its accessor, with the permission', async () => {
    const { vault } = await loggedIn(['secrets:read:*']);
    const { auth } = await madeBy(vault, { explicit_max_ttl: '30m' });
    const { accessor } = auth;
    const by = async (token: string, what: string, body: object = { accessor }) => {
      const response = await call('POST', `auth/token/${what}-accessor`, { token, body });
      return { status: response.status, body: response.status === 204 ? undefined : await response.json() };
    };
    const stranger = (await loggedIn(['secrets:read:*'])).auth.client_token;
    const keeper = (await loggedIn(['secrets:tokens'])).auth.client_token;
    for (const what of ['lookup', 'renew', 'revoke']) expect((await by(stranger, what)).status).toBe(403);
    for (const token of [keeper, vault.token])
      expect(await by(token, 'lookup')).toMatchObject({ status: 200, body: { data: { accessor, id: '' } } });
    const told = (token: string) =>
      call('POST', 'sys/capabilities-accessor', { token, body: { accessor, paths: ['secret/data/a', 'sys/seal'] } });
    expect(await (await told(keeper)).json()).toMatchObject({ 'secret/data/a': ['read'], 'sys/seal': ['deny'] });
    expect((await told(stranger)).status).toBe(403);
    const renewed = await by(keeper, 'renew', { accessor, increment: '10h' });
    expect(renewed.body).toMatchObject({ auth: { client_token: '', accessor } });
    expect((renewed.body as { auth: { lease_duration: number } }).auth.lease_duration).toBeLessThanOrEqual(1800);
    const listed = await call('LIST', 'auth/token/accessors', { token: keeper });
    expect(((await listed.json()) as { data: { keys: string[] } }).data.keys).toContain(accessor);
    expect((await call('LIST', 'auth/token/accessors', { token: stranger })).status).toBe(403);
    expect((await by(keeper, 'revoke')).status).toBe(204);
    expect(await isGood(auth.client_token)).toBe(false);
    expect((await by(keeper, 'lookup')).status).toBe(403);
    for (const [path, status] of [
      ['sys/leases/renew', 400],
      ['sys/leases/lookup', 400],
      ['sys/leases/revoke', 204],
      ['sys/renew', 400],
    ] as const)
      expect((await call('PUT', path, { token: vault.token, body: { lease_id: 'database/creds/x/1' } })).status).toBe(
        status,
      );
  });
});

describe('a child token of a user’s token, or of an API key', () => {
  const v1 = () => `${latchkey.issuer}/v1`;
  type Auth = { client_token: string; accessor: string; lease_duration: number; orphan: boolean };
  const create = async (token: string, body: object = {}) => {
    const response = await call('POST', 'auth/token/create', { token, body });
    const { auth, errors } = (await response.json()) as { auth: Auth; errors?: string[] };
    return { status: response.status, token: auth?.client_token ?? '', auth, errors };
  };
  const lookUp = (token: string, headers: Record<string, string> = {}) => {
    const host = new URL(latchkey.issuer).host;
    const sent = { 'x-vault-token': token, 'x-forwarded-host': host, ...headers };
    return fetch(`${other.address}/v1/auth/token/lookup-self`, { headers: sent });
  };
  const isGood = async (token: string, headers = {}) => (await lookUp(token, headers)).status === 200;
  const onBoth = async (token: string) => [
    (await call('GET', 'auth/token/lookup-self', { token })).status,
    (await lookUp(token)).status,
  ];

  /** A token for the store from a sign-in, of a user whose role has these permissions. */
  async function signedIn(permissions: string[]) {
    const name = `u-${crypto.randomUUID().slice(0, 8)}`;
    const rights = permissions.map((pattern) => ({ resource: v1(), pattern }));
    await owner.post('/roles', { name, permissions: rights });
    const user = await owner.post('/users', { username: name, email: `${name}@example.com`, password, roles: [name] });
    const client = await owner.post('/clients', {
      ...{ client_id: name, redirect_uris: [redirectUri], grant_types: ['authorization_code', 'refresh_token'] },
      ...{ scope: 'openid offline_access', resources: { [v1()]: ['secrets:*'] } },
    });
    expect([user.status, client.status]).toEqual([201, 201]);
    const options = { client_id: name, resource: v1(), scope: `openid offline_access ${permissions.join(' ')}` };
    const code = await latchkey.code({ ...options, prompt: 'consent' }, latchkey.browser(), name);
    const client_secret = String(client.body.client_secret);
    const form = { grant_type: 'authorization_code', ...code, client_secret };
    const { body } = await latchkey.post('/oauth/token', form);
    const { access_token: token, refresh_token } = body;
    return { name, token: String(token), refresh_token: String(refresh_token), client_secret };
  }

  test('of a user may do no more than the user and the parent, and expires no later', async () => {
    const folder = newFolder();
    const { name, token } = await signedIn([`secrets:read:${folder}:*`, `secrets:write:${folder}:*`]);
    const data = `secret/data/${folder}/a`;
    expect((await call('POST', data, { token, body: { data: { n: 1 } } })).status).toBe(200);
    // What Terraform’s provider sends.
    const made = await create(token, { display_name: 'terraform', ttl: '1200s', explicit_max_ttl: '1200s' });
    expect(made.auth).toMatchObject({ orphan: false, accessor: expect.stringMatching(/./), num_uses: 0 });
    expect(made.auth.lease_duration).toBeLessThanOrEqual(1200);
    const narrow = await create(made.token, { policies: [`secrets:read:${folder}:*`], ttl: '5h' });
    expect((await call('GET', data, { token: narrow.token })).status).toBe(200);
    expect((await call('POST', data, { token: narrow.token, body: { data: {} } })).status).toBe(403);
    expect(narrow.auth.lease_duration).toBeLessThanOrEqual(made.auth.lease_duration);
    const { data: own } = (await (await lookUp(token)).json()) as { data: { ttl: number } };
    const { data: longest } = (await (await lookUp((await create(token, { ttl: '23h' })).token)).json()) as {
      data: { ttl: number };
    };
    expect(longest.ttl).toBeLessThanOrEqual(own.ttl);
    const renewed = await call('POST', 'auth/token/renew-self', { token: narrow.token, body: { increment: '23h' } });
    const { auth } = (await renewed.json()) as { auth: Auth };
    expect(auth.lease_duration).toBeLessThanOrEqual(made.auth.lease_duration);
    expect((await create(token, { policies: ['secrets:destroy:*'] })).status).toBe(400);
    expect((await create(token, { policies: ['default'] })).status).toBe(400);
    expect((await create(token, { no_parent: true })).status).toBe(403);
    // It is no token of the user for anything else.
    const headers = { authorization: `Bearer ${made.token}` };
    expect((await fetch(`${latchkey.issuer}/oauth/userinfo`, { headers })).status).toBe(403);
    expect((await fetch(`${latchkey.issuer}/admin/v1/roles`, { headers })).status).toBe(401);
    const issued = await latchkey.auditEvents('access_token.issued');
    expect(issued.filter(({ details }) => (details as { client_id?: string }).client_id === name).at(-1)).toMatchObject(
      {
        ...{ actor_kind: 'user', target_kind: 'user' },
        details: { grant_type: 'child_token', audience: v1(), parent: expect.stringMatching(/^[0-9a-f]{16}$/) },
      },
    );
    // A permission that the user loses, it loses, too.
    await owner.delete(`/roles/${name}/assignments/user/${name}`);
    expect((await call('GET', data, { token: narrow.token })).status).toBe(403);
  });

  type SignedIn = Awaited<ReturnType<typeof signedIn>>;
  const revocations: [string, (given: SignedIn) => Promise<unknown>][] = [
    ['its parent', ({ token }) => call('POST', 'auth/token/revoke-self', { token })],
    ['its parent, by the admin API', ({ token }) => owner.post('/revocations', { handle: { token } })],
    ['the refresh token', ({ refresh_token }) => owner.post('/revocations', { handle: { token: refresh_token } })],
    [
      'the refresh token, by its client',
      ({ name: client_id, client_secret, refresh_token: token }) =>
        latchkey.post('/oauth/revoke', { token, client_id, client_secret }),
    ],
    ['the user', ({ name }) => owner.post('/revocations', { handle: { user: name } })],
    ['the user, disabled', ({ name }) => owner.post(`/users/${name}/disable`)],
    ['the client', ({ name }) => owner.post('/revocations', { handle: { client_id: name } })],
    ['the client, disabled', ({ name }) => owner.post(`/clients/${name}/disable`)],
    [
      'the consent',
      async ({ name }) => {
        const { body } = await owner.get(`/consents?user=${name}&client_id=${name}&standing=true`);
        return owner.post(`/consents/${body.items[0]?.consent_id}/revoke`);
      },
    ],
    [
      'the grant',
      async ({ name }) => {
        const { body } = await owner.get(`/grants?user=${name}&client_id=${name}`);
        return owner.post('/revocations', { handle: { grant_id: body.items[0]?.id } });
      },
    ],
  ];
  test.each(revocations)('of a user is revoked on every node with %s', async (_, revoke) => {
    const given = await signedIn(['secrets:read:*']);
    const child = await create(given.token);
    const grandchild = await create(child.token);
    for (const { token } of [child, grandchild]) expect(await onBoth(token)).toEqual([200, 200]);
    const answered = (await revoke(given)) as { status: number };
    expect([200, 204]).toContain(answered.status);
    for (const { token } of [child, grandchild]) expect(await onBoth(token)).toEqual([403, 403]);
  });

  /** A key of a new client or user, and the token that it creates. */
  async function keyed(permissions: string[], more: object = {}, by: object = {}) {
    const { role_id: client_id } = await role(permissions);
    const key = await owner.post('/api-keys', {
      ...{ name: 'terraform', owner: { client_id }, environment: 'dev', permissions, ...more },
    });
    expect(key.status).toBe(201);
    const value = String(key.body.key);
    return { client_id, id: String(key.body.id), key: value, child: await create(value, { ttl: '20m', ...by }) };
  }

  test('of an API key may do no more than the key, and is revoked with it and its owner', async () => {
    const folder = newFolder();
    const permissions = [`secrets:read:${folder}:*`, `secrets:write:${folder}:*`];
    const { key, child, id } = await keyed(permissions);
    expect(child.auth).toMatchObject({ lease_duration: 1200, renewable: true, accessor: expect.stringMatching(/./) });
    const data = `secret/data/${folder}/a`;
    expect((await call('POST', data, { token: child.token, body: { data: { n: 1 } } })).status).toBe(200);
    const narrow = await create(child.token, { policies: [`secrets:read:${folder}:*`] });
    expect((await call('POST', data, { token: narrow.token, body: { data: {} } })).status).toBe(403);
    expect((await call('GET', data, { token: narrow.token })).status).toBe(200);
    expect((await create(key, { policies: ['secrets:destroy:*'] })).status).toBe(400);
    expect(await create(key, { no_parent: true })).toMatchObject({ status: 403 });
    for (const token of [child.token, narrow.token]) expect(await onBoth(token)).toEqual([200, 200]);
    await owner.post(`/api-keys/${id}/disable`);
    for (const token of [child.token, narrow.token]) expect(await onBoth(token)).toEqual([403, 403]);
    await owner.post(`/api-keys/${id}/enable`);
    expect(await onBoth(child.token)).toEqual([403, 403]);
    const again = await create(key);
    expect(await onBoth(again.token)).toEqual([200, 200]);
    await owner.post(`/api-keys/${id}/revoke`);
    expect(await onBoth(again.token)).toEqual([403, 403]);

    const second = await keyed(permissions);
    await owner.post(`/clients/${second.client_id}/disable`);
    expect(await onBoth(second.child.token)).toEqual([403, 403]);
    // A key of a user; the user loses the permission.
    const { name } = await signedIn(permissions);
    const third = await keyed(permissions, { owner: { user: name } });
    expect((await call('GET', data, { token: third.child.token })).status).toBe(200);
    await owner.delete(`/roles/${name}/assignments/user/${name}`);
    await eventually(
      () => call('GET', data, { token: third.child.token }),
      ({ status }) => status === 403,
    );
    await owner.post(`/users/${name}/disable`);
    expect(await onBoth(third.child.token)).toEqual([403, 403]);
  });

  test('of an API key is used within the networks, rates and lifetime of the key', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const there = { ip_allowlist: ['192.0.2.0/24', '127.0.0.0/8', '::1'] };
    const { id, child, key } = await keyed(['secrets:read:*'], { restrictions: there });
    const below = await create(child.token);
    for (const token of [key, child.token, below.token]) {
      expect(await isGood(token, from('192.0.2.7'))).toBe(true);
      expect(await isGood(token, from('198.51.100.7'))).toBe(false);
    }
    // Restrictions that the key gets later apply, too.
    await owner.patch(`/api-keys/${id}`, { restrictions: { ip_allowlist: ['198.51.100.0/24'] } });
    await eventually(
      () => isGood(below.token, from('198.51.100.7')),
      (isIt) => isIt,
    );
    expect(await isGood(child.token, from('192.0.2.7'))).toBe(false);

    const limited = await keyed(['secrets:read:*'], { restrictions: { rate_limit: '3 requests/hour' } });
    const look = () => call('GET', 'auth/token/lookup-self', { token: limited.child.token });
    expect([(await look()).status, (await look()).status, (await look()).status]).toEqual([200, 200, 429]);

    const expires_at = new Date((latchkey.seconds + 90) * 1000).toISOString();
    const short = await keyed(['secrets:read:*'], { expires_at });
    expect(short.child.auth.lease_duration).toBeLessThanOrEqual(90);
    const body = { increment: '5h' };
    const renewed = await call('POST', 'auth/token/renew-self', { token: short.child.token, body });
    expect(((await renewed.json()) as { auth: Auth }).auth.lease_duration).toBeLessThanOrEqual(90);
    const once = await keyed(['secrets:read:*'], {}, { num_uses: 1 });
    expect([await isGood(once.child.token), await isGood(once.child.token)]).toEqual([true, false]);
  });
});

describe('a token without a parent', () => {
  const orphan = (token: string, body: object = {}) => call('POST', 'auth/token/create-orphan', { token, body });
  const authIn = async (response: Response) => ((await response.json()) as { auth: Record<string, string> }).auth;
  const look = (token = '') => call('GET', 'auth/token/lookup-self', { token });

  test('outlives the token that created it, with no more permissions, if that one has the permission', async () => {
    const folder = newFolder();
    const { vault, auth, role_id } = await loggedIn([`secrets:read:${folder}:*`, 'secrets:tokens']);
    const made = await authIn(await orphan(auth.client_token, { ttl: '5h', display_name: 'job', meta: null }));
    expect(made).toMatchObject({ orphan: true, lease_duration: 5 * 3600, renewable: true });
    // The spelling of node-vault and hvac, and the other spelling of the API.
    const { token } = vault;
    expect((await vault.tokenCreateOrphan({ policies: [`secrets:read:${folder}:*`] })).auth).toMatchObject({
      ...{ orphan: true, policies: ['default', `secrets:read:${folder}:*`] },
    });
    vault.token = token;
    const narrow = await authIn(
      await call('POST', 'auth/token/create', {
        ...{ token: auth.client_token, body: { no_parent: true, policies: [`secrets:read:${folder}:*`] } },
      }),
    );
    expect((await orphan(auth.client_token, { policies: ['secrets:write:*'] })).status).toBe(400);
    expect((await orphan(narrow.client_token ?? '')).status).toBe(403);
    const child = await authIn(await call('POST', 'auth/token/create', { token: made.client_token, body: {} }));
    await vault.tokenRevokeSelf();
    for (const each of [made, narrow, child]) expect((await look(each.client_token)).status).toBe(200);
    const { data } = (await (await look(made.client_token)).json()) as { data: object };
    expect(data).toMatchObject({ orphan: true, display_name: 'token-job', path: 'auth/token/create' });
    // It is revoked with its client, and so are its children.
    await call('POST', 'auth/token/revoke-self', { token: made.client_token });
    expect((await look(child.client_token)).status).toBe(403);
    await owner.post(`/clients/${role_id}/disable`);
    expect((await look(narrow.client_token)).status).toBe(403);
  });

  test('remains when its parent is revoked alone, with the permission', async () => {
    const { auth } = await loggedIn(['secrets:read:*']);
    const made = await authIn(await call('POST', 'auth/token/create', { token: auth.client_token, body: {} }));
    const below = await authIn(await call('POST', 'auth/token/create', { token: made.client_token, body: {} }));
    const body = { token: made.client_token };
    const revoke = (token: string) => call('POST', 'auth/token/revoke-orphan', { token, body });
    expect((await revoke(auth.client_token)).status).toBe(403);
    expect((await revoke((await loggedIn(['secrets:tokens'])).auth.client_token)).status).toBe(204);
    expect((await look(made.client_token)).status).toBe(403);
    expect(await (await look(below.client_token)).json()).toMatchObject({ data: { orphan: true } });
    await call('POST', 'auth/token/revoke-self', { token: auth.client_token });
    expect((await look(below.client_token)).status).toBe(200);
  });

  test('can be created with a role of tokens, which limits and grants nothing', async () => {
    const folder = newFolder();
    const read = `secrets:read:${folder}:*`;
    const { auth, vault } = await loggedIn([read, 'secrets:roles', 'secrets:tokens', 'secrets:policies']);
    const token = auth.client_token;
    const [name, policy] = [`Role-${folder}`, `policy-${folder}`];
    await vault.addPolicy({ name: policy, rules: `path "secret/data/${folder}/a" { capabilities = ["read"] }` });
    const settings = {
      allowed_policies: `${policy},${read}`,
      disallowed_policies: [],
      period: 0,
      token_type: 'service',
    };
    const limits = { token_num_uses: 3, token_explicit_max_ttl: '30m', path_suffix: 'job', renewable: true };
    await vault.write(`auth/token/roles/${name}`, { ...settings, ...limits, orphan: true });
    await vault.write(`auth/token/roles/${name}`, { token_bound_cidrs: ['127.0.0.0/8', '::1'], orphan: null });
    expect((await vault.read(`auth/token/roles/${name}`)).data).toMatchObject({
      ...{ name, allowed_policies: [policy, read], orphan: true, token_explicit_max_ttl: 1800, path_suffix: 'job' },
      ...{
        token_bound_cidrs: ['127.0.0.0/8', '::1'],
        token_num_uses: 3,
        token_type: 'default-service',
        token_period: 0,
      },
    });
    expect((await vault.list('auth/token/roles')).data.keys).toContain(name);
    const create = (by: string, body: object, of = name) =>
      call('POST', `auth/token/create/${of}`, { token: by, body });
    const made = await authIn(await create(token, { policies: [policy], ttl: '5h', num_uses: 9 }));
    expect(made).toMatchObject({
      ...{ orphan: true, num_uses: 3, lease_duration: 1800, policies: ['default', policy] },
    });
    expect(await (await look(made.client_token)).json()).toMatchObject({
      data: { path: `auth/token/create/${name}/job`, bound_cidrs: ['127.0.0.0/8', '::1'] },
    });
    for (const [by, body, status, why, of] of [
      [token, { policies: ['default', 'other'] }, 400, "role's allowed policies"],
      [token, { bound_cidrs: '10.0.0.0/8' }, 400, 'within those of the role'],
      [token, { num_uses: -1 }, 400, 'negative'],
      [token, {}, 400, 'unknown role', 'none'],
      [(await loggedIn([read])).auth.client_token, { policies: [read] }, 403, 'secrets:tokens'],
      [(await loggedIn(['secrets:tokens'])).auth.client_token, { policies: [policy] }, 400, 'subset of parent'],
    ] as const) {
      const refused = await create(by, body, of);
      expect([refused.status, JSON.stringify(await refused.json())]).toEqual([status, expect.stringContaining(why)]);
    }
    await vault.write(`auth/token/roles/${name}`, {
      allowed_policies: [],
      disallowed_policies: [policy],
      orphan: false,
    });
    expect((await create(token, { policies: [policy] })).status).toBe(400);
    expect((await create(token, {})).status).toBe(400);
    expect(await authIn(await create(token, { policies: [read] }))).toMatchObject({ orphan: false });
    for (const wrong of [
      { token_period: '1h' },
      { token_type: 'batch' },
      { path_suffix: '../x' },
      { token_num_uses: -1 },
    ])
      expect(await statusOf(vault.write(`auth/token/roles/${name}`, wrong))).toBe(400);
    const weak = (await loggedIn([read, 'secrets:tokens'])).vault;
    for (const attempt of [weak.read(`auth/token/roles/${name}`), weak.write(`auth/token/roles/x`, {})])
      expect(await statusOf(attempt)).toBe(403);
    await vault.delete(`auth/token/roles/${name}`);
    await vault.delete(`auth/token/roles/${name}`);
    expect(await statusOf(vault.read(`auth/token/roles/${name}`))).toBe(404);
    expect((await look(made.client_token)).status).toBe(200);
    const recorded = async (action: string) =>
      (await latchkey.auditEvents(action)).filter(({ target_id }) => target_id === name).length;
    expect([await recorded('vault.token_role.written'), await recorded('vault.token_role.deleted')]).toEqual([3, 1]);
  });

  test('needs the permission, and stays in the networks of its creator', async () => {
    const { auth } = await loggedIn(['secrets:read:*']);
    for (const path of ['create-orphan', 'create']) {
      const refused = await call('POST', `auth/token/${path}`, {
        ...{ token: auth.client_token, body: { no_parent: true } },
      });
      expect([refused.status, await refused.json()]).toEqual([
        403,
        { errors: ['permission denied', expect.stringContaining('secrets:tokens')] },
      ]);
    }
    const bound = await authIn(
      await call('POST', 'auth/token/create', {
        ...{ token: auth.client_token, body: { bound_cidrs: ['127.0.0.0/8', '::1'] } },
      }),
    );
    const widened = (bound_cidrs: string) =>
      call('POST', 'auth/token/create', { token: bound.client_token, body: { bound_cidrs } });
    const refused = await widened('0.0.0.0/0');
    expect([refused.status, await refused.json()]).toEqual([400, { errors: [expect.stringContaining('127.0.0.0/8')] }]);
    expect((await widened('127.0.0.1')).status).toBe(200);
  });
});

describe('an AppRole role that a client of Vault creates', () => {
  const newRole = () => `approle-${crypto.randomUUID().slice(0, 8)}`;
  const newPolicy = () => `policy-${crypto.randomUUID().slice(0, 8)}`;
  /** A Vault client that may create roles, and a policy that it created. */
  async function keeper() {
    const folder = newFolder();
    const policy = newPolicy();
    const { vault } = await loggedIn([...allOf(folder), 'secrets:policies', 'secrets:roles']);
    await vault.addPolicy({ name: policy, rules: `path "secret/data/${folder}/*" { capabilities = ["read"] }` });
    await vault.write(`secret/data/${folder}/a`, { data: { n: 1 } });
    return { vault, folder, policy, name: newRole() };
  }
  const logIn = async (role_id: string, secret_id: string, node = latchkey.issuer) => {
    const headers = { 'x-forwarded-host': new URL(latchkey.issuer).host };
    const body = JSON.stringify({ role_id, secret_id });
    const response = await fetch(`${node}/v1/auth/approle/login`, { method: 'POST', headers, body });
    return { status: response.status, body: (await response.json()) as { auth: { client_token: string } } };
  };

  test('grants what its policies grant, while it exists', async () => {
    const { vault, folder, policy, name } = await keeper();
    await vault.addApproleRole({ role_name: name, policies: policy, token_ttl: 600 });
    expect((await vault.getApproleRole({ role_name: name })).data).toMatchObject({
      ...{ token_policies: [policy], token_ttl: 600, secret_id_num_uses: 0, bind_secret_id: true },
    });
    expect((await vault.approleRoles()).data.keys).toContain(name);
    const { role_id } = (await vault.getApproleRoleId({ role_name: name })).data;
    const { secret_id, secret_id_accessor } = (await vault.getApproleRoleSecret({ role_name: name })).data;
    const reader = vaultAt();
    const { auth } = await reader.approleLogin({ role_id, secret_id });
    expect(auth).toMatchObject({ lease_duration: 600, metadata: { role_name: name } });
    expect((await reader.read(`secret/data/${folder}/a`)).data.data).toEqual({ n: 1 });
    expect(await statusOf(reader.write(`secret/data/${folder}/a`, { data: {} }))).toBe(403);
    // It is a secret id, not a client secret.
    const plain = { grant_type: 'client_credentials', client_id: role_id, client_secret: secret_id };
    expect((await latchkey.post('/oauth/token', plain)).status).toBe(401);
    const lookup = (await vault.approleSecretLookup({ role_name: name, secret_id })).data;
    expect(lookup).toMatchObject({ secret_id_accessor, secret_id_num_uses: 0, cidr_list: [] });
    await call('POST', `auth/approle/role/${name}/secret-id-accessor/destroy`, {
      ...{ token: vault.token, body: { secret_id_accessor } },
    });
    expect((await logIn(role_id, secret_id)).status).toBe(400);
    const third = (await vault.getApproleRoleSecret({ role_name: name })).data;
    const { body: inventory } = await owner.get(`/credentials?kind=secret_id&client_id=${name}`);
    expect(inventory.items).toEqual([
      expect.objectContaining({ kind: 'secret_id', id: third.secret_id_accessor, state: 'active', expires_at: null }),
    ]);
    expect(JSON.stringify(inventory)).not.toContain(third.secret_id);
    const revocation = { credential: { kind: 'secret_id', id: third.secret_id_accessor } };
    expect(await owner.post('/revocations', { handle: revocation })).toMatchObject({ status: 200 });
    expect((await logIn(role_id, third.secret_id)).status).toBe(400);
    const other = (await vault.getApproleRoleSecret({ role_name: name })).data.secret_id;
    expect((await logIn(role_id, other)).status).toBe(200);
    await vault.deleteApproleRole({ role_name: name });
    expect((await logIn(role_id, other)).status).toBe(400);
    expect(await statusOf(reader.read(`secret/data/${folder}/a`))).toBe(403);
    expect(await statusOf(vault.getApproleRole({ role_name: name }))).toBe(404);
    const stored = await latchkey.database.query(`select t::text as row from vault_secret_ids t
      union all select t::text from audit_events t`);
    for (const { row } of stored.rows) expect(row).not.toContain(other);
  });

  test('with a secret id of one use logs in once, with 30 requests at once on two nodes', async () => {
    const { vault, policy, name } = await keeper();
    await vault.addApproleRole({ role_name: name, policies: policy, secret_id_num_uses: 1 });
    const { secret_id, secret_id_num_uses } = (await vault.getApproleRoleSecret({ role_name: name })).data;
    expect(secret_id_num_uses).toBe(1);
    const attempts = await Promise.all(
      Array.from({ length: 30 }, (_, n) => logIn(name, secret_id, n % 2 ? latchkey.issuer : other.address)),
    );
    expect(attempts.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(attempts.filter(({ status }) => ![200, 400].includes(status))).toEqual([]);
  });

  test('limits its secret ids to networks and to a time, and its tokens, too', async () => {
    const { vault, folder, policy, name } = await keeper();
    const limits = { secret_id_ttl: '10m', token_num_uses: 1, token_max_ttl: '20m' };
    await vault.write(`auth/approle/role/${name}`, { token_policies: [policy], ...limits });
    const create = async (body: object) => {
      const path = `auth/approle/role/${name}/secret-id`;
      return (await (await call('POST', path, { token: vault.token, body })).json()) as {
        data: Record<string, string>;
      };
    };
    const { data } = await create({ ttl: '1h', num_uses: null, metadata: '{"team":"shop"}' });
    expect(data).toMatchObject({ secret_id_ttl: 600, secret_id_num_uses: 0 });
    const { auth } = (await logIn(name, data.secret_id ?? '')).body;
    expect(auth).toMatchObject({ num_uses: 1, metadata: { team: 'shop' } });
    const read = () => call('GET', `secret/data/${folder}/a`, { token: auth.client_token });
    expect([(await read()).status, (await read()).status]).toEqual([200, 403]);
    const elsewhere = await create({ cidr_list: ['203.0.113.0/24'] });
    expect((await logIn(name, elsewhere.data.secret_id ?? '')).status).toBe(400);
    const bound = await create({ token_bound_cidrs: '203.0.113.7' });
    const { client_token: token } = (await logIn(name, bound.data.secret_id ?? '')).body.auth;
    expect((await call('GET', `secret/data/${folder}/a`, { token })).status).toBe(403);
    const expiring = (await create({ ttl: 30 })).data.secret_id ?? '';
    await latchkey.advance(31);
    expect((await logIn(name, expiring)).status).toBe(400);
  });

  test('returns its secret id wrapped, to be unwrapped once', async () => {
    const { vault, policy, name } = await keeper();
    await vault.addApproleRole({ role_name: name, policies: policy });
    const path = `auth/approle/role/${name}/secret-id`;
    const headers = { 'x-vault-wrap-ttl': '60s' };
    const answer = (await (await call('POST', path, { token: vault.token, body: {}, headers })).json()) as {
      data: null;
      wrap_info: { token: string; ttl: number; creation_path: string; wrapped_accessor: string };
    };
    expect(answer).toMatchObject({ data: null, wrap_info: { ttl: 60, creation_path: path } });
    const { token } = answer.wrap_info;
    // Vault's agent uses GET; Terraform stores the accessor of the wrapped token.
    expect((await call('GET', 'sys/wrapping/lookup', { token })).status).toBe(200);
    const listed = (await vault.list(path)).data.keys as string[];
    expect(listed).toContain(answer.wrap_info.wrapped_accessor);
    const lookup = await call('POST', 'sys/wrapping/lookup', { body: { token } });
    expect(await lookup.json()).toMatchObject({ data: { creation_path: path, creation_ttl: 60 } });
    const opened = await Promise.all(Array.from({ length: 30 }, () => call('POST', 'sys/wrapping/unwrap', { token })));
    expect(opened.map(({ status }) => status).toSorted()).toEqual([200, ...Array(29).fill(400)]);
    const good = opened.filter(({ status }) => status === 200);
    const [{ data }] = (await Promise.all(good.map((each) => each.json()))) as [{ data: { secret_id: string } }];
    expect((await logIn(name, data.secret_id)).status).toBe(200);
    expect(await (await call('POST', 'sys/wrapping/unwrap', { body: { token } })).json()).toEqual({
      errors: ['wrapping token is not valid or does not exist'],
    });
    // By its accessor, with the permission, it is looked up, and revoked before anyone opens it.
    const another = (await (await call('POST', path, { token: vault.token, headers })).json()) as {
      wrap_info: { token: string; accessor: string };
    };
    const { accessor } = another.wrap_info;
    const by = (token: string, what: string) =>
      call('POST', `auth/token/${what}-accessor`, { token, body: { accessor } });
    for (const what of ['lookup', 'revoke']) expect((await by(vault.token, what)).status).toBe(403);
    const all = (await loggedIn(['secrets:tokens'])).auth.client_token;
    expect(await (await by(all, 'lookup')).json()).toMatchObject({
      data: { accessor, id: '', path, creation_ttl: 60, num_uses: 1, policies: ['response-wrapping'] },
    });
    expect([(await by(all, 'revoke')).status, (await by(all, 'revoke')).status]).toEqual([204, 403]);
    expect((await call('POST', 'sys/wrapping/unwrap', { token: another.wrap_info.token })).status).toBe(400);
    const late = (await (await call('POST', path, { token: vault.token, headers })).json()) as typeof answer;
    await latchkey.advance(61);
    expect((await call('POST', 'sys/wrapping/unwrap', { token: late.wrap_info.token })).status).toBe(400);
    expect(await latchkey.auditEvents('vault.unwrapped')).toHaveLength(1);
    expect(await latchkey.auditEvents('vault.wrapping.revoked')).toMatchObject([{ target_id: accessor }]);
  });

  test('grants nothing that its creator lacks, and takes over no other client', async () => {
    const { vault, policy, name } = await keeper();
    await vault.addApproleRole({ role_name: name, policies: policy });
    const weak = (await loggedIn(['secrets:roles'])).vault;
    const refused = await refusalOf(weak.write(`auth/approle/role/${newRole()}`, { token_policies: [policy] }));
    expect(refused.response).toMatchObject({
      statusCode: 403,
      body: { errors: ['permission denied', expect.any(String)] },
    });
    for (const attempt of [
      weak.write(`auth/approle/role/${name}/secret-id`, {}),
      weak.write(`auth/approle/role/${name}`, { token_policies: [] }),
      weak.delete(`auth/approle/role/${name}`),
    ])
      expect(await statusOf(attempt)).toBe(403);
    expect(await statusOf(vault.write('auth/approle/role/service', { token_policies: [policy] }))).toBe(400);
    expect(await statusOf(vault.write('auth/approle/role/service/secret-id', {}))).toBe(404);
    const stranger = (await loggedIn(['secrets:*:none'])).vault;
    expect(await statusOf(stranger.read(`auth/approle/role/${name}`))).toBe(403);
    expect(await statusOf(vault.write(`auth/approle/role/${newRole()}`, { bind_secret_id: false }))).toBe(400);
    expect(await statusOf(vault.write(`auth/approle/role/${name}/custom-secret-id`, { secret_id: 'chosen' }))).toBe(
      400,
    );
  });
});

describe('a role of the methods kubernetes and jwt that a client of Vault creates', () => {
  let cluster: ForeignCluster;
  let keys: ForeignIssuer;
  let root: ReturnType<typeof vaultAt>;
  const usualIssuer = 'https://kubernetes.default.svc.cluster.local';
  const reviewer = 'reviewer-token-of-the-cluster';
  beforeAll(async () => {
    cluster = await ForeignCluster.serving();
    keys = await ForeignIssuer.named(usualIssuer);
    root = (await loggedIn(['secrets:*'])).vault;
  });
  afterAll(() => cluster.close());

  const newName = (what: string) => `${what}-${crypto.randomUUID().slice(0, 8)}`;
  async function newPolicy(folder = newFolder()) {
    const policy = newName('policy');
    await root.addPolicy({ name: policy, rules: `path "secret/data/${folder}/*" { capabilities = ["read"] }` });
    await root.write(`secret/data/${folder}/a`, { data: { n: 1 } });
    return { policy, folder, path: `secret/data/${folder}/a` };
  }
  const tokenOf = (account: string, claims = {}) =>
    keys.sign({ sub: `system:serviceaccount:${account}`, aud: usualIssuer, ...claims });
  const logIn = async (method: string, body: object) => {
    const response = await call('POST', `auth/${method}/login`, { body });
    const answer = (await response.json()) as { auth: Record<string, unknown>; errors: string[] };
    return { status: response.status, ...answer };
  };
  const reader = ({ auth }: { auth: Record<string, unknown> }) => vaultAt(String(auth.client_token));
  const reviewingCluster = { token_reviewer_jwt: reviewer, issuer: usualIssuer };
  const configure = (body: object) =>
    root.write('auth/kubernetes/config', { kubernetes_host: cluster.address, ...body });
  const refusalReasons = async () => (await latchkey.auditEvents('trust.refused')).map(({ reason }) => reason);

  test('asks the cluster about each token, and grants what its policies grant', async () => {
    const { policy, path } = await newPolicy();
    const role = newName('role');
    await call('POST', 'sys/auth/kubernetes', { token: root.token, body: { type: 'kubernetes' } });
    await configure(reviewingCluster);
    expect((await root.read('auth/kubernetes/config')).data).toMatchObject({
      ...{ kubernetes_host: cluster.address, token_reviewer_jwt_set: true, issuer: usualIssuer, pem_keys: [] },
    });
    const settings = { bound_service_account_names: 'orders,mail', bound_service_account_namespaces: ['shop'] };
    const written = await root.write(`auth/kubernetes/role/${role}`, { ...settings, policies: policy, ttl: '20m' });
    expect(written.warnings).toEqual([expect.stringContaining('audience')]);
    expect((await root.read(`auth/kubernetes/role/${role}`)).data).toMatchObject({
      bound_service_account_names: ['orders', 'mail'],
      ...{ bound_service_account_namespaces: ['shop'], token_policies: [policy], token_ttl: 1200, audience: '' },
    });
    expect((await root.list('auth/kubernetes/role')).data.keys).toContain(role);

    const jwt = await tokenOf('shop:orders');
    const given = await logIn('kubernetes', { role, jwt });
    expect(given).toMatchObject({
      status: 200,
      auth: { lease_duration: 1200, metadata: { role, service_account_name: 'orders' } },
    });
    expect(cluster.asked.at(-1)).toEqual({ authorization: `Bearer ${reviewer}`, token: jwt, audiences: [usualIssuer] });
    expect((await reader(given).read(path)).data.data).toEqual({ n: 1 });
    // Only a login applies the role's limits to the token.
    const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: jwt };
    const atTokenEndpoint = await latchkey.post('/oauth/token', { ...grant, resource: `${latchkey.issuer}/v1` });
    expect([atTokenEndpoint.status, atTokenEndpoint.body.error]).toEqual([400, 'invalid_grant']);

    const before = cluster.asked.length;
    expect(await logIn('kubernetes', { role, jwt: await tokenOf('shop:others') })).toMatchObject({ status: 403 });
    expect(await logIn('kubernetes', { role, jwt: await tokenOf('bank:orders') })).toMatchObject({ status: 403 });
    expect(cluster.asked).toHaveLength(before);
    for (const [says, reason] of [
      [{ status: { authenticated: false } }, 'may have been deleted'],
      [{ status: { authenticated: true, user: { username: 'system:serviceaccount:shop:orders' } } }, 'this audience'],
      [
        { status: { authenticated: true, audiences: [usualIssuer], user: { username: 'system:admin' } } },
        'another account',
      ],
      [{ http: 403 }, 'system:auth-delegator'],
      [{ http: 500 }, 'answered 500'],
      [{ isSilent: true }, 'did not answer'],
    ] as const) {
      cluster.says = says as typeof cluster.says;
      expect(await logIn('kubernetes', { role, jwt })).toMatchObject({ status: 403, errors: ['permission denied'] });
      expect(await refusalReasons()).toContainEqual(expect.stringContaining(reason));
    }
    cluster.says = {};
    const { body: found } = await owner.get(`/trusts?q=${role}`);
    const [trust] = found.items as { id: string; name: string; token_review: object }[];
    expect(trust).toMatchObject({ name: `kubernetes/${role}`, token_review: { url: cluster.address } });
    const { body: explained } = await owner.post(`/trusts/${trust?.id}/explanation`, { assertion: jwt });
    expect(explained).toMatchObject({ accepted: true });
    // The reviewer token cannot be read anywhere, and is not sent to another address.
    expect(JSON.stringify([found, (await root.read('auth/kubernetes/config')).data])).not.toContain(reviewer);
    const elsewhere = await ForeignCluster.serving();
    await owner.patch(`/trusts/${trust?.id}`, { token_review: { url: elsewhere.address } });
    expect(await logIn('kubernetes', { role, jwt })).toMatchObject({ status: 200 });
    expect(elsewhere.asked).toEqual([expect.objectContaining({ authorization: `Bearer ${jwt}` })]);
    elsewhere.close();
  });

  test('verifies tokens with the keys of the cluster, and loses what its policy no longer grants', async () => {
    const { policy, folder, path } = await newPolicy();
    const role = newName('role');
    const pem = await exportSPKI(keys.publicKey);
    await configure({ pem_keys: [pem], issuer: usualIssuer });
    await root.write(`auth/kubernetes/role/${role}`, {
      ...{ bound_service_account_names: '*', bound_service_account_namespaces: 'shop', audience: latchkey.issuer },
      ...{ token_policies: [policy], token_num_uses: 2, token_bound_cidrs: ['127.0.0.0/8', '::1'] },
    });
    const jwt = await tokenOf('shop:orders', { aud: latchkey.issuer });
    const asked = cluster.asked.length;
    const given = await logIn('kubernetes', { role, jwt });
    expect(given.auth).toMatchObject({ num_uses: 2 });
    expect(cluster.asked).toHaveLength(asked);
    const forged = await (await ForeignIssuer.named(usualIssuer)).sign({
      ...{ sub: 'system:serviceaccount:shop:orders', aud: latchkey.issuer },
    });
    for (const wrong of [
      forged,
      await tokenOf('shop:orders'),
      await tokenOf('shop-of-others:a', { aud: latchkey.issuer }),
    ])
      expect((await logIn('kubernetes', { role, jwt: wrong })).status).toBe(403);
    expect((await reader(given).read(path)).data.data).toEqual({ n: 1 });
    await root.addPolicy({ name: policy, rules: `path "secret/data/${folder}/b" { capabilities = ["read"] }` });
    expect(await statusOf(reader(given).read(path))).toBe(403);
    const narrower = await logIn('kubernetes', { role, jwt });
    expect(narrower.auth).toMatchObject({ policies: ['default', policy] });
    await root.write(`auth/kubernetes/role/${role}`, { token_bound_cidrs: '203.0.113.0/24' });
    expect((await root.read(`auth/kubernetes/role/${role}`)).data).toMatchObject({ token_policies: [policy] });
    expect((await logIn('kubernetes', { role, jwt })).status).toBe(403);
    await root.write(`auth/kubernetes/role/${role}`, { token_bound_cidrs: '' });
    const last = await logIn('kubernetes', { role, jwt });
    expect(last.status).toBe(200);
    await root.delete(`auth/kubernetes/role/${role}`);
    await root.delete(`auth/kubernetes/role/${role}`);
    expect(await statusOf(reader(last).tokenLookupSelf())).toBe(403);
    expect((await logIn('kubernetes', { role, jwt })).status).toBe(403);
    expect(await statusOf(root.read(`auth/kubernetes/role/${role}`))).toBe(404);
    // A new role with the same name is another trust: nothing of the earlier one is restored.
    await root.write(`auth/kubernetes/role/${role}`, {
      ...{ bound_service_account_names: 'orders', bound_service_account_namespaces: 'shop', audience: latchkey.issuer },
    });
    expect(await statusOf(reader(last).tokenLookupSelf())).toBe(403);
    expect((await logIn('kubernetes', { role, jwt })).status).toBe(403);
  });

  test('accepts the JWT of another issuer with the claims it requires', async () => {
    const { policy, path } = await newPolicy();
    const issuer = await ForeignIssuer.serving();
    const role = newName('ci');
    await root.write('auth/jwt/config', { oidc_discovery_url: issuer.issuer, default_role: role });
    expect((await root.read('auth/jwt/config')).data).toMatchObject({
      ...{ oidc_discovery_url: issuer.issuer, default_role: role },
    });
    await root.write(`auth/jwt/role/${role}`, {
      ...{ role_type: 'jwt', user_claim: 'actor', bound_audiences: ['https://ci.example'], token_policies: policy },
      ...{ bound_claims: { repository: ['acme/shop', 'acme/bank'] }, claim_mappings: { actor: 'who' } },
    });
    const claims = { sub: 'repo:acme/shop', aud: 'https://ci.example', repository: 'acme/shop', actor: 'ada' };
    const jwt = await issuer.sign(claims);
    for (const body of [{ role, jwt }, { jwt }]) {
      const given = await logIn('jwt', body);
      expect(given).toMatchObject({ status: 200, auth: { metadata: { role, who: 'ada', subject: 'repo:acme/shop' } } });
      expect((await reader(given).read(path)).data.data).toEqual({ n: 1 });
    }
    for (const wrong of [{ repository: 'acme/others' }, { repository: undefined }, { aud: latchkey.issuer }])
      expect((await logIn('jwt', { role, jwt: await issuer.sign({ ...claims, ...wrong }) })).status).toBe(403);
    // The role's trust has a name of its own, which cannot be used to bypass the role's limits.
    expect((await logIn('kubernetes', { role: `jwt/${role}`, jwt })).status).toBe(403);
    const next = await ForeignIssuer.named('https://next.example');
    await root.write('auth/jwt/config', {
      ...{ jwt_validation_pubkeys: await exportSPKI(next.publicKey), bound_issuer: next.issuer },
    });
    expect((await logIn('jwt', { role, jwt })).status).toBe(403);
    expect((await logIn('jwt', { role, jwt: await next.sign(claims) })).status).toBe(200);
    expect((await root.list('auth/jwt/role')).data.keys).toContain(role);
    issuer.close();
  });

  test.each<[path: string, body: object, why: string]>([
    ['kubernetes/config', {}, 'no host provided'],
    ['kubernetes/config', { kubernetes_host: 'ftp://a' }, 'kubernetes_host'],
    ['kubernetes/config', { kubernetes_host: 'https://k.example', pem_keys: ['x'] }, 'pem_keys'],
    ['kubernetes/role/x', { bound_service_account_names: 'a' }, 'service_account_namespaces'],
    [
      'kubernetes/role/x',
      { bound_service_account_names: '*', bound_service_account_namespaces: '*' },
      'can not both be "*"',
    ],
    ['kubernetes/role/x', { bound_service_account_names: 'a*', bound_service_account_namespaces: 'b' }, 'a*'],
    [
      'kubernetes/role/x',
      { bound_service_account_names: 'a', bound_service_account_namespaces: 'b', token_period: '1h' },
      'token_period',
    ],
    ['jwt/config', { jwks_url: 'https://keys.example' }, 'bound_issuer'],
    ['jwt/config', { jwks_url: 'https://keys.example', oidc_discovery_url: 'https://a.example' }, 'exactly one'],
    ['jwt/config', { oidc_discovery_url: 'https://a.example', bound_issuer: 'https://b.example' }, 'bound_issuer'],
    ['jwt/role/x', { role_type: 'oidc', user_claim: 'sub', bound_subject: 'a' }, 'role_type'],
    ['jwt/role/x', { user_claim: 'sub' }, 'bound constraint'],
    ['jwt/role/x', { user_claim: 'sub', bound_subject: 'a', claim_mappings: { a: 'b\0' } }, 'claim_mappings'],
    ['jwt/role/x', { user_claim: 'sub', bound_claims: { iss: 'https://a.example' } }, 'name another claim'],
    [
      'jwt/role/x',
      { user_claim: 'sub', bound_claims_type: 'glob', bound_claims: { sub: 'a*b' } },
      'other patterns are not supported',
    ],
    ['jwt/role/x', { user_claim: 'sub', bound_subject: 'a', policies: 'no-such-policy' }, 'no role "no-such-policy"'],
    ['jwt/role/x', { user_claim: 'sub', bound_subject: 'a', policies: 'owner' }, 'at another API'],
  ])('refuses unsupported fields: %s %j', async (path, body, why) => {
    const refused = await refusalOf(root.write(`auth/${path}`, body));
    expect(refused.response).toMatchObject({
      statusCode: 400,
      body: { errors: [expect.stringContaining(why)] },
    });
  });

  test('grants nothing that its creator lacks, and only a user with access to all secrets chooses the issuer', async () => {
    const { policy, folder } = await newPolicy();
    const role = newName('role');
    await configure({ ...reviewingCluster });
    const bounds = { bound_service_account_names: 'orders', bound_service_account_namespaces: 'shop' };
    await root.write(`auth/kubernetes/role/${role}`, { ...bounds, token_policies: policy });
    const weak = (await loggedIn(['secrets:roles', 'secrets:write:*'])).vault;
    const at = `auth/kubernetes/role/${role}`;
    for (const attempt of [
      weak.write('auth/kubernetes/config', { kubernetes_host: 'https://attacker.example' }),
      weak.write('auth/jwt/config', { oidc_discovery_url: 'https://attacker.example' }),
      weak.write(`auth/kubernetes/role/${newName('role')}`, { ...bounds, token_policies: policy }),
      weak.write(at, { ...bounds, bound_service_account_names: 'attacker' }),
      weak.write(at, { token_policies: [] }),
      weak.delete(at),
      (await loggedIn([`secrets:*:${folder}:*`])).vault.read(at),
    ])
      expect(await statusOf(attempt)).toBe(403);
    const own = (await loggedIn(['secrets:roles', `secrets:read:${folder}:*`])).vault;
    await own.write(`auth/kubernetes/role/${newName('role')}`, { ...bounds, token_policies: policy });
    // Writing a role does not enable a trust that an administrator disabled.
    const { body } = await owner.get(`/trusts?q=${role}`);
    const [trust] = body.items as { id: string }[];
    await owner.post(`/trusts/${trust?.id}/disable`);
    await root.write(at, { ...bounds, token_policies: policy });
    await configure({ ...reviewingCluster });
    expect((await logIn('kubernetes', { role, jwt: await tokenOf('shop:orders') })).status).toBe(403);
    // Roles of a workload are set at its trust: they cannot be assigned or unassigned otherwise.
    await owner.patch(`/trusts/${trust?.id}`, { enabled: true });
    expect((await logIn('kubernetes', { role, jwt: await tokenOf('shop:orders') })).status).toBe(200);
    const { body: page } = await owner.get(`/trusts/${trust?.id}/workloads`);
    const [workload] = page.items as { client_id: string }[];
    const assignment = `/roles/${policy}/assignments/client/${workload?.client_id}`;
    expect((await owner.delete(assignment)).status).toBe(409);
    expect((await owner.put(`/roles/owner/assignments/client/${workload?.client_id}`, {})).status).toBe(409);
  });
});

// Last, because moving the clock does not change the times of tokens that other issuers signed.
describe('a token', () => {
  test('looks itself up, is renewed up to a day, and revokes itself', async () => {
    const { vault, auth, role_id } = await loggedIn(['secrets:read:*']);
    const { data } = await vault.tokenLookupSelf();
    expect(data).toMatchObject({
      ...{ id: auth.client_token, type: 'service', renewable: true, display_name: `approle-${role_id}`, orphan: true },
      ...{
        accessor: auth.accessor,
        meta: { role_name: role_id },
        path: 'auth/approle/login',
        policies: ['default', 'secrets:read:*'],
      },
    });
    expect(data.ttl).toBeGreaterThan(3500);
    expect(data.expire_time).toMatch(/Z$/);
    await latchkey.advance(1800);
    const renewed = await vault.tokenRenewSelf({ increment: 7200 });
    expect(renewed.auth.lease_duration).toBe(7200);
    const long = await vault.tokenRenewSelf({ increment: '200h' });
    expect(long.auth.lease_duration).toBeGreaterThan(80_000);
    expect(long.auth.lease_duration).toBeLessThanOrEqual(86_400 - 1800);
    await vault.tokenRevokeSelf();
    expect(await statusOf(vault.tokenLookupSelf())).toBe(403);
    expect((await latchkey.auditEvents('access_token.renewed')).length).toBeGreaterThanOrEqual(2);
  });
});
