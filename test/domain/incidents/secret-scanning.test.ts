import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import nodeVault from 'node-vault';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway } from '../../support/gateway.ts';
import { jwtApi } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { MailServer, plain } from '../../support/mail-server.ts';

/** A scanner that publishes its keys, as GitHub does. */
class Scanner {
  readonly #server: Server;
  readonly #key: KeyObject;
  asked = 0;
  isAway = false;

  private constructor(server: Server, key: KeyObject) {
    this.#server = server;
    this.#key = key;
  }

  static async open(): Promise<Scanner> {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = publicKey.export({ type: 'spki', format: 'pem' });
    const server = createServer((_, response) => {
      scanner.asked += 1;
      if (scanner.isAway) response.writeHead(500).end();
      else response.end(JSON.stringify({ public_keys: [{ key_identifier: 'known', key, is_current: true }] }));
    });
    const scanner = new Scanner(server, privateKey);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return scanner;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/keys`;
  }

  sign(body: string): string {
    return sign('sha256', Buffer.from(body), this.#key).toString('base64');
  }

  close(): Promise<unknown> {
    return new Promise((resolve) => this.#server.close(resolve));
  }
}

describe.each(['revoke', 'flag'])('a report of leaked credentials, where the policy is to %s', (policy) => {
  let scanner: Scanner;
  let mail: MailServer;
  const latchkey = startLatchkey({
    prepare: async () => {
      scanner = await Scanner.open();
      mail = await MailServer.open();
      const settings = { LATCHKEY_SECRET_SCANNING_KEYS: scanner.url, LATCHKEY_LEAK_POLICY: policy };
      return { env: { NODE_ENV: 'development', ...mail.settings, ...settings } };
    },
  });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });
  afterAll(() => Promise.all([scanner.close(), mail.close()]));

  const found = (token: string, type = 'latchkey') => ({
    token,
    type,
    url: 'https://github.example/some/file',
    source: 'content',
  });
  async function send(body: string, { id = 'known', signature = scanner.sign(body) } = {}) {
    const headers = {
      'content-type': 'application/json',
      'github-public-key-identifier': id,
      'github-public-key-signature': signature,
    };
    const response = await fetch(`${latchkey.issuer}/secret-scanning`, { method: 'POST', headers, body });
    return { status: response.status, body: await response.json() };
  }
  const report = (...tokens: string[]) => send(JSON.stringify(tokens.map((token) => found(token))));
  const labels = ({ body }: { body: unknown }) => (body as { label: string }[]).map(({ label }) => label);

  /** A role of AppRole with a secret id. */
  async function secretId() {
    const client_id = `keeper-${policy}`;
    const service_permissions = { [`${latchkey.issuer}/v1`]: ['secrets:roles'] };
    const { body } = await owner.post('/clients', {
      client_id,
      grant_types: ['client_credentials'],
      service_permissions,
    });
    const vault = nodeVault({ endpoint: latchkey.issuer });
    await vault.approleLogin({ role_id: client_id, secret_id: String(body.client_secret) });
    await vault.addApproleRole({ role_name: 'leaky' });
    const { secret_id } = (await vault.getApproleRoleSecret({ role_name: 'leaky' })).data;
    // Vault answers 204 for a secret id that it does not know.
    const isGood = async () => {
      const found = await vault.approleSecretLookup({ role_name: 'leaky', secret_id });
      return Boolean(found?.data?.secret_id_accessor);
    };
    return { secret_id, isGood };
  }

  test('identifies active credentials, and the policy is applied to them', async () => {
    const gateway = await Gateway.open(latchkey, owner);
    const minted = await gateway.mint({});
    const secret = await owner.post('/clients/service/secrets', { label: 'leaking' });
    const client_secret = String(secret.body.client_secret);
    const tokens = await latchkey.tokens();
    const service = (await latchkey.clientCredentials()).body.access_token;
    const { secret_id, isGood } = await secretId();
    const made = [minted.key, client_secret, tokens.refresh_token, service, secret_id];
    const answer = await report(...made, `${minted.key.slice(0, -1)}x`, 'lk_cs_nonsense', 'AKIAIOSFODNN7EXAMPLE');
    expect(answer.status).toBe(200);
    expect(labels(answer)).toEqual([...Array(5).fill('true_positive'), ...Array(3).fill('false_positive')]);
    const stays = policy === 'flag';
    expect((await gateway.verify({ key: minted.key, permission: 'database:read:products' })).valid).toBe(stays);
    expect(await latchkey.isLetIn('service', client_secret)).toBe(stays);
    expect(await isGood()).toBe(stays);
    expect(await latchkey.isActive(service, 'service')).toBe(stays);
    expect(await latchkey.isActive(tokens.access_token)).toBe(stays);
    expect(await latchkey.isLetIn('service', 'the secret of the service')).toBe(true);
    const events = await latchkey.auditEvents('credential.leaked');
    expect(events).toHaveLength(5);
    expect(events[0]).toMatchObject({
      target_id: createHash('sha256').update(minted.key).digest('hex'),
      details: { policy, url: 'https://github.example/some/file', source: 'content', type: 'latchkey' },
    });
    expect(JSON.stringify(events)).not.toContain(minted.key);
    expect(labels(await report(minted.key))).toEqual([stays ? 'true_positive' : 'false_positive']);
  });

  test('is reported by mail to the user, the contacts of a client, or else the owners', async () => {
    const gateway = await Gateway.open(latchkey, owner);
    const client_id = `contacted-${policy}`;
    const contacts = ['team@example.com', 'on-call@example.com'];
    const { body: client } = await owner.post('/clients', { client_id, grant_types: ['client_credentials'], contacts });
    const { body: quiet } = await owner.post('/clients', { client_id: 'quiet', grant_types: ['client_credentials'] });
    const ofPerson = await gateway.mint({ name: 'my laptop', permissions: [], owner: { user: 'alice' } });
    const ofClient = await gateway.mint({ name: 'nightly', owner: { client_id } });
    const { refresh_token } = await latchkey.tokens();
    const leaked = [
      ofPerson.key,
      ofClient.key,
      String(client.client_secret),
      refresh_token,
      String(quiet.client_secret),
    ];
    expect(labels(await report(...leaked))).toEqual(Array(5).fill('true_positive'));
    const told = {
      'API key "my laptop", sk_dev_': ['alice@example.com'],
      'API key "nightly"': contacts,
      [`client secret of "${client_id}"`]: contacts,
      'refresh token given to "web-app"': ['alice@example.com'],
      'client secret of "quiet"': ['alice@example.com'],
    };
    const about = (name: string) => mail.letters.filter(({ source }) => plain(source).includes(name));
    for (const [name, addresses] of Object.entries(told)) {
      const letters = await eventually(
        () => about(name),
        ({ length }) => length >= addresses.length,
      );
      expect(new Set(letters.flatMap(({ to }) => to))).toEqual(new Set(addresses));
    }
    for (const { source } of mail.letters) {
      expect(plain(source)).toContain('content https://github.example/some/file');
      expect(plain(source)).toContain(policy === 'flag' ? 'It is still active' : 'It has been revoked');
      for (const value of leaked) expect(plain(source)).not.toContain(value);
    }

    await owner.patch('/users/bob', { language: 'de' });
    const ofGerman = await gateway.mint({ name: 'Wetterdienst', permissions: [], owner: { user: 'bob' } });
    await report(ofGerman.key);
    const [german] = await eventually(
      () => about('Wetterdienst'),
      ({ length }) => length > 0,
    );
    expect(plain(german?.source ?? '')).toContain('Ihre_Zugangsdaten_bei');
    expect(Buffer.from(plain(german?.source ?? ''), 'latin1').toString()).toContain(
      'API-Schlüssel „Wetterdienst“, sk_',
    );
    await owner.patch('/users/bob', { language: null });
  });

  test('has no second effect when it is sent again, alone or at once (CWE-294)', async () => {
    const gateway = await Gateway.open(latchkey, owner);
    const { key } = await gateway.mint({ name: 'replayed', permissions: [], owner: { user: 'bob' } });
    const target = createHash('sha256').update(key).digest('hex');
    const body = JSON.stringify([found(key), found(key)]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(body)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(labels(await send(body))).toEqual(Array(2).fill(policy === 'flag' ? 'true_positive' : 'false_positive'));
    await latchkey.advance(2 * 86_400);
    await send(body);
    owner = await asOwner(latchkey);
    const later = await Gateway.open(latchkey, owner);
    const after = await later.mint({ name: 'after the replay', permissions: [], owner: { user: 'bob' } });
    await report(after.key);
    const about = (name: string) => mail.letters.filter(({ source }) => plain(source).includes(name));
    await eventually(
      () => [about('after the replay').length, about('replayed').length],
      (counts) => counts.every((count) => count > 0),
    );
    expect(about('replayed')).toHaveLength(1);
    const events = await latchkey.auditEvents('credential.leaked');
    expect(events.filter(({ target_id }) => target_id === target)).toHaveLength(1);
  });

  test('from many places is reported by mail three times a day at most', async () => {
    const gateway = await Gateway.open(latchkey, owner);
    const { key } = await gateway.mint({ name: 'in many places', permissions: [], owner: { user: 'bob' } });
    const places = Array.from({ length: 6 }, (_, n) => ({ ...found(key), url: `https://github.example/fork/${n}` }));
    await send(JSON.stringify(places));
    const after = await gateway.mint({ name: 'after many places', permissions: [], owner: { user: 'bob' } });
    await report(after.key);
    const about = (name: string) => mail.letters.filter(({ source }) => plain(source).includes(name));
    const expected = policy === 'flag' ? 3 : 1;
    await eventually(
      () => [about('after many places').length - 1, about('in many places').length - expected],
      (missing) => missing.every((count) => count >= 0),
    );
    expect(about('in many places')).toHaveLength(expected);
  });

  test('cannot inject lines, headers or recipients (CWE-93)', async () => {
    const gateway = await Gateway.open(latchkey, owner);
    const evil = 'x\r\nBcc: victim@example.com\r\n\r\nYour account is locked.\u2028\u202eevil';
    expect(await owner.post('/api-keys', { name: evil, environment: 'dev', expires_in_days: 1 })).toMatchObject({
      status: 400,
    });
    const client_id = `injecting-${policy}`;
    const contacts = ['team@example.com', 'a@example.com, victim@example.com', 'b@example.com\r\nBcc: c@example.com'];
    const registration = { client_id, grant_types: ['client_credentials'] };
    expect(await owner.post('/clients', { ...registration, contacts })).toMatchObject({ status: 400 });
    await owner.post('/clients', registration);
    const { id, key } = await gateway.mint({ name: 'harmless', owner: { client_id } });
    // A name and contacts from before such values were refused.
    await latchkey.database.query(
      `update clients set metadata = jsonb_set(metadata::jsonb, '{contacts}', $1::jsonb) where client_id = $2`,
      [JSON.stringify(contacts), client_id],
    );
    await latchkey.database.query(`update api_keys set name = $1 where id = $2`, [evil, id]);
    const url = `https://github.example/a\nBcc: victim@example.com\n\nClick https://evil.example`;
    await send(JSON.stringify([{ ...found(key), url, source: `content\r\n\r\n${evil}` }]));
    const letters = await eventually(
      () => mail.letters.filter(({ source }) => source.includes('locked')),
      ({ length }) => length > 0,
    );
    expect(letters.map(({ to }) => to)).toEqual([['team@example.com']]);
    const lines = plain(letters[0]?.source ?? '').split(/\r\n|[\r\n\u2028]/);
    expect(lines.filter((line) => /^(Bcc|Your account|Click|evil)/i.test(line))).toEqual([]);
    expect(lines.join('\n')).not.toContain('\u202e');
  });

  test('of a version that was rotated out revokes nothing: the key stays active', async () => {
    const gateway = await Gateway.open(latchkey, owner);
    const { id, key } = await gateway.mint({});
    const { body } = await owner.post(`/api-keys/${id}/rotate`, { overlap_seconds: 0 });
    expect(labels(await report(key))).toEqual(['false_positive']);
    expect((await gateway.verify({ key: String(body.key) })).valid).toBe(true);
  });

  test('of two versions of a key that are both accepted is recorded for each, also from one place', async () => {
    const gateway = await Gateway.open(latchkey, owner);
    const { id, key } = await gateway.mint({});
    const { body } = await owner.post(`/api-keys/${id}/rotate`, { overlap_seconds: 3600 });
    const versions = [key, String(body.key)];
    const stays = policy === 'flag';
    expect(labels(await report(...versions))).toEqual(['true_positive', stays ? 'true_positive' : 'false_positive']);
    const named = versions.map((version) => createHash('sha256').update(version).digest('hex'));
    const events = await latchkey.auditEvents('credential.leaked');
    const targets = events.map(({ target_id }) => target_id);
    expect(named.map((name) => targets.includes(name))).toEqual([true, stays]);
  });

  test('of a key takes effect on this node before the response', async () => {
    const gateway = await Gateway.open(latchkey, owner);
    for (let n = 0; n < 5; n += 1) {
      const { key } = await gateway.mint({});
      expect((await gateway.verify({ key })).valid).toBe(true);
      expect(labels(await report(key))).toEqual(['true_positive']);
      expect((await gateway.verify({ key })).valid).toBe(policy === 'flag');
    }
  });

  test('of a JWT that someone else created revokes no token of ours', async () => {
    const { access_token } = (await latchkey.clientCredentials({ resource: jwtApi })).body;
    const [header, , signature] = access_token.split('.');
    const { jti } = decodeJwt(access_token);
    const forged = (claims: object) =>
      [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
    expect(labels(await report(forged({ jti }), forged({ jti: 'a\u0000b' }), forged({ jti: {} })))).toEqual(
      Array(3).fill('false_positive'),
    );
    expect(await latchkey.isActive(access_token, 'service')).toBe(true);
    const handle = { token: forged({ jti: 'a\u0000b' }) };
    expect(await owner.post('/revocations', { handle })).toMatchObject({ status: 400 });
    expect(labels(await report(access_token))).toEqual(['true_positive']);
  });

  test('is accepted only with the signature of the scanner over this exact body', async () => {
    const { access_token } = (await latchkey.clientCredentials()).body;
    const body = JSON.stringify([found(access_token)]);
    const other = JSON.stringify([found('something else')]);
    const forger = await Scanner.open();
    for (const given of [
      { signature: scanner.sign(other) },
      { signature: forger.sign(body) },
      { id: '' },
      { signature: 'x' },
      { id: 'unheard of' },
    ])
      expect(await send(body, given)).toMatchObject({ status: 401 });
    await forger.close();
    expect(await latchkey.isActive(access_token, 'service')).toBe(true);
    const before = scanner.asked;
    for (let n = 0; n < 20; n += 1) await send(body, { id: `made up ${n}` });
    expect(scanner.asked - before).toBeLessThanOrEqual(1);
  });

  test('that is malformed is refused, and nothing is lost', async () => {
    for (const body of ['', 'nonsense', '{}', '[{"token":1}]', `[{"token":"${'x'.repeat(9000)}","type":"t"}]`])
      expect(await send(body)).toMatchObject({ status: 400 });
    expect((await fetch(`${latchkey.issuer}/secret-scanning`)).status).toBe(405);
    expect(await send('[]')).toMatchObject({ status: 200, body: [] });
  });
});

describe('without a trusted scanner', () => {
  const latchkey = startLatchkey();
  test('no report is accepted', async () => {
    const response = await fetch(`${latchkey.issuer}/secret-scanning`, { method: 'POST', body: '[]' });
    expect(response.status).toBe(404);
  });
});
