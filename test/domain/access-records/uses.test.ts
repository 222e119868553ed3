import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway } from '../../support/gateway.ts';
import { api, clientSecrets, jwtApi, standardInstallation } from '../../support/installation.ts';
import { basic, startLatchkey } from '../../support/latchkey.ts';
import { discover, signIn } from '../../support/openid-client.ts';

const latchkey = startLatchkey({ apply: standardInstallation });
const withSecret = (client_id: keyof typeof clientSecrets) =>
  discover(latchkey, client_id, oidc.ClientSecretBasic(clientSecrets[client_id]));
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('use records', () => {
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  /** The records, once they contain this number of uses. */
  const recorded = (query: string, uses: number) =>
    eventually(
      async () => (await owner.get(`/access-records?${query}`)).body.items,
      (items) => items.reduce((total, item) => total + Number(item.uses), 0) >= uses,
    );

  async function aToken(resource: string, scope: string) {
    const parameters = { scope, resource };
    const flow = await signIn(latchkey, await withSecret('web-app'), { parameters });
    return flow.tokens();
  }

  test('count introspections by token, caller and answer, and are found by each of them', async () => {
    const tokens = await aToken(api, 'openid read');
    const service = await withSecret('service');
    await Promise.all(Array.from({ length: 30 }, () => oidc.tokenIntrospection(service, tokens.access_token)));
    const sub = tokens.claims()?.sub ?? '';
    const found = await recorded(`credential=${sha256(tokens.access_token)}`, 30);
    expect(found.reduce((total, { uses }) => total + Number(uses), 0)).toBe(30);
    const seen = { kind: 'introspection', outcome: 'active', caller: 'service', client_id: 'web-app', user_id: sub };
    expect(found[0]).toMatchObject({ ...seen, address: '127.0.0.1', request_id: expect.any(String) });
    expect(found.length).toBeLessThan(10);
    await oidc.tokenRevocation(await withSecret('web-app'), tokens.access_token);
    await oidc.tokenIntrospection(service, tokens.access_token);
    const [ended] = await recorded('outcome=inactive&caller=service', 1);
    expect(ended).toMatchObject({ kind: 'introspection', outcome: 'inactive', credential: null });
  });

  test('show a JWT by its jti, and userinfo by its user', async () => {
    const tokens = await aToken(jwtApi, 'openid report:read');
    const { jti } = decodeJwt(tokens.access_token);
    const sub = tokens.claims()?.sub ?? '';
    await oidc.tokenIntrospection(await withSecret('web-app'), tokens.access_token);
    await oidc.fetchUserInfo(await withSecret('web-app'), tokens.access_token, sub);
    expect(await recorded(`credential=${jti}`, 2)).toHaveLength(2);
    expect(await recorded(`user=${sub}&kind=userinfo`, 1)).toMatchObject([{ credential: jti, caller: null }]);
  });

  test('show a key that the gateway was asked about by its id, with the caller', async () => {
    const gateway = await Gateway.open(latchkey, owner);
    const minted = await gateway.mint({});
    await gateway.verify({ key: minted.key, permission: 'database:read:products', ip: '192.0.2.7' });
    await gateway.verify({ key: minted.key, permission: 'database:drop', ip: '192.0.2.7' });
    const found = await recorded(`credential=${minted.id}`, 2);
    expect(found).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'verification', outcome: 'active', address: '192.0.2.7' }),
        expect.objectContaining({ kind: 'verification', outcome: 'refused', caller: expect.any(String) }),
      ]),
    );
    const tokens = await aToken(api, 'openid read');
    await gateway.verify({ token: tokens.access_token, permission: 'read', resource: api });
    const record = (await recorded(`credential=${sha256(tokens.access_token)}`, 1))[0];
    expect(record).toMatchObject({ kind: 'verification', outcome: 'active', client_id: 'web-app' });
  });

  test('show a refused request with its address only, and no token is stored in the database', async () => {
    await fetch(`${latchkey.issuer}/oauth/userinfo`, { headers: { authorization: 'Bearer made-up-by-somebody' } });
    await fetch(`${latchkey.issuer}/oauth/introspect`, {
      method: 'POST',
      headers: { authorization: basic('service', 'wrong') },
      body: new URLSearchParams({ token: 'made-up-by-somebody' }),
    });
    const found = await Promise.all(
      ['introspection', 'userinfo'].map((kind) => recorded(`outcome=refused&kind=${kind}`, 1)),
    );
    for (const record of found.flat())
      expect(record).toMatchObject({ credential: null, user_id: null, address: '127.0.0.1' });
  });

  test('are paged and searched like every list', async () => {
    const page = await owner.get('/access-records?limit=1');
    expect(page.body.items).toHaveLength(1);
    const rest = await owner.get(`/access-records?limit=200&cursor=${page.body.next}`);
    expect(rest.body.items.map(({ id }) => id)).not.toContain(page.body.items[0]?.id);
    expect((await owner.get('/access-records?to=2020-01-01T00:00:00Z')).body.items).toEqual([]);
    expect((await owner.get('/access-records?user=nobody')).status).toBe(400);
    expect((await owner.get('/access-records?cursor=abc')).status).toBe(400);
  });

  test('lose the address when the personal data of the user is erased', async () => {
    const tokens = await aToken(api, 'openid read');
    const sub = tokens.claims()?.sub ?? '';
    await oidc.fetchUserInfo(await withSecret('web-app'), tokens.access_token, sub);
    await recorded(`credential=${sha256(tokens.access_token)}`, 1);
    const erased = await latchkey.commandJson(['audit', 'erase-details', 'alice', '--yes']);
    expect(erased).toMatchObject({ access_records: expect.any(Number) });
    expect(await recorded(`user=${sub}`, 1)).toEqual(
      expect.not.arrayContaining([expect.objectContaining({ address: '127.0.0.1' })]),
    );
  });
});
