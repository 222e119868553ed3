import { asOwner, asService } from '../../support/admin.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('refusals', () => {
  const latchkey = startLatchkey();
  const wrongSecret = () =>
    fetch(`${latchkey.issuer}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from('service:wrong').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });

  test('of a client are recorded at once, and many of them as one event a minute with their number', async () => {
    await latchkey.stayWithin('minute');
    for (let n = 0; n < 5; n += 1) expect((await wrongSecret()).status).toBe(401);
    expect(await latchkey.auditEvents('client.refused')).toMatchObject([
      { outcome: 'failure', reason: 'wrong secret', target_id: 'service', address: expect.any(String), details: null },
    ]);
    await latchkey.advance(61);
    await wrongSecret();
    expect(await latchkey.auditEvents('client.refused')).toMatchObject([
      { details: null },
      { reason: 'wrong secret', target_id: 'service', details: { more: 4 } },
      { details: null },
    ]);
  });

  test('of the admin API name the permission that was missing', async () => {
    const owner = await asOwner(latchkey);
    const nobody = await asService(latchkey, owner, { permissions: ['latchkey:client:read'] });
    expect(await nobody.post('/users', {})).toMatchObject({ status: 403 });
    expect(await latchkey.auditEvents('admin.refused')).toMatchObject([
      { actor_kind: 'client', outcome: 'failure', details: { method: 'POST', path: '/admin/v1/users' } },
    ]);
  });
});
