import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type AdminApi, asOwner } from '../support/admin.ts';
import { ForeignIssuer } from '../support/foreign-issuer.ts';
import { startLatchkey } from '../support/latchkey.ts';

const folder = path.join(import.meta.dirname, '../../examples/external-secrets');
const written = 'https://auth.example.com';
const cluster = 'https://kubernetes.default.svc.cluster.local';

type Reference = { key: string; property?: string; version?: string };
type Find = { path: string; name?: { regexp: string }; tags?: Record<string, string> };
type Pushed = { secretKey?: string; remoteRef: { remoteKey: string; property?: string } };
type Auth = {
  mountPath: string;
  role: string;
  serviceAccountRef: { name: string; audiences: string[] };
};
type Vault = {
  server: string;
  path: string;
  version: 'v1' | 'v2';
  checkAndSet?: { required: boolean };
  auth: { kubernetes: Auth };
};
type Manifest = {
  kind: string;
  metadata: { name: string; namespace: string };
  spec: {
    provider: { vault: Vault };
    data: ({ secretKey: string; remoteRef: Reference } & { match: Pushed })[];
    dataFrom: { extract?: Reference; find?: Find }[];
  };
};
type Data = Record<string, unknown>;
type Answer = { data?: Data & { data?: Data | null }; auth?: { client_token: string } } | undefined;

const latchkey = startLatchkey();
let owner: AdminApi;
let issuer: ForeignIssuer;
const manifests: Manifest[] = [];
const called = (kind: string, name: string): Manifest => {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
};

beforeAll(async () => {
  owner = await asOwner(latchkey);
  issuer = await ForeignIssuer.named(cluster);
  for (const file of ['stores.yaml', 'external-secret.yaml', 'push-secret.yaml']) {
    const text = await readFile(path.join(folder, file), 'utf8');
    for (const document of parseAllDocuments(text.replaceAll(written, latchkey.issuer)))
      manifests.push(document.toJS());
  }
  const temporary = await mkdtemp(path.join(os.tmpdir(), 'latchkey-'));
  const keys = path.join(temporary, 'cluster-keys.json');
  await writeFile(keys, JSON.stringify({ keys: issuer.keys }));
  const readme = await readFile(path.join(folder, 'README.md'), 'utf8');
  const commands = readme.split('\n').filter((line) => line.startsWith('latchkey trust create '));
  expect(commands).toHaveLength(2);
  for (const command of commands) {
    const here = command.replaceAll(written, latchkey.issuer).replace('cluster-keys.json', keys);
    const words = here.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [];
    expect(await latchkey.command(words.slice(1))).toMatchObject({ code: 0 });
  }
  await rm(temporary, { recursive: true });
});

/**
 * The operator, as its provider for Vault calls (providers/v1/vault at cc5bfbc2: auth.go, auth_kubernetes.go, client.go, client_get.go,
 * client_get_all_secrets.go, client_push.go), with the requests of Vault's client for Go. It has a token for one refresh.
 */
class Operator {
  readonly #store: Vault;
  #token = '';
  /** The requests that it has sent, except logins. */
  readonly sent: string[] = [];

  private constructor(store: Vault) {
    this.#store = store;
  }

  static async of(store: Vault, { expired = false, audience = '' } = {}): Promise<Operator> {
    const made = new Operator(store);
    const { mountPath, role, serviceAccountRef } = store.auth.kubernetes;
    const sub = `system:serviceaccount:shop:${serviceAccountRef.name}`;
    const iat = latchkey.seconds - (expired ? 7200 : 0);
    const times = { iat, nbf: iat, exp: iat + 600, jti: crypto.randomUUID() };
    const jwt = await issuer.sign({ ...times, sub, aud: audience ? [audience] : serviceAccountRef.audiences });
    const answer = await made.#call('PUT', `auth/${mountPath}/login`, { jwt, role });
    made.#token = answer?.auth?.client_token ?? '';
    return made;
  }

  /** @returns undefined: there is nothing, as in `api.ParseSecret` @throws an error with the response */
  async #call(method: string, name: string, body?: object): Promise<Answer> {
    const headers = { 'x-vault-request': 'true', ...(this.#token && { 'x-vault-token': this.#token }) };
    const response = await fetch(`${this.#store.server}/v1/${name}`, {
      ...{ method, headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (this.#token) this.sent.push(`${method} ${name} ${response.status}`);
    const text = await response.text();
    const parsed = (text ? JSON.parse(text) : undefined) as Answer;
    if (response.status === 404) return parsed?.data ? parsed : undefined;
    if (response.ok) return parsed;
    throw new Error(`${response.status} ${text}`);
  }

  #path(kind: 'data' | 'metadata', key: string): string {
    const { path: mount, version } = this.#store;
    return version === 'v1' ? `${mount}/${key}` : `${mount}/${kind}/${key}`;
  }

  /** `readSecret`. @returns undefined: `NoSecretError` */
  async read({ key, version }: Reference): Promise<Data | undefined> {
    const answer = await this.#call('GET', `${this.#path('data', key)}${version ? `?version=${version}` : ''}`);
    return (this.#store.version === 'v1' ? answer?.data : answer?.data?.data) ?? undefined;
  }

  /** `readSecretMetadata` */
  async metadata(key: string): Promise<Record<string, string>> {
    const answer = await this.#call('GET', this.#path('metadata', key));
    if (!answer) throw new Error('secret not found');
    const isV2 = this.#store.version === 'v2';
    const system = isV2 ? ['created_time', 'current_version', 'delete_version_after'] : [];
    const named = system.map((name) => [name, String(answer.data?.[name])]);
    return { ...Object.fromEntries(named), ...(answer.data?.custom_metadata as Record<string, string> | null) };
  }

  /** `listSecrets`; `folder` has a slash at the end. */
  async list(folder: string): Promise<string[]> {
    const answer = await this.#call('GET', `${this.#path('metadata', folder)}?list=true`);
    const found: string[] = [];
    for (const key of (answer?.data?.keys as string[] | undefined) ?? [])
      found.push(...(key.endsWith('/') ? await this.list(`${folder}${key}`) : [`${folder}${key}`]));
    return found;
  }

  /** `GetAllSecrets` */
  async find({ path: within, name, tags }: Find): Promise<Record<string, Data>> {
    const found: Record<string, Data> = {};
    for (const key of await this.list(`${within}/`)) {
      const labels = name ? {} : await this.metadata(key);
      const isMeant = name
        ? new RegExp(name.regexp).test(key)
        : Object.entries(tags ?? {}).every(([tag, value]) => labels[tag] === value);
      const data = isMeant ? await this.read({ key }) : undefined;
      if (data) found[key] = data;
    }
    return found;
  }

  /** `PushSecret` */
  async push(
    secret: Record<string, string>,
    { secretKey, remoteRef: { remoteKey: key, property } }: Pushed,
  ): Promise<void> {
    const isV2 = this.#store.version === 'v2';
    const present = await this.read({ key });
    if (present && (await this.metadata(key))['managed-by'] !== 'external-secrets')
      throw new Error('secret not managed by external-secrets');
    const value = secretKey ? secret[secretKey] : secret;
    if (property ? present?.[property] === value : present && JSON.stringify(present) === JSON.stringify(value)) return;
    const data: Data = property ? { ...present, [property]: value } : (value as Data);
    const label = { custom_metadata: { 'managed-by': 'external-secrets' } };
    const options = this.#store.checkAndSet?.required
      ? { options: { cas: present ? Number((await this.metadata(key)).current_version) : 0 } }
      : {};
    if (isV2) await this.#call('PUT', this.#path('metadata', key), label);
    await this.#call('PUT', this.#path('data', key), isV2 ? { data, ...options } : { ...data, ...label });
  }

  /** `DeleteSecret` */
  async remove({ remoteRef: { remoteKey: key, property } }: Pushed): Promise<void> {
    const isV2 = this.#store.version === 'v2';
    const present = await this.read({ key });
    if (!present || (await this.metadata(key))['managed-by'] !== 'external-secrets') return;
    const { [property ?? '']: _, ...rest } = present;
    const { custom_metadata, ...parts } = rest;
    if (property && Object.keys(isV2 ? rest : parts).length > 0) {
      await this.#call('PUT', this.#path('data', key), isV2 ? { data: rest } : rest);
      return;
    }
    await this.#call('DELETE', this.#path('data', key));
    if (isV2) await this.#call('DELETE', this.#path('metadata', key));
  }

  /** `checkToken`, whose types Go asserts, and `Close`. */
  async close(): Promise<void> {
    const { data = {} } = (await this.#call('GET', 'auth/token/lookup-self')) ?? {};
    expect(data).toMatchObject({
      type: 'service',
      ttl: expect.any(Number),
      expire_time: expect.stringMatching(/^20.*Z$/),
    });
    expect(data.ttl).toBeGreaterThan(60);
    await this.#call('PUT', 'auth/token/revoke-self');
  }
}

const put = (name: string, data: object) => owner.post(`/secrets/${encodeURIComponent(name)}/versions`, { data });
const label = (name: string, custom_metadata: object) =>
  owner.patch(`/secrets/${encodeURIComponent(name)}`, { custom_metadata });
const storeOf = (name: string) => called('SecretStore', name).spec.provider.vault;

describe('External Secrets Operator, with the manifests of the example', () => {
  test('logs in as a service account, reads what they name, and revokes its token', async () => {
    await put('shop/database', { password: 'first' });
    await put('shop/database', { password: 'second' });
    await put('shop/mail', { user: 'shop', password: 'p' });
    const reader = await Operator.of(storeOf('latchkey'));
    const { data, dataFrom } = called('ExternalSecret', 'orders').spec;
    const values: unknown[] = [];
    for (const { remoteRef } of data) values.push((await reader.read(remoteRef))?.[remoteRef.property ?? '']);
    expect(values).toEqual(['second', 'first']);
    expect(await reader.read(dataFrom[0]?.extract ?? { key: '' })).toEqual({ user: 'shop', password: 'p' });
    expect(await reader.read({ key: 'shop/none' })).toBeUndefined();
    await expect(reader.read({ key: 'bank/database' })).rejects.toThrow('403');
    await reader.close();
    await expect(reader.read({ key: 'shop/mail' })).rejects.toThrow('403');
    const reads = (await latchkey.auditEvents('secret.read')).filter(({ target_id }) => target_id === 'shop/mail');
    expect(reads).toMatchObject([{ actor_kind: 'client', outcome: 'success' }]);
  });

  test('finds secrets by their names and labels, without those that were deleted or have no version', async () => {
    for (const name of ['a/api', 'b/api', 'b/web', 'gone/api']) await put(`shop/partners/${name}`, { name });
    await owner.post(`/secrets/${encodeURIComponent('shop/partners/gone/api')}/versions/1/delete`);
    await owner.patch(`/secrets/${encodeURIComponent('shop/partners/elsewhere/api')}`, { location: 'another system' });
    for (const name of ['shop/partners/b/web', 'shop/partners/gone/api']) await label(name, { team: 'shipping' });
    const reader = await Operator.of(storeOf('latchkey'));
    const [byName, byTag] = called('ExternalSecret', 'partners').spec.dataFrom;
    if (!byName?.find || !byTag?.find) throw new Error('no search');
    expect(Object.keys(await reader.find(byName.find)).sort()).toEqual(['shop/partners/a/api', 'shop/partners/b/api']);
    expect(await reader.find(byTag.find)).toEqual({ 'shop/partners/b/web': { name: 'b/web' } });
    expect(await reader.metadata('shop/partners/b/web')).toMatchObject({
      ...{
        team: 'shipping',
        current_version: '1',
        delete_version_after: '0s',
        created_time: expect.stringMatching(/^20/),
      },
    });
    // The root of the mount, with what it may list there.
    expect((await reader.list('')).every((key) => key.startsWith('shop/'))).toBe(true);
    expect(await reader.list('bank/')).toEqual([]);
    await reader.close();
  });

  test('pushes a secret with its label and check-and-set, updates and deletes it, and leaves others alone', async () => {
    const parts = called('PushSecret', 'order-signing').spec.data.map(({ match }) => match);
    const refresh = async (secret: Record<string, string>) => {
      const writer = await Operator.of(storeOf('latchkey-writer'));
      for (const part of parts) await writer.push(secret, part);
      await writer.close();
      return writer.sent.filter((line) => line.startsWith('PUT secret/data'));
    };
    const pushed = async (name: string) =>
      (await owner.get(`/secrets/${encodeURIComponent(`shop/pushed/${name}`)}/value`)).body;
    await label('shop/pushed/order-signing', { team: 'orders' });
    await owner.patch(`/secrets/${encodeURIComponent('shop/pushed/order-signing')}`, { cas_required: true });
    expect(await refresh({ key: 'k1' })).toHaveLength(2);
    expect(await pushed('orders')).toMatchObject({ number: 1, data: { signing_key: 'k1' } });
    expect(await pushed('order-signing')).toMatchObject({ number: 1, data: { key: 'k1' } });
    expect(await refresh({ key: 'k1' })).toEqual([]);
    expect(await refresh({ key: 'k2' })).toEqual([
      ...['orders', 'order-signing'].map((name) => `PUT secret/data/shop/pushed/${name} 200`),
    ]);
    expect(await pushed('orders')).toMatchObject({
      ...{ number: 2, data: { signing_key: 'k2' }, custom_metadata: { 'managed-by': 'external-secrets' } },
    });

    const writer = await Operator.of(storeOf('latchkey-writer'));
    await put('shop/pushed/own', { key: 'own' });
    const ofOthers = { remoteRef: { remoteKey: 'shop/pushed/own' } };
    await expect(writer.push({ key: 'x' }, ofOthers)).rejects.toThrow('not managed');
    await writer.remove(ofOthers);
    expect((await pushed('own')).data).toEqual({ key: 'own' });
    await expect(writer.push({ key: 'x' }, { remoteRef: { remoteKey: 'shop/database' } })).rejects.toThrow('403');
    for (const part of parts) await writer.remove(part);
    await writer.close();
    for (const name of ['orders', 'order-signing'])
      expect((await owner.get(`/secrets/${encodeURIComponent(`shop/pushed/${name}`)}`)).status).toBe(404);
  });

  test('reads and pushes version 1 of KV, where the label is a part of the value', async () => {
    await owner.post('/trusts', {
      ...{ name: 'shop-v1', issuer: cluster, jwks: { keys: issuer.keys } },
      conditions: [{ claim: 'sub', equals: 'system:serviceaccount:shop:secrets-writer' }],
      permissions: { [`${latchkey.issuer}/v1`]: ['secrets:*:kv:shop:*'] },
    });
    const { checkAndSet, ...v2 } = storeOf('latchkey-writer');
    const auth = { kubernetes: { ...v2.auth.kubernetes, role: 'shop-v1' } };
    const writer = await Operator.of({ ...v2, path: 'kv', version: 'v1', auth });
    const part = { secretKey: 'key', remoteRef: { remoteKey: 'shop/a', property: 'key' } };
    await writer.push({ key: 'k1' }, part);
    await writer.push({ key: 'k2' }, part);
    expect(await writer.read({ key: 'shop/a' })).toEqual({
      ...{ key: 'k2', custom_metadata: { 'managed-by': 'external-secrets' } },
    });
    await writer.remove(part);
    expect(await writer.read({ key: 'shop/a' })).toBeUndefined();
    await writer.close();
  });

  test('is refused with an expired token, one for another audience, or one of another account', async () => {
    const store = storeOf('latchkey');
    await expect(Operator.of(store, { expired: true })).rejects.toThrow('403');
    await expect(Operator.of(store, { audience: 'vault' })).rejects.toThrow('403');
    const { kubernetes } = store.auth;
    const other = { ...kubernetes, serviceAccountRef: { ...kubernetes.serviceAccountRef, name: 'other' } };
    await expect(Operator.of({ ...store, auth: { kubernetes: other } })).rejects.toThrow('403');
  });
});
