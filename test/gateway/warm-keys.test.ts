import { asOwner } from '../support/admin.ts';
import { Gateway } from '../support/gateway.ts';
import { startLatchkey } from '../support/latchkey.ts';

const byPath = '?permission=database:read:{path.1}';

describe.each([
  ['trusted', '1'],
  ['not trusted', 'off'],
])('where proxies are %s, a key that this node has met', (_, trusted) => {
  const latchkey = startLatchkey({ env: { LATCHKEY_TRUST_PROXY: trusted } });

  test('is answered about as one that is read, and counted alike', async () => {
    const owner = await asOwner(latchkey);
    const gateway = await Gateway.open(latchkey, owner);
    const rate_limit = '5 requests/hour';
    const { id, key } = await gateway.mint({ restrictions: { rate_limit, ip_allowlist: ['127.0.0.1'] } });
    const sent = { 'x-api-key': key, 'x-original-uri': '/products', 'x-request-id': 'the-same-request' };
    const ask = async (headers: Record<string, string> = {}) => {
      const answer = await gateway.forwardAuth(byPath, { ...sent, ...headers });
      return { status: answer.status, headers: [...answer.headers].filter(([name]) => name !== 'date') };
    };
    const read = await ask();
    expect(read.status).toBe(200);
    expect(read.headers).toEqual(
      expect.arrayContaining([
        ['cache-control', 'no-store'],
        ['x-content-type-options', 'nosniff'],
      ]),
    );
    expect(await ask()).toEqual(read);
    expect(await ask()).toEqual(read);
    // From elsewhere, if whoever says so is believed: then memory refuses it as the database would.
    expect((await ask({ 'x-forwarded-for': '192.0.2.9' })).status).toBe(trusted === '1' ? 403 : 200);
    expect((await ask({ 'x-original-uri': '/orders' })).status).toBe(403);
    const allowed = trusted === '1' ? 2 : 1;
    for (let n = 0; n < allowed; n += 1) expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
    for (let uses = 0; uses < 5; ) {
      const { body } = await owner.get(`/access-records?credential=${id}&outcome=active`);
      uses = body.items.reduce((sum, item) => sum + Number(item.uses), 0);
      expect(uses).toBeLessThanOrEqual(5);
    }
    // Met, though nothing was counted yet: what is counted first has to be read, and counts once all the same.
    const { key: counted } = await gateway.mint({ restrictions: { quota: { day: 3 } } });
    expect((await ask({ 'x-api-key': counted, 'x-original-uri': '/orders' })).status).toBe(403);
    const statuses: number[] = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await ask({ 'x-api-key': counted })).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    await owner.post('/revocations', { handle: { api_keys: { id } } });
    expect((await ask()).status).toBe(401);
  });
});
