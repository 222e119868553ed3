import { type AdminApi, asOwner } from '../support/admin.ts';
import { startLatchkey } from '../support/latchkey.ts';

describe('the audit log in the admin API', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  test('is found by action, actor, target, outcome, time and text, newest first, page by page', async () => {
    for (const n of [1, 2, 3])
      await owner.post('/clients', { client_id: `seen-${n}`, grant_types: ['client_credentials'] });
    const all = await owner.get('/audit/events?action=client.created&text=seen-&limit=2');
    expect(all.body.items.map(({ target_id }) => target_id)).toEqual(['seen-3', 'seen-2']);
    const rest = await owner.get(`/audit/events?action=client.created&text=seen-&limit=2&cursor=${all.body.next}`);
    expect(rest.body).toMatchObject({
      items: [{ target_id: 'seen-1', actor_kind: 'client', outcome: 'success' }],
      next: null,
    });
    expect((await owner.get('/audit/events?target=seen-2&action=client.created')).body.items).toHaveLength(1);
    expect((await owner.get('/audit/events?target=seen-2&to=2020-01-01T00:00:00Z')).body.items).toEqual([]);
    expect(await owner.get('/audit/events?from=yesterday')).toMatchObject({ status: 400, body: { pointer: '/from' } });
  });

  test('proves itself', async () => {
    const { status, body } = await owner.get('/audit/verification');
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { is_intact: true, fault: null, head: { head: expect.any(String) } },
    });
  });
});
