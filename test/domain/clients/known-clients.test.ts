import pg from 'pg';
import type { ClientRecord } from '../../../src/entrypoints/oauth/store/reads.ts';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { withoutTriggers } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import type { RunningServer } from '../../support/hosted-server.ts';
import { api, clientSecrets } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { report } from '../../support/report.ts';
import { withStalls } from '../../support/stalls.ts';

/** One second, and another one for a busy machine. */
const boundMs = 2000;
/** A node's cache is not used after five seconds without the feed. */
const distrustMs = 7000;

const request = { grant_type: 'client_credentials', resource: api, scope: 'read' };

describe('a client that every node caches', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let other: RunningServer;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    other = await latchkey.startNode();
  });

  /** The response of a node to the service. */
  const ask = async (node = other.address) => {
    const { status, body } = await latchkey.post('/oauth/token', request, 'service', node);
    return status === 200 ? 200 : body.error;
  };
  const opensAt = (secret: string, node: string) => latchkey.isLetIn('service', secret, node);

  /** The time until the other node answers so, without waits for the CPU. */
  async function untilOther(answer: unknown): Promise<number> {
    const { ownMs } = await withStalls(() =>
      eventually(
        () => ask(),
        (each) => each === answer,
        { pauseMs: 5 },
      ),
    );
    return Math.round(ownMs);
  }

  beforeEach(async () => {
    expect([await ask(latchkey.issuer), await ask()]).toEqual([200, 200]);
  });

  // A new column of the cached data must be added here.
  const remembered: Record<Exclude<keyof ClientRecord, 'id' | 'secrets' | 'document'>, true> = {
    client_id: true,
    type: true,
    metadata: true,
    resources: true,
    service_permissions: true,
    introspects: true,
    lifetimes: true,
    first_party: true,
    claims_in_id_token: true,
    allowed_factors: true,
    registered_by: true,
    enabled: true,
    epoch: true,
  };

  test.each(Object.keys(remembered))('is forgotten by every node when its %s changes', async (column) => {
    const announced = async () =>
      (
        await latchkey.database.query(
          `select max(position) as n from changes where kind = 'client' and key = 'service'`,
        )
      ).rows[0].n;
    const before = await announced();
    // Triggers increment it; an unchanged value is no change.
    const value = column === 'epoch' ? 'epoch + 1' : column;
    await latchkey.database.query(`update clients set ${column} = ${value} where client_id = 'service'`);
    expect(await announced()).not.toBe(before);
  });

  test('loses a permission at once on the node that answered, and within a second elsewhere', async () => {
    await owner.patch('/clients/service', { service_permissions: { [api]: null } });
    expect(await ask(latchkey.issuer)).toBe('invalid_scope');
    const lostMs = await untilOther('invalid_scope');
    await owner.patch('/clients/service', { service_permissions: { [api]: ['read'] } });
    expect(await ask(latchkey.issuer)).toBe(200);
    report(`a permission taken away elsewhere: ${lostMs} ms, given back: ${await untilOther(200)} ms`);
    expect(lostMs).toBeLessThan(boundMs);
  });

  test('gets no token on any node once it is disabled, whatever a node has cached', async () => {
    await withoutTriggers(latchkey.database, 'update clients set enabled = false where client_id = $1', ['service']);
    expect([await ask(latchkey.issuer), await ask()]).not.toContain(200);
    await withoutTriggers(latchkey.database, 'update clients set enabled = true where client_id = $1', ['service']);
  });

  test('has a new secret on every node at once, also on one that has not received the change', async () => {
    await latchkey.database.query('alter table client_secrets disable trigger client_secrets_announced');
    const { body } = await owner.post('/clients/service/secrets', {});
    await latchkey.database.query('alter table client_secrets enable trigger client_secrets_announced');
    const secret = String(body.client_secret);
    expect([await opensAt(secret, latchkey.issuer), await opensAt(secret, other.address)]).toEqual([true, true]);
    expect(await opensAt(`${secret}x`, other.address)).toBe(false);
  });

  test('loses a secret at once on the node that answered, and within a second elsewhere', async () => {
    const { body } = await owner.post('/clients/service/secrets', {});
    const secret = String(body.client_secret);
    expect([await opensAt(secret, latchkey.issuer), await opensAt(secret, other.address)]).toEqual([true, true]);
    await owner.post(`/clients/service/secrets/${body.id}/revoke`);
    const { ownMs } = await withStalls(async () => {
      expect(await opensAt(secret, latchkey.issuer)).toBe(false);
      await eventually(
        () => opensAt(secret, other.address),
        (each) => !each,
        { pauseMs: 5 },
      );
    });
    const lostMs = Math.round(ownMs);
    report(`a secret revoked elsewhere: ${lostMs} ms`);
    expect(lostMs).toBeLessThan(boundMs);
    expect(await opensAt(clientSecrets.service, other.address)).toBe(true);
  });

  test('loses an expired secret without a notification', async () => {
    const isLetIn = () => latchkey.isLetIn('web-app', clientSecrets['web-app'], other.address);
    const { body } = await owner.post('/clients/web-app/secrets/rotate', { overlap_seconds: 3 });
    expect(await isLetIn()).toBe(true);
    await eventually(isLetIn, (each) => !each, { pauseMs: 50 });
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(String(body.previous_expires_at)));
  });

  test('is read again for each request while the change feed is cut', async () => {
    const client = new pg.Client({ connectionString: latchkey.database.url });
    await client.connect();
    await client.query('begin');
    await client.query('lock table changes in access exclusive mode');
    await withoutTriggers(latchkey.database, "update clients set service_permissions = '{}' where client_id = $1", [
      'service',
    ]);
    const noticedMs = await untilOther('invalid_scope');
    report(`feed cut: what was remembered of a client was distrusted after ${noticedMs} ms`);
    expect(noticedMs).toBeLessThan(distrustMs);
    await client.end();
  });
});
