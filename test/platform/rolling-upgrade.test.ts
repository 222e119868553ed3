import { type AdminApi, asOwner } from '../support/admin.ts';
import { withConfiguration } from '../support/configuration-file.ts';
import { consoleAs } from '../support/console.ts';
import { eventually } from '../support/eventually.ts';
import { ForeignIssuer } from '../support/foreign-issuer.ts';
import { Gateway } from '../support/gateway.ts';
import { api } from '../support/installation.ts';
import { startLatchkey } from '../support/latchkey.ts';

const pod = 'system:serviceaccount:shop:orders';
const byPod = { claim: 'sub', equals: pod };

describe('while a newer version has already migrated the database', () => {
  const latchkey = startLatchkey();
  const query = (statement: string, values: unknown[] = []) => latchkey.database.query(statement, values);
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  test('a node that restarts continues to work with it', async () => {
    await query("insert into kysely_migration (name, timestamp) values ('9999_of_a_newer_version', now()::text)");
    const node = await latchkey.startNode();
    expect(
      await latchkey.post('/oauth/token', { grant_type: 'client_credentials', resource: api }, 'service', node.address),
    ).toMatchObject({ status: 200 });
  });

  test('a key with a restriction of an unknown kind is refused everywhere, and grants nothing', async () => {
    const gateway = await Gateway.open(latchkey, owner);
    const { id, key } = await gateway.mint({ permissions: ['latchkey:api_key:create', 'read'] });
    expect(await gateway.verify({ key })).toMatchObject({ code: 'valid' });
    await query(`update api_keys set restrictions = '{"moon_phase": "full"}' where id = $1`, [id]);
    const code = async () => (await gateway.verify({ key })).code;
    await eventually(code, (answered) => answered === 'restriction_unknown');
    const { body } = await owner.get(`/api-keys/${id}`);
    expect(body).toMatchObject({ restrictions: { moon_phase: 'full' } });
    expect(JSON.stringify(body)).toContain('which this version of Latchkey does not know');
    const given = await fetch(`${latchkey.issuer}/admin/v1/api-keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'more', permissions: [{ pattern: 'read' }] }),
    });
    expect([401, 403]).toContain(given.status);
  });

  describe('a trusted issuer', () => {
    let issuer: ForeignIssuer;
    let id: string;
    beforeAll(async () => {
      issuer = await ForeignIssuer.named('https://cluster.example', { alg: 'ES256' });
      const trust = {
        ...{ name: 'cluster', issuer: issuer.issuer, jwks: { keys: issuer.keys } },
        ...{ conditions: [byPod], permissions: { [api]: ['read'] } },
      };
      id = String((await owner.post('/trusts', trust)).body.id);
    });
    const present = async () =>
      latchkey.post('/oauth/token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
        assertion: await issuer.sign({ sub: pod, aud: latchkey.issuer }),
        resource: api,
      });
    const condition = (written: object) =>
      query('update trusts set conditions = $2 where id = $1', [id, JSON.stringify([written])]);

    test.each([
      ['an unknown member', { ...byPod, not: true }],
      ['an unknown comparison', { claim: 'sub', suffix: 'orders' }],
    ])('gets no tokens by a condition with %s, and an explanation', async (_, written) => {
      await eventually(present, ({ status }) => status === 200);
      await condition(written);
      await eventually(present, ({ body }) => body.error === 'invalid_grant');
      const assertion = await issuer.sign({ sub: pod, aud: latchkey.issuer });
      const { body } = await owner.post(`/trusts/${id}/explanation`, { assertion });
      expect(JSON.stringify(body)).toContain('it must meet a condition of a newer version of Latchkey');
      expect((await owner.get('/trusts')).body.items).toContainEqual(
        expect.objectContaining({ conditions: [written] }),
      );
      const page = await (await consoleAs(latchkey)).get(`/trusts/${id}`);
      expect([page.status, page.html.includes('undefined')]).toEqual([200, false]);
      // It would remove the condition.
      const input = { name: 'cluster', issuer: issuer.issuer, jwks: { keys: issuer.keys }, conditions: [byPod] };
      const applied = await withConfiguration({ trusts: [input] }, (file) => latchkey.command(['apply', file]));
      expect([applied.code === 0, applied.stderr]).toEqual([false, expect.stringContaining('newer version')]);
      await condition(byPod);
    });

    const set = (assignment: string, values: unknown[] = [], of = id) =>
      query(`update trusts set ${assignment} where id = $1`, [of, ...values]);

    test.each([
      ['a column of its own', 'proof', `proof = '{"of": "possession"}'`, 'proof = null'],
      [
        'a member of a known setting',
        'token_review.proof',
        `token_review = '{"url": "https://cluster.example", "proof": true}'`,
        'token_review = null',
      ],
    ])('gets no tokens by a trust that %s narrows, beside its keys', async (_, name, narrowed, asBefore) => {
      await query('alter table trusts add column if not exists proof json');
      await eventually(present, ({ status }) => status === 200);
      await set(narrowed);
      await eventually(present, ({ body }) => body.error === 'invalid_grant');
      const assertion = await issuer.sign({ sub: pod, aud: latchkey.issuer });
      const { status, body } = await owner.post(`/trusts/${id}/explanation`, { assertion });
      expect({ status, body }).toMatchObject({ status: 200, body: { accepted: false } });
      expect(body.checks).toContainEqual({
        ...{
          check: 'version',
          passed: false,
          detail: expect.stringContaining(`these settings of this trust: ${name}`),
        },
      });
      expect((await owner.patch(`/trusts/${id}`, { most_workloads: 3 })).status).toBe(409);
      await set(asBefore);
      await eventually(present, ({ status }) => status === 200);
    });

    test('signs no one in by a trust that a newer version narrows', async () => {
      const login = { client_id: 'latchkey', label: 'Staff accounts' };
      const { body } = await owner.post('/trusts', { name: 'staff', kind: 'login', issuer: issuer.issuer, login });
      const trust = String(body.id);
      const isOffered = async () =>
        (await latchkey.browser().get(latchkey.authorizeUrl())).html.includes('Staff accounts');
      expect(await isOffered()).toBe(true);
      await set(`login = (login::jsonb || '{"networks": ["10.0.0.0/8"]}')::json`, [], trust);
      await eventually(isOffered, (offered) => !offered);
      await set('enabled = false', [], trust);
    });

    test('continues beside a trust of an unknown kind, which lists show', async () => {
      await query('alter table trusts drop constraint if exists trusts_kind_check');
      const columns = await query(
        `select string_agg(quote_ident(column_name), ', ') as names from information_schema.columns
          where table_name = 'trusts' and column_name not in ('id', 'kind', 'name') and is_generated = 'NEVER'`,
      );
      const [{ names }] = columns.rows as [{ names: string }];
      await query(
        `insert into trusts (id, kind, name, ${names}) select gen_random_uuid(), 'of_a_newer_version', 'newer', ${names} from trusts where id = $1`,
        [id],
      );
      await eventually(present, ({ status }) => status === 200);
      const { status, body } = await owner.get('/trusts');
      expect({ status, names: (body.items as { name: string }[]).map(({ name }) => name).sort() }).toEqual({
        status: 200,
        names: expect.arrayContaining(['cluster', 'newer']),
      });
      const newer = (body.items as { id: string; name: string }[]).find(({ name }) => name === 'newer');
      const assertion = await issuer.sign({ sub: pod, aud: latchkey.issuer });
      expect(await owner.post(`/trusts/${newer?.id}/explanation`, { assertion })).toMatchObject({
        status: 200,
        body: { accepted: false },
      });
    });
  });

  test('a client with an unknown kind of registration is not accepted', async () => {
    expect(await latchkey.clientCredentials()).toMatchObject({ status: 200 });
    await query('alter table clients drop constraint clients_registered_by_check');
    await query(`update clients set registered_by = 'somebody' where client_id = 'service'`);
    const error = async () => (await latchkey.clientCredentials()).body.error;
    await eventually(error, (answered) => answered === 'invalid_client');
    expect((await owner.get('/clients')).status).toBe(200);
  });

  test.each(['trusts', 'clients', 'api-keys', 'credentials'])(
    'the list of %s in the console is shown',
    async (list) => {
      const browser = await consoleAs(latchkey);
      const { status, html } = await browser.get(`/${list}`);
      expect({ status, isBroken: html.includes('undefined') }).toEqual({ status: 200, isBroken: false });
    },
  );
});
