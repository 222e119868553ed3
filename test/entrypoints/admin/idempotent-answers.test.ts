import { createSecretKey, hkdfSync } from 'node:crypto';
import { digest, type Sealed, seal, unseal } from '../../../src/platform/crypto/index.ts';
import { type AdminApi, asOwner } from '../../support/admin.ts';
import { startLatchkey } from '../../support/latchkey.ts';

describe('a response that is stored for an Idempotency-Key', () => {
  const latchkey = startLatchkey();
  let owner: AdminApi;
  let node = '';
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    node = (await latchkey.startNode()).address;
  });

  type Row = { digest: Buffer; request_digest: Buffer; sealed: Sealed };
  const weakKey = 'deploy-key-0417';
  const headers = { 'idempotency-key': weakKey };
  const service = (client_id: string) => ({ client_id, grant_types: ['client_credentials'] });
  const place = (row: Row) => ['idempotency_keys', 'sealed', row.digest.toString('hex')] as const;
  const newestRow = async (): Promise<Row> => {
    const { rows } = await latchkey.database.query('select * from idempotency_keys order by created_at desc limit 1');
    return rows[0];
  };
  /** The plaintext that a copy of the database and a correct guess of the caller's key reveal. */
  const guessedKey = (row: Row) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', weakKey, row.digest, 'latchkey idempotency', 32)));
  const keptBody = (body: unknown) => JSON.stringify(['', body]);

  test('cannot be read from a copy of the database by guessing the key (OWASP ASVS 5.0 11.3)', async () => {
    const { body } = await owner.post('/clients', service('guessed'), { headers });
    expect(body.client_secret).toEqual(expect.any(String));
    const row = await newestRow();
    expect(() => unseal(guessedKey(row), place(row), row.sealed)).toThrow('sealed under another key');
  });

  test('does not reveal the request, which may contain a password, by a digest that can be guessed', async () => {
    const sent = { username: 'ida', password: 'a weak password 1' };
    expect((await owner.post('/users', sent, { headers })).status).toBe(201);
    const { request_digest } = await newestRow();
    expect(request_digest).not.toEqual(digest(keptBody(sent)));
    expect(await owner.post('/users', { ...sent, password: 'another password 1' }, { headers })).toMatchObject({
      status: 422,
    });
  });

  test('is repeated by every node, also after the node that stored it has stopped', async () => {
    const given = { headers: { 'idempotency-key': 'deploy-key-0418' } };
    const first = await owner.post('/clients', service('again'), { ...given, node });
    const again = await owner.post('/clients', service('again'), given);
    expect(again).toMatchObject({ status: 201, body: { client_secret: first.body.client_secret } });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  test('of the previous version is still repeated during an upgrade', async () => {
    const sent = service('upgraded');
    const first = await owner.post('/clients', sent, { headers: { 'idempotency-key': 'deploy-key-0419' } });
    const row = await newestRow();
    const key = createSecretKey(
      Buffer.from(hkdfSync('sha256', 'deploy-key-0419', row.digest, 'latchkey idempotency', 32)),
    );
    const answer = JSON.stringify({ status: 201, body: { client_secret: first.body.client_secret } });
    await latchkey.database.query(
      'update idempotency_keys set key_id = null, request_digest = $1, sealed = $2 where digest = $3',
      [digest(keptBody(sent)), seal(key, place(row), answer), row.digest],
    );
    const again = await owner.post('/clients', sent, { headers: { 'idempotency-key': 'deploy-key-0419' } });
    expect(again).toMatchObject({ status: 201, body: { client_secret: first.body.client_secret } });
  });
});
