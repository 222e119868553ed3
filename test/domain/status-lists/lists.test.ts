import pg from 'pg';
import { eventually } from '../../support/eventually.ts';
import { send } from '../../support/http.ts';
import { jwtApi } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { askForList, type Place, placeOf, statusAt, statusOf, verifiedList } from '../../support/status-list.ts';

const latchkey = startLatchkey();
const newToken = async () => (await latchkey.clientCredentials({ resource: jwtApi })).body.access_token;
const newPlace = async (): Promise<Place> => placeOf(await newToken());
const revoke = (token: string) => latchkey.post('/oauth/revoke', { token }, 'service');

describe('a status list', () => {
  test('is signed as a status list by a published key, names itself, and states how long it may be cached (draft §5.1)', async () => {
    const { uri } = await newPlace();
    const { payload, protectedHeader } = await verifiedList(latchkey, uri);
    expect(uri).toMatch(new RegExp(`^${latchkey.issuer}/status-lists/[1-9]\\d*$`));
    expect(protectedHeader).toEqual({ typ: 'statuslist+jwt', alg: 'ES256', kid: expect.any(String) });
    expect(payload).toMatchObject({ iss: latchkey.issuer, sub: uri, ttl: 60, status_list: { bits: 1 } });
    expect(Math.abs(Date.now() / 1000 - Number(payload.iat))).toBeLessThan(35);
    expect(Number(payload.exp) - Number(payload.iat)).toBe(600);
  });

  test('is served with its media type, cacheable for its ttl, to pages of any origin (draft §8.1, §8.2)', async () => {
    const { uri } = await newPlace();
    const { status, headers } = await askForList(latchkey, uri, { headers: { origin: 'https://verifier.example' } });
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'application/statuslist+jwt',
      'cache-control': 'public, max-age=60',
      'access-control-allow-origin': '*',
    });
    expect(headers.get('set-cookie')).toBeNull();
    const preflight = { origin: 'https://verifier.example', 'access-control-request-method': 'GET' };
    const allowed = await askForList(latchkey, uri, { method: 'OPTIONS', headers: preflight });
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-headers')).toContain('If-None-Match');
  });

  test('marks the revoked token, and no other', async () => {
    const tokens = await Promise.all(Array.from({ length: 40 }, newToken));
    const [revoked = '', ...others] = tokens;
    await revoke(revoked);
    await untilMarked(revoked);
    const list = await verifiedList(latchkey, placeOf(revoked).uri);
    expect(others.map((token) => statusAt(list, placeOf(token).idx))).toEqual(others.map(() => 0));
  });

  test('does not give consecutive tokens consecutive indexes (draft §12.5)', async () => {
    const places: Place[] = [];
    for (let n = 0; n < 30; n += 1) places.push(await newPlace());
    const steps = places.slice(1).map(({ idx }, n) => Math.abs(idx - (places[n]?.idx ?? 0)));
    expect(new Set(places.map(({ idx }) => idx)).size).toBe(30);
    expect(steps.filter((step) => step === 1).length).toBeLessThan(5);
    expect(places.map(({ idx }) => idx)).not.toEqual(places.map(({ idx }) => idx).sort((a, b) => a - b));
  });

  test('is not sent again to a client that has it, until it changes (RFC 9110 §13.1.2)', async () => {
    const token = await newToken();
    const { uri } = placeOf(token);
    const ask = async () => {
      const etag = (await askForList(latchkey, uri)).headers.get('etag') ?? '';
      return { etag, again: await askForList(latchkey, uri, { headers: { 'if-none-match': etag } }) };
    };
    // The half minute of a signature may end between the two requests.
    const { etag, again } = await eventually(ask, ({ again: { status } }) => status === 304);
    expect(again).toMatchObject({ status: 304, body: { text: '' } });
    expect(again.headers.get('etag')).toBe(etag);
    expect(again.headers.get('cache-control')).toBe('public, max-age=60');
    await revoke(token);
    await untilMarked(token);
    expect(await askForList(latchkey, uri, { headers: { 'if-none-match': etag } })).toMatchObject({ status: 200 });
  });

  test('answers HEAD without a body', async () => {
    const { uri } = await newPlace();
    const answer = await askForList(latchkey, uri, { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: { text: '' } });
    expect(answer.headers.get('etag')).toMatch(/^W\/"/);
  });

  test.each([
    ['unknown', '/status-lists/999999'],
    ['no number', '/status-lists/first'],
    ['zero', '/status-lists/0'],
    ['padded', '/status-lists/01'],
    ['beyond what PostgreSQL counts to', '/status-lists/99999999999999999999'],
    ['percent-encoded', '/status-lists/%31'],
    ['two', '/status-lists/1/2'],
  ])('that is %s is not found', async (_, path) => {
    const { status, headers, body } = await askForList(latchkey, latchkey.issuer + path);
    expect({ status, type: body.type }).toEqual({ status: 404, type: 'urn:latchkey:problem:not_found' });
    expect(headers.get('content-type')).toContain('application/problem+json');
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('accepts no %s', async (method) => {
    const answer = await askForList(latchkey, (await newPlace()).uri, { method });
    expect(answer).toMatchObject({ status: 405, body: { status: 405 } });
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  test('of an earlier time is not implemented (draft §8.4)', async () => {
    const { uri } = await newPlace();
    expect(await askForList(latchkey, `${uri}?time=1686925000`)).toMatchObject({ status: 501 });
  });

  test('has no other format', async () => {
    const { uri } = await newPlace();
    const ask = async (accept: string) => (await askForList(latchkey, uri, { headers: { accept } })).status;
    expect(await ask('application/statuslist+cwt')).toBe(406);
    expect(await ask('application/statuslist+cwt, application/statuslist+jwt')).toBe(200);
    expect(await ask('*/*')).toBe(200);
  });

  test('is read from the database once for many concurrent requests', async () => {
    const { uri } = await newPlace();
    const holder = new pg.Client({ connectionString: latchkey.database.url });
    await holder.connect();
    await askForList(latchkey, uri);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await holder.query('begin; lock table status_lists in access exclusive mode');
    const asked = Array.from({ length: 100 }, () => askForList(latchkey, uri));
    const reading = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
      and query like '%from status_lists l where l.id = $1%'`;
    // Within its transaction, the holder would see the activity of one moment only.
    const waiting = () => latchkey.database.query(reading);
    await eventually(waiting, ({ rowCount }) => rowCount !== 0);
    // Connections are accepted in order: once a later one is answered, the others were accepted.
    await send(latchkey.issuer, '/healthz');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { rowCount } = await waiting();
    await holder.query('commit');
    await holder.end();
    const answers = await Promise.all(asked);
    expect(rowCount).toBe(1);
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
  });
});

test('all active lists are named at one address, which the metadata contains (draft §9)', async () => {
  const metadata = await askForList(latchkey, `${latchkey.issuer}/.well-known/oauth-authorization-server`);
  const address = String(metadata.body.status_list_aggregation_endpoint);
  const first = (await newPlace()).uri;
  // As if all its indexes were used: the next node that needs some creates another list.
  await latchkey.database.query('update status_lists set leased = size');
  const node = await latchkey.startNode();
  const { body: issued } = await latchkey.clientCredentials({ resource: jwtApi }, 'service', node.address);
  const second = placeOf(issued.access_token).uri;
  const answer = await eventually(
    () => askForList(latchkey, address),
    ({ body }) => Array.isArray(body.status_lists) && body.status_lists.length === 2,
  );
  expect(second).not.toBe(first);
  expect(answer).toMatchObject({ status: 200, body: { status_lists: [first, second] } });
  expect(answer.headers.get('content-type')).toContain('application/json');
  for (const uri of [first, second]) expect((await verifiedList(latchkey, uri)).payload.sub).toBe(uri);
});

async function untilMarked(token: string): Promise<void> {
  await eventually(
    () => statusOf(latchkey, token),
    (status) => status === 1,
  );
}
