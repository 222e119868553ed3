import { generateCredential } from '../../../src/platform/crypto/index.ts';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { accessTokenType, data, exchangeInstallation, exchangeKey, refusal, stopped } from '../../support/exchange.ts';
import { Gateway, type Minted, withoutTable } from '../../support/gateway.ts';
import { api, jwtApi } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { storedRows } from '../../support/stored.ts';

const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: '1' }, apply: exchangeInstallation });
let owner: AdminApi;
let gateway: Gateway;
beforeAll(async () => {
  owner = await asOwner(latchkey);
  gateway = await Gateway.open(latchkey, owner);
});
const mint = (given: object = {}) =>
  gateway.mint({ owner: { client_id: 'service' }, permissions: ['read', 'write'], ...given });

describe('a key', () => {
  afterEach(() => owner.patch('/clients/service', { enabled: true }));

  const ask = async (restrictions: object, { parameters = {}, headers = {} }: Asked = {}) => {
    const { key } = await mint({ permissions: ['read', 'write', 'database:*', 'email:*'], restrictions });
    return exchangeKey(latchkey, key, { resource: api, ...parameters }, { headers });
  };
  type Asked = { parameters?: Record<string, string>; headers?: Record<string, string> };
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
  const page = (origin: string) => ({ headers: { origin } });
  const of = (resource: string, scope?: string) => ({ parameters: { resource, ...(scope && { scope }) } });
  const outside = () => {
    const [hour, next] = [2, 3].map((ahead) => new Date(Date.now() + ahead * 3_600_000).toISOString().slice(11, 16));
    return { time_window: { from: hour, to: next } };
  };
  const inside = () => {
    const [hour, next] = [-1, 1].map((ahead) => new Date(Date.now() + ahead * 3_600_000).toISOString().slice(11, 16));
    return { time_window: { from: hour, to: next } };
  };

  test.each<[string, object, Asked, [number, string]]>([
    ['from an address it is for', { ip_allowlist: ['192.0.2.7'] }, from('192.0.2.7'), [200, 'none']],
    ['from another address', { ip_allowlist: ['192.0.2.7'] }, from('192.0.2.8'), [400, 'invalid_request']],
    ['from a page it is for', { allowed_origins: ['https://a.example'] }, page('https://a.example'), [200, 'none']],
    [
      'from another page',
      { allowed_origins: ['https://a.example'] },
      page('https://b.example'),
      [400, 'invalid_request'],
    ],
    ['from no page', { allowed_origins: ['https://a.example'] }, {}, [400, 'invalid_request']],
    ['at its time', inside(), {}, [200, 'none']],
    ['at another time', outside(), {}, [400, 'invalid_request']],
    ['for an API it is for', { resource_servers: [api] }, of(api), [200, 'none']],
    ['for another API', { resource_servers: [jwtApi] }, of(api), [400, 'invalid_target']],
    ['of which a list holds for all', { allowed_values: { region: ['eu'] } }, of(api), [400, 'invalid_scope']],
    ['of which templates hold for all', { allowed_templates: ['welcome'] }, of(data), [400, 'invalid_scope']],
    [
      'for what its list is not meant for',
      { allowed_templates: { values: ['welcome'], for: ['email:send'] } },
      of(data, 'database:read:products'),
      [200, 'none'],
    ],
    [
      'for what its list is meant for',
      { allowed_templates: { values: ['welcome'], for: ['email:send'] } },
      of(data, 'email:send'),
      [400, 'invalid_scope'],
    ],
    [
      'for a pattern that its list is meant for in part',
      { allowed_values: { region: { values: ['eu'], for: ['database:read:products'] } } },
      of(data, 'database:read:*'),
      [400, 'invalid_scope'],
    ],
  ])('is limited by its restrictions when it is exchanged: %s', async (_, restrictions, asked, expected) => {
    expect(refusal(await ask(restrictions, asked))).toEqual(expected);
  });

  test('counts an exchange at its rate and quota, unless it is refused for another reason', async () => {
    await latchkey.stayWithin('day');
    for (const restrictions of [{ rate_limit: '2 requests/hour' }, { quota: { day: 2 } }]) {
      const { id, key } = await mint({ restrictions });
      const exchange = (scope: string) => exchangeKey(latchkey, key, { resource: api, scope });
      expect(refusal(await exchange('read'))).toEqual([200, 'none']);
      expect(refusal(await exchange('admin'))).toEqual([400, 'invalid_scope']);
      expect(await gateway.verify({ key, permission: 'read' })).toMatchObject({ code: 'valid' });
      const limited = await exchange('read');
      expect(refusal(limited)).toEqual([429, 'temporarily_unavailable']);
      expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(60);
      await eventually(
        async () => (await owner.get(`/api-keys/${id}/usage`)).body,
        ({ allowed, refused }) => allowed === 2 && refused === 1,
      );
    }
  });

  test('counts only at the rates that apply to its scope', async () => {
    const restrictions = { rate_limit: [{ limit: '1 sendings/hour', for: ['email:send'] }] };
    const { key } = await mint({ permissions: ['database:*', 'email:*'], restrictions });
    const exchange = (scope: string) => exchangeKey(latchkey, key, { resource: data, scope });
    expect(refusal(await exchange('email:send'))).toEqual([200, 'none']);
    expect(refusal(await exchange('email:send database:read:orders'))).toEqual([429, 'temporarily_unavailable']);
    expect(refusal(await exchange('database:read:orders'))).toEqual([200, 'none']);
  });

  test.each<[string, (minted: Minted) => Promise<unknown>]>([
    ['revoked', ({ id }) => owner.post(`/api-keys/${id}/revoke`)],
    ['disabled', ({ id }) => owner.post(`/api-keys/${id}/disable`)],
    ['of a client that is disabled', () => owner.post('/clients/service/disable')],
    [
      'of which there is a new text, without overlap',
      ({ id }) => owner.post(`/api-keys/${id}/rotate`, { overlap_seconds: 0 }),
    ],
  ])('that is %s is refused with the reason (RFC 6749 §5.2)', async (_, act) => {
    const minted = await mint();
    expect(refusal(await exchangeKey(latchkey, minted.key, { resource: api }))).toEqual([200, 'none']);
    await act(minted);
    const answer = await exchangeKey(latchkey, minted.key, { resource: api });
    expect(refusal(answer)).toEqual([400, 'invalid_request']);
    expect(answer.body.error_description).toMatch(/disabled|revoked|rotated/);
  });

  test('that does not exist is looked up sixty times from an address, as at the gateway', async () => {
    const guesses: unknown[] = [];
    for (let n = 0; n < 70; n += 1) {
      const key = generateCredential('sk_dev_');
      guesses.push(refusal(await exchangeKey(latchkey, key, { resource: api }, from('198.51.100.1'))));
    }
    expect(guesses.slice(0, 59)).toEqual(Array.from({ length: 59 }, () => [400, 'invalid_request']));
    expect(guesses).toContainEqual([429, 'temporarily_unavailable']);
  });
});

describe('a malformed exchange', () => {
  let minted: Minted;
  beforeAll(async () => {
    minted = await mint();
  });

  test.each<[string, Record<string, string> | [string, string][], string]>([
    ['without a token (RFC 8693 §2.1)', { subject_token: '' }, 'invalid_request'],
    ['without its type (RFC 8693 §2.1)', { subject_token_type: '' }, 'invalid_request'],
    ['of another type (RFC 8693 §2.2.2)', { subject_token_type: accessTokenType }, 'invalid_request'],
    ['with an actor (RFC 8693 §2.1)', { actor_token: 'x', actor_token_type: accessTokenType }, 'invalid_request'],
    ['with the type of an actor (RFC 8693 §2.1)', { actor_token_type: accessTokenType }, 'invalid_request'],
    [
      'for a refresh token (RFC 8693 §2.1)',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
    ],
    [
      'for a JWT where there are none',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:jwt' },
      'invalid_request',
    ],
    ['for an unknown API (RFC 8707 §2)', { resource: 'https://unknown.example' }, 'invalid_target'],
    ['for an API that is stopped (RFC 8693 §2.2.2)', { resource: stopped }, 'invalid_target'],
    ['for what is no address (RFC 8707 §2)', { resource: 'api' }, 'invalid_target'],
    [
      'for two resources (RFC 8693 §2.2.2)',
      [
        ['resource', api],
        ['resource', jwtApi],
      ],
      'invalid_target',
    ],
    [
      'for two audiences (RFC 8693 §2.2.2)',
      [
        ['audience', api],
        ['audience', api],
      ],
      'invalid_target',
    ],
    ['for a resource and another audience (RFC 8693 §2.1)', { audience: jwtApi }, 'invalid_target'],
    [
      'of two tokens (RFC 6749 §3.2)',
      [
        ['subject_token', 'a'],
        ['subject_token', 'b'],
        ['resource', api],
      ],
      'invalid_request',
    ],
    [
      'with two scopes (RFC 6749 §3.2)',
      [
        ['scope', 'read'],
        ['scope', 'read'],
        ['resource', api],
      ],
      'invalid_request',
    ],
    [
      'with two clients (RFC 6749 §3.2)',
      [
        ['client_id', 'service'],
        ['client_id', 'service'],
        ['resource', api],
      ],
      'invalid_request',
    ],
    ['with a scope of other characters (RFC 6749 §3.3)', { scope: 'r"ead' }, 'invalid_scope'],
    ['of a password (RFC 6749 §5.2)', { subject_token: 'correct horse battery staple' }, 'invalid_request'],
    [
      'of an access token',
      { subject_token: 'lk_at_5P8D3fRbkXywhcJJxRlugB0osZogOl0EoXoQjc6F3be2gxTCC' },
      'invalid_request',
    ],
    [
      'of a key with a typing error',
      { subject_token: 'sk_dev_5P8D3fRbkXywhcJJxRlugB0osZogOl0EoXoQjc6F3be2gxTCC' },
      'invalid_request',
    ],
    ['of a key of 16,000 characters', { subject_token: `sk_dev_${'a'.repeat(16_000)}` }, 'invalid_request'],
  ])('%s is refused, and writes nothing', async (_, parameters, error) => {
    const before = await storedRows(latchkey.database);
    const given = Array.isArray(parameters) ? parameters : { resource: api, ...parameters };
    const answer = await exchangeKey(latchkey, minted.key, given);
    expect(refusal(answer)).toEqual([400, error]);
    expect(answer.body.error_description).toMatch(/^[\u0020-\u0021\u0023-\u005b\u005d-\u007e]+$/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await storedRows(latchkey.database)).toEqual(before);
  });
});

test('an exchange is answered with 503 while the database is unavailable, and works afterwards', async () => {
  const { key } = await mint();
  const away = await withoutTable(latchkey.database.url, 'api_keys', () =>
    exchangeKey(latchkey, key, { resource: api }),
  );
  expect(refusal(away)).toEqual([503, 'temporarily_unavailable']);
  expect(refusal(await exchangeKey(latchkey, key, { resource: api }))).toEqual([200, 'none']);
});
