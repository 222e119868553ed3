import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { sealed } from '../audit/support/log.ts';
import { Receiver } from './support/receiver.ts';

describe('a receiver of events', () => {
  const latchkey = startLatchkey({ ownProcess: true });
  const receiver = new Receiver();
  let owner: AdminApi;
  let secret = '';
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    await receiver.start();
    const { body } = await owner.post('/webhooks', { url: receiver.url, events: ['role.created'] });
    secret = String(body.secret);
  });
  afterAll(() => receiver.stop());

  const role = async (name: string, node = latchkey.server.address) => {
    const { status } = await owner.post('/roles', { name, permissions: [] }, { node });
    expect(status).toBe(201);
  };
  const names = () => receiver.verified(secret).map(({ data }) => data.target_id);

  test('receives in order what happened on two nodes, no matter which seals and sends it', async () => {
    const second = await latchkey.startNode();
    const made = Array.from({ length: 10 }, (_, n) => `role-${n}`);
    for (const [n, name] of made.entries()) await role(name, n % 2 ? second.address : undefined);
    await eventually(
      () => new Set(receiver.received.map(({ id }) => id)),
      ({ size }) => size === made.length,
    );
    expect([...new Set(names())]).toEqual(made);
    const ids = new Map(receiver.received.map(({ id, body }) => [body, id]));
    expect(ids.size).toBe(made.length);
    await second.stop();
  });

  test('receives what was acknowledged when the server was killed, sealed or sending (SIGKILL)', async () => {
    receiver.received.length = 0;
    receiver.answers = [0];
    await role('heard-by-nobody');
    await receiver.until(1);
    await role('sealed-not-sent');
    await sealed(latchkey.database);
    await role('just-acknowledged');
    await latchkey.process.kill('SIGKILL');
    await latchkey.startNode();
    const expected = ['heard-by-nobody', 'sealed-not-sent', 'just-acknowledged'];
    await eventually(
      () => new Set(names()),
      ({ size }) => size === expected.length,
      { withinMs: 120_000 },
    );
    expect(names()).toEqual(['heard-by-nobody', ...expected]);
    expect(receiver.received[0]?.id).toBe(receiver.received[1]?.id);
  });
});
