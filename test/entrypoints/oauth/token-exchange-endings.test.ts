import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { exchangeInstallation, exchangeKey } from '../../support/exchange.ts';
import { Gateway, type Minted } from '../../support/gateway.ts';
import { api, jwtApi } from '../../support/installation.ts';
import { type Latchkey, startLatchkey } from '../../support/latchkey.ts';
import { statusOf } from '../../support/status-list.ts';

const latchkey = startLatchkey({ apply: exchangeInstallation });
let main: TwoNodes;
let owner: AdminApi;
let gateway: Gateway;
let nodes: string[] = [];
beforeAll(async () => {
  main = await twoNodesOf(latchkey);
  ({ owner, gateway, nodes } = main);
});

type TwoNodes = { latchkey: Latchkey; owner: AdminApi; gateway: Gateway; nodes: string[] };

/** Starts a second node, and assigns the role reader to bob. */
async function twoNodesOf(latchkey: Latchkey): Promise<TwoNodes> {
  const owner = await asOwner(latchkey);
  const permissions = ['read', 'report:read'].map((pattern) => ({ resource: null, pattern }));
  await owner.post('/roles', { name: 'reader', permissions });
  await owner.put('/roles/reader/assignments/user/bob', {});
  const nodes = [latchkey.issuer, (await latchkey.startNode()).address];
  return { latchkey, owner, gateway: await Gateway.open(latchkey, owner), nodes };
}

const ofService = { owner: { client_id: 'service' } };
const ofBob = { owner: { user: 'bob' } };
const mint = (given: object, { gateway } = main) =>
  gateway.mint({ ...ofService, permissions: ['read', 'report:read'], ...given });
const exchange = (key: string, resource: string, node = latchkey.issuer, at = latchkey) =>
  exchangeKey(at, key, { resource }, { node });

type Got = { opaque: string; jwt: string };

/** One token of each kind, each from another node. */
async function exchanged(key: string, { latchkey, nodes } = main): Promise<Got> {
  const [opaque, jwt] = await Promise.all(
    [api, jwtApi].map((resource, n) => exchange(key, resource, nodes[n], latchkey)),
  );
  return { opaque: opaque?.body.access_token ?? '', jwt: jwt?.body.access_token ?? '' };
}

type Standings = { active: boolean[]; gateway: unknown[] };

/** The results of every endpoint that checks tokens, for both tokens on both nodes. */
async function standings({ opaque, jwt }: Got, { latchkey, gateway, nodes } = main): Promise<Standings> {
  const each = nodes.flatMap((node) => [opaque, jwt].map((token) => ({ node, token })));
  const verify = async ({ node, token }: { node: string; token: string }) => {
    const resource = token === jwt ? jwtApi : api;
    return (await gateway.verify({ token, resource }, node)).code;
  };
  return {
    active: await Promise.all(each.map(({ node, token }) => latchkey.isActive(token, 'checker', node))),
    gateway: await Promise.all(each.map(verify)),
  };
}
const alive = { active: [true, true, true, true], gateway: ['valid', 'valid', 'valid', 'valid'] };
const isDead = { active: [false, false, false, false], gateway: expect.not.arrayContaining(['valid']) };

async function userinfo(token: string): Promise<number> {
  return (await fetch(`${latchkey.issuer}/oauth/userinfo`, { headers: { authorization: `Bearer ${token}` } })).status;
}

const revokedBy = (handleOf: (minted: Minted) => object) => async (minted: Minted) => {
  const handle = handleOf(minted);
  const planned = await owner.post('/revocations', { handle, dry_run: true });
  expect(planned.body).toMatchObject({ impact: { access_tokens: 2 } });
  const { body } = await owner.post('/revocations', { handle });
  expect(body).toMatchObject({ impact: planned.body.impact });
  const again = await owner.post('/revocations', { handle, dry_run: true });
  expect(again.body).toMatchObject({ impact: { access_tokens: 0, api_keys: 0 } });
};

describe('a token that was exchanged for a key is revoked with it', () => {
  const enableOwners = async () => {
    await owner.patch('/clients/service', { enabled: true });
    await owner.patch('/users/bob', { enabled: true });
  };
  afterEach(enableOwners);

  test.each<[string, object, (minted: Minted) => Promise<unknown>]>([
    ['is revoked', {}, ({ id }) => owner.post(`/api-keys/${id}/revoke`)],
    ['is revoked by its id', {}, revokedBy(({ id }) => ({ api_keys: { id } }))],
    ['is revoked by itself', {}, revokedBy(({ key }) => ({ api_keys: { key } }))],
    ['is revoked by a tag', { tags: ['doomed'] }, revokedBy(() => ({ api_keys: { tag: 'doomed' } }))],
    ['is disabled', {}, ({ id }) => owner.post(`/api-keys/${id}/disable`)],
    ['gets a new text without overlap', {}, ({ id }) => owner.post(`/api-keys/${id}/rotate`, { overlap_seconds: 0 })],
    ['is gone', {}, ({ id }) => latchkey.database.query('delete from api_keys where id = $1', [id])],
    ['belongs to a client that is disabled', {}, () => owner.post('/clients/service/disable')],
    ['belongs to a person who is disabled', ofBob, () => owner.post('/users/bob/disable')],
    ['goes with all of a person', ofBob, () => owner.post('/revocations', { handle: { user: 'bob' } })],
    ['goes with all of a client', {}, () => owner.post('/revocations', { handle: { client_id: 'service' } })],
  ])('when that %s: on every node, and in the status list', async (_, given, act) => {
    const [minted, bystander] = [await mint(given), await mint({ owner: { client_id: 'web-app' } })];
    const [got, other] = [await exchanged(minted.key), await exchanged(bystander.key)];
    expect(await standings(got)).toEqual(alive);
    expect(await statusOf(latchkey, got.jwt)).toBe(0);
    await act(minted);
    expect(await standings(got)).toEqual(isDead);
    expect(await standings(other)).toEqual(alive);
    expect(await Promise.all([got.opaque, got.jwt].map(userinfo))).toEqual([401, 401]);
    for (const node of nodes)
      await eventually(
        () => statusOf(latchkey, got.jwt, node),
        (status) => status === 1,
      );
    expect(await statusOf(latchkey, other.jwt)).toBe(0);
    // Revoked tokens stay revoked after everything is enabled again.
    await owner.post(`/api-keys/${minted.id}/enable`);
    await enableOwners();
    expect(await standings(got)).toEqual(isDead);
  });

  test('not when the key is rotated with an overlap, but when the overlap ends', async () => {
    const { id, key } = await mint({});
    const got = await exchanged(key);
    const present = String((await owner.post(`/api-keys/${id}/rotate`, { overlap_seconds: 60 })).body.key);
    const successor = await exchanged(present);
    expect(await standings(got)).toEqual(alive);
    await owner.post(`/api-keys/${id}/rotate`, { overlap_seconds: 0 });
    expect(await standings(got)).toEqual(isDead);
    expect(await standings(successor)).toEqual(isDead);
  });

  test('a node that has not received the change gets nothing for it: the commit checks it', async () => {
    const heldGood = async () => {
      const { id, key } = await mint({});
      await exchanged(key);
      // The nodes are not notified of this.
      await latchkey.database.query('update api_keys set revoked_at = now() where id = $1', [id]);
      const { code } = await gateway.verify({ key, permission: 'read' });
      for (const resource of [api, jwtApi])
        expect(await exchange(key, resource)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
      return code;
    };
    // A node that was delayed by five seconds correctly stops using its caches: then this is retried.
    await eventually(heldGood, (code) => code === 'valid', { withinMs: 120_000 });
  });

  test('if exchanges race with its revocation: after the response, no token is active', async () => {
    const statuses = new Set<number>();
    for (let round = 0; round < 5; round += 1) {
      const { id, key } = await mint({});
      await exchanged(key);
      const racing = Array.from({ length: 30 }, (_, n) => exchange(key, n % 3 === 0 ? jwtApi : api, nodes[n % 2]));
      expect((await owner.post(`/api-keys/${id}/revoke`)).status).toBe(200);
      const late = await exchange(key, api, nodes[1]);
      expect(late).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
      const answers = await Promise.all(racing);
      const got = answers.map(({ body }) => body.access_token).filter((token) => token !== undefined);
      for (const node of nodes) {
        const lives = await Promise.all(got.map((token) => latchkey.isActive(token, 'checker', node)));
        expect(lives.filter(Boolean)).toEqual([]);
      }
      for (const { status } of answers) statuses.add(status);
    }
    // There were exchanges before the revocation and after it, and no other responses.
    expect([...statuses].sort()).toEqual([200, 400]);
  });
});

test('an exchange records an event in its commit, and a use record, and none of the key value', async () => {
  const { id, key } = await mint(ofBob);
  const { opaque } = await exchanged(key);
  await exchange(key, 'https://unknown.example');
  const events = (await latchkey.auditEvents('access_token.issued')).filter(({ actor_id }) => actor_id === id);
  const told = { grant_type: 'token_exchange', client_id: 'latchkey-api-keys', scope: 'read', audience: api };
  expect(events).toHaveLength(2);
  expect(events).toContainEqual(
    expect.objectContaining({ actor_kind: 'api_key', target_kind: 'user', address: expect.any(String), details: told }),
  );
  const listed = await owner.get(`/audit/events?actor_kind=api_key&actor=${id}`);
  expect(listed.body.items).toHaveLength(2);
  const records = await eventually(
    async () => (await owner.get(`/access-records?kind=exchange&credential=${id}`)).body.items,
    (items) => items.some(({ outcome }) => outcome === 'refused'),
  );
  expect(records).toContainEqual(expect.objectContaining({ outcome: 'active', user_id: expect.any(String) }));
  const { rows } = await latchkey.database.query(
    `select string_agg(t::text, '') as everything from (
      select e::text as t from audit_events e union all select a::text from access_tokens a union all
      select j::text from jwt_access_tokens j union all select r::text from access_records r) all_rows`,
  );
  for (const secret of [key, opaque, Buffer.from(key).toString('hex')]) {
    expect(rows[0].everything).not.toContain(secret);
    expect(latchkey.server.output()).not.toContain(secret);
  }
});

describe('a token that was exchanged for a key that expires', () => {
  // A separate server, because its clock is moved.
  const latchkey = startLatchkey({ apply: exchangeInstallation });

  test('is revoked together with it', async () => {
    const at = await twoNodesOf(latchkey);
    const { key } = await mint({ expires_at: new Date(Date.now() + 90_000).toISOString() }, at);
    const got = await exchanged(key, at);
    expect(await standings(got, at)).toEqual(alive);
    await latchkey.advance(91);
    expect(await standings(got, at)).toMatchObject(isDead);
    const late = await exchange(key, api, latchkey.issuer, latchkey);
    expect(late).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
});
