import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { boundToken, Gateway, withoutTable } from '../../support/gateway.ts';
import { api, jwtApi } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';

const latchkey = startLatchkey();

const flipped = (key: string) => `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`;

describe('POST /gateway/verify', () => {
  let owner: AdminApi;
  let gateway: Gateway;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
  });

  test('returns the identity and permissions of a key', async () => {
    const { id, key, expires_at } = await gateway.mint({
      name: 'told',
      owner: { client_id: 'service' },
      environment: 'staging',
      restrictions: { rate_limit: '10 requests/hour' },
    });
    expect(await gateway.verify({ key, permission: 'database:read:products', cost: 3 })).toEqual({
      valid: true,
      code: 'valid',
      reason: 'The key has this permission.',
      credential: 'api_key',
      subject: 'service',
      subject_kind: 'client',
      client_id: 'service',
      key_id: id,
      name: 'told',
      environment: 'staging',
      permissions: ['database:read:products'],
      expires_at,
      limits: [{ name: '10 requests/hour', limit: 10, remaining: 7, resets_at: expect.stringMatching(/Z$/) }],
    });
  });

  test('answers a batch, each item by itself', async () => {
    const { key } = await gateway.mint();
    const verdicts = await gateway.verifyAll([
      { key, permission: 'database:read:products' },
      { key, permission: 'database:write:products' },
      { key: flipped(key) },
    ]);
    expect(verdicts.map(({ code }) => code)).toEqual(['valid', 'insufficient_permissions', 'malformed']);
  });

  test('answers only callers with latchkey:verify', async () => {
    const { key } = await gateway.mint();
    expect((await gateway.post({ key }, { key: '' })).status).toBe(401);
    expect((await gateway.post({ key }, { key: flipped(key) })).status).toBe(401);
    const refused = await gateway.post({ key }, { key });
    expect({ status: refused.status, body: await refused.json() }).toMatchObject({
      status: 403,
      body: { permission: 'latchkey:verify' },
    });
    const narrow = await gateway.mint({
      permissions: ['latchkey:verify'],
      restrictions: { ip_allowlist: ['192.0.2.1'] },
    });
    expect((await gateway.post({ key }, { key: narrow.key })).status).toBe(403);
    const withToken = (token: string) =>
      fetch(`${latchkey.issuer}/gateway/verify`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ key }),
      });
    expect((await withToken(owner.token)).status).toBe(200);
    const other = await latchkey.clientCredentials();
    expect((await withToken(other.body.access_token)).status).toBe(401);
  });

  test.each([
    ['cut off', (key: string) => key.slice(0, -1)],
    ['with a typing error', (key: string) => `${key.slice(0, 20)}${key[20] === 'a' ? 'b' : 'a'}${key.slice(21)}`],
    ['of another environment', (key: string) => key.replace('sk_dev_', 'sk_prod_')],
    ['of an environment that is none', (key: string) => key.replace('sk_dev_', 'sk_moon_')],
    ['with a space', (key: string) => `${key} `],
    ['with Unicode', (key: string) => key.replace(/.$/, 'А')],
    ['of ten thousand characters', (key: string) => key.repeat(200)],
    ['empty', () => ''],
    ['of a secret', () => `lk_cs_${'a'.repeat(49)}`],
  ])('refuses a key %s without asking the database', async (_, broken) => {
    const { key } = await gateway.mint();
    await gateway.verify({ key });
    await withoutTable(latchkey.database.url, 'api_key_versions', async () => {
      expect(await gateway.verify({ key: broken(key) })).toMatchObject({ valid: false, code: 'malformed' });
    });
  });

  test('needs no database for cached keys, and none for those that cannot exist', async () => {
    const { key } = await gateway.mint({ restrictions: { rate_limit: '1000 requests/hour' } });
    const { key: gone, id } = await gateway.mint();
    await latchkey.database.query('delete from api_keys where id = $1', [id]);
    expect(await gateway.verify({ key })).toMatchObject({ code: 'valid' });
    expect(await gateway.verify({ key: gone })).toMatchObject({ code: 'unknown' });
    for (const table of ['api_key_versions', 'api_keys', 'limit_counters'])
      await withoutTable(latchkey.database.url, table, async () => {
        expect(await gateway.verify({ key })).toMatchObject({ code: 'valid' });
        expect(await gateway.verify({ key: gone })).toMatchObject({ code: 'unknown' });
      });
  });

  test('throttles guesses by address, and still accepts known keys', async () => {
    const { key } = await gateway.mint();
    await gateway.verify({ key });
    const guesses: string[] = [];
    for (let n = 0; n < 65; n += 1) {
      const { key: guess, id } = await gateway.mint();
      guesses.push(guess);
      await latchkey.database.query('delete from api_keys where id = $1', [id]);
    }
    const codes: string[] = [];
    for (const guess of guesses) codes.push((await gateway.verify({ key: guess, ip: '192.0.2.66' })).code);
    expect(codes[0]).toBe('unknown');
    expect(codes.at(-1)).toBe('throttled');
    expect(await gateway.verify({ key, ip: '192.0.2.66' })).toMatchObject({ code: 'valid' });
    expect(await gateway.verify({ key: guesses.at(-1), ip: '192.0.2.67' })).toMatchObject({ code: 'unknown' });
  });

  test.each([
    ['no credential', {}],
    ['two credentials', { key: 'a', token: 'b' }],
    ['a member that is not known', { key: 'a', permision: 'x' }],
    ['a negative cost', { key: 'a', cost: -1 }],
    ['too many in a batch', { requests: Array.from({ length: 101 }, () => ({ key: 'a' })) }],
  ])('refuses %s', async (_, body) => expect((await gateway.post(body)).status).toBe(400));

  test('counts uses, allowed and refused, and the time of the last', async () => {
    const { id, key } = await gateway.mint();
    await gateway.verifyAll([
      { key, permission: 'database:read:products' },
      { key, permission: 'database:read:products' },
      { key, permission: 'database:write:products' },
    ]);
    const used = async () => (await owner.get(`/api-keys/${id}/usage`)).body;
    // The last use and the usage of a key are read one after the other.
    expect(await eventually(used, ({ last_used_at, refused }) => last_used_at !== null && refused === 1)).toMatchObject(
      {
        allowed: 2,
        refused: 1,
        last_used_at: expect.stringMatching(/Z$/),
        days: [{ allowed: 2, refused: 1 }],
      },
    );
  });
});

describe('an access token at the gateway', () => {
  let gateway: Gateway;
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    gateway = await Gateway.open(latchkey, owner);
  });

  test.each([
    ['opaque', api, 'read', 'write'],
    ['JWT', jwtApi, 'report:read', 'report:write'],
  ])('(%s) is accepted for its API and scopes, until it is revoked', async (_, resource, scope, beyond) => {
    const { access_token: token } = await latchkey.tokens({ resource, scope: `openid ${scope}` });
    const verdict = await gateway.verify({ token, resource, permission: scope });
    expect(verdict).toMatchObject({
      code: 'valid',
      credential: 'access_token',
      subject_kind: 'user',
      client_id: 'web-app',
    });
    expect(await gateway.verify({ token, resource, permission: beyond })).toMatchObject({
      code: 'insufficient_permissions',
    });
    expect(await gateway.verify({ token, permission: scope })).toMatchObject({ code: 'resource_not_allowed' });
    expect(await gateway.verify({ token, resource: 'https://other.example' })).toMatchObject({
      code: 'resource_not_allowed',
    });
    await latchkey.post('/oauth/revoke', { token }, 'web-app');
    expect(await gateway.verify({ token, resource })).toMatchObject({ code: 'unknown' });
  });

  test('that is malformed is unknown', async () => {
    for (const token of ['', 'garbage', 'a.b.c', `lk_at_${'a'.repeat(49)}`])
      expect(await gateway.verify({ token, resource: api })).toMatchObject({ code: 'unknown' });
  });

  test('that is bound to a key needs a proof for the exact request, once (RFC 9449 §7)', async () => {
    const { token, prove, ath } = await boundToken(latchkey, owner, api);
    const url = `${api}/orders`;
    const asked = { token, resource: api, permission: 'read', method: 'GET', url: `${url}?page=2` };
    expect(await gateway.verify({ token, resource: api })).toMatchObject({ code: 'proof_required' });
    const proof = await prove('GET', url, { ath });
    expect(await gateway.verify({ ...asked, proof })).toMatchObject({ code: 'valid', subject: 'bound' });
    expect(await gateway.verify({ ...asked, proof })).toMatchObject({ code: 'invalid_proof' });
    for (const wrong of [prove('POST', url, { ath }), prove('GET', `${api}/users`, { ath }), prove('GET', url)])
      expect(await gateway.verify({ ...asked, proof: await wrong })).toMatchObject({ code: 'invalid_proof' });
  });
});
