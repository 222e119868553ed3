import { type AdminApi, asOwner } from '../support/admin.ts';
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

  test('a node that restarts goes on with it', async () => {
    await query("insert into kysely_migration (name, timestamp) values ('9999_of_a_newer_version', now()::text)");
    const node = await latchkey.startNode();
    expect(
      await latchkey.post('/oauth/token', { grant_type: 'client_credentials', resource: api }, 'service', node.address),
    ).toMatchObject({ status: 200 });
  });

  test('a key with a restriction of an unknown kind passes nowhere, and gives nothing away', async () => {
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
      await condition(byPod);
    });

    test('goes on beside a trust of an unknown kind, which lists show', async () => {
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
        names: ['cluster', 'newer'],
      });
    });
  });

  test('a client that was registered in an unknown way is not known', async () => {
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
