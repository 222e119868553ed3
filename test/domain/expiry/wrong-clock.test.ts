import { eventually } from '../../support/eventually.ts';
import { jwtApi } from '../../support/installation.ts';
import { queueJob } from '../../support/jobs.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { statusOf } from '../../support/status-list.ts';

const hour = 3600;
const day = 24 * hour;
const readiness = async (node: string) => (await fetch(`${node}/readyz`)).status;

describe('a node whose clock is 400 days ahead of the database', () => {
  const latchkey = startLatchkey();
  const runExpiryNow = () => queueJob(latchkey.database, 'remove-expired');
  const rows = async () => {
    const tables = ['access_tokens', 'jwt_access_tokens', 'refresh_families', 'grants', 'sessions', 'session_ids'];
    const counts = tables.map((table) => `(select count(*) from ${table})::int as ${table}`);
    return (await latchkey.database.query(`select ${counts.join(', ')}`)).rows[0];
  };
  const stateOf = async (id: string) =>
    (await latchkey.database.query('select state from pgboss.job where id = $1', [id])).rows[0]?.state;

  test('is not ready, issues nothing, runs no jobs and deletes nothing; the other node continues', async () => {
    const { access_token, refresh_token } = await latchkey.tokens();
    const { body: jwt } = await latchkey.clientCredentials({ resource: jwtApi });
    await latchkey.post('/oauth/revoke', { token: jwt.access_token }, 'service');
    const before = await rows();

    await latchkey.server.advance(400 * day);
    await eventually(
      () => readiness(latchkey.issuer),
      (status) => status === 503,
    );
    // It may fetch a job just before it stops polling the queue, and must not run that one either.
    await runExpiryNow();
    expect(await latchkey.clientCredentials()).toMatchObject({
      status: 503,
      body: { error: 'temporarily_unavailable', error_description: expect.stringContaining('clock') },
    });
    // It stops polling soon: from then on, no one fetches a job.
    const { id: waiting } = await eventually(
      async () => {
        const id = await runExpiryNow();
        await new Promise((resolve) => setTimeout(resolve, 1000));
        return { id, state: await stateOf(id) };
      },
      ({ state }) => state === 'created',
    );
    expect(await rows()).toEqual(before);

    const other = await latchkey.startNode();
    await eventually(
      () => stateOf(waiting),
      (state) => state === 'completed',
      { withinMs: 120_000 },
    );
    expect(await rows()).toEqual(before);
    expect(await latchkey.isActive(access_token, 'web-app', other.address)).toBe(true);
    expect(await latchkey.isActive(jwt.access_token, 'service', other.address)).toBe(false);
    expect(await latchkey.refresh(refresh_token, 'web-app', other.address)).toMatchObject({ status: 200 });
  });
});

describe('rows that expired by the database clock', () => {
  const latchkey = startLatchkey();

  test('keep the bit of a revoked JWT until the token itself has expired', async () => {
    const { body } = await latchkey.clientCredentials({ resource: jwtApi });
    await latchkey.post('/oauth/revoke', { token: body.access_token }, 'service');
    await latchkey.advance(590);
    await queueJob(latchkey.database, 'remove-expired');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(await statusOf(latchkey, body.access_token)).toBe(1);
  });
});

describe('a command on a machine whose clock is an hour ahead', () => {
  const latchkey = startLatchkey();
  const ahead = { NODE_OPTIONS: '--import ./test/support/clock.js', TEST_CLOCK_OFFSET_MS: String(hour * 1000) };

  test('disables a client up to now only: what is issued after it is enabled again is accepted', async () => {
    await latchkey.commandJson(['client', 'disable', 'service'], '', ahead);
    await latchkey.database.query(`update clients set enabled = true where client_id = 'service'`);
    const { body } = await eventually(
      () => latchkey.clientCredentials(),
      ({ status }) => status === 200,
    );
    expect(await latchkey.isActive(body.access_token, 'service')).toBe(true);
  });

  test('sets a password with which the user signs in at once', async () => {
    const set = ['user', 'set-password', 'bob', '--password-stdin'];
    expect(await latchkey.command(set, 'correct horse battery staple', ahead)).toMatchObject({ code: 0 });
    const { access_token } = await latchkey.tokens({}, latchkey.browser(), 'bob');
    expect(await latchkey.isActive(access_token)).toBe(true);
  });

  test('refuses to revoke what will be issued later', async () => {
    const halfAnHour = new Date(Date.now() + (hour / 2) * 1000).toISOString();
    expect(await latchkey.command(['revoke', '--before', halfAnHour, '--yes'], '', ahead)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('future'),
    });
  });

  test('creates a key that expires a day from now by the database clock', async () => {
    const create = [
      'key',
      'create',
      'one-day',
      '--client',
      'service',
      '--permission',
      'read',
      '--expires-in-days',
      '1',
    ];
    await latchkey.commandJson(create, '', ahead);
    const { rows } = await latchkey.database.query(
      `select extract(epoch from max(expires_at) - latchkey_now())::int as seconds from api_keys`,
    );
    expect(Math.abs(rows[0].seconds - day)).toBeLessThan(60);
  });
});
