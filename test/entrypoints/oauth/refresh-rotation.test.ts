import type { RunningServer } from '../../support/hosted-server.ts';
import { type Answer, startLatchkey } from '../../support/latchkey.ts';

const thirty = Array.from({ length: 30 });
const refused = { status: 400, body: { error: 'invalid_grant' } };

/** The number of responses with each error, or each status without an error. */
const outcomes = (answers: Answer[]) =>
  Object.fromEntries(
    [...Map.groupBy(answers, ({ status, body }) => body.error ?? status)].map(([outcome, { length }]) => [
      outcome,
      length,
    ]),
  );

describe('refreshing', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_REFRESH_GRACE_SECONDS: '30' } });
  let other: RunningServer;
  beforeAll(async () => {
    other = await latchkey.startNode();
  });

  const tokens = (answers: Answer[]) => new Set(answers.map(({ body }) => body.refresh_token));

  test('rotates the refresh token, and both the new access token and the new refresh token work', async () => {
    const { refresh_token } = await latchkey.tokens();
    const { status, body } = await latchkey.refresh(refresh_token);
    expect(status).toBe(200);
    expect(body.refresh_token).not.toBe(refresh_token);
    expect(await latchkey.isActive(body.access_token)).toBe(true);
    expect(await latchkey.refresh(body.refresh_token)).toMatchObject({ status: 200 });
  });

  test('gives 30 requests at once on two nodes one and the same successor, and 30 usable access tokens', async () => {
    const { refresh_token } = await latchkey.tokens();
    const node = (n: number) => (n % 2 ? other.address : latchkey.issuer);
    const answers = await Promise.all(thirty.map((_, n) => latchkey.refresh(refresh_token, 'web-app', node(n))));
    expect(outcomes(answers)).toEqual({ 200: 30 });
    expect(tokens(answers).size).toBe(1);
    const active = await Promise.all(
      answers.map(({ body }, n) => latchkey.isActive(body.access_token, 'web-app', node(n))),
    );
    expect(active).toEqual(thirty.map(() => true));

    const { rows } = await latchkey.database.query(
      'select generation from refresh_families where id = (select (details->>$1)::uuid from audit_events order by id desc limit 1)',
      ['family_id'],
    );
    expect(rows).toEqual([{ generation: 1 }]);
  });

  test('revokes the family when a token is used after its successor was, and no other session of this user and client (RFC 9700 §4.14.2)', async () => {
    const first = await latchkey.tokens();
    const elsewhere = await latchkey.tokens();
    const { body: second } = await latchkey.refresh(first.refresh_token);
    const { body: third } = await latchkey.refresh(second.refresh_token);

    expect(await latchkey.refresh(first.refresh_token)).toMatchObject(refused);
    expect(await latchkey.refresh(third.refresh_token)).toMatchObject(refused);
    expect(await latchkey.isActive(third.access_token)).toBe(false);
    expect(await latchkey.refresh(elsewhere.refresh_token)).toMatchObject({ status: 200 });
    expect(await latchkey.auditEvents('refresh_token.reuse')).toMatchObject([
      { outcome: 'failure', actor_id: 'web-app' },
    ]);
  });

  test('revokes the family when a token is used again after the grace window, even by its own client', async () => {
    const { refresh_token } = await latchkey.tokens();
    const { body } = await latchkey.refresh(refresh_token);
    await latchkey.advance(31);
    expect(await latchkey.refresh(refresh_token)).toMatchObject(refused);
    expect(await latchkey.refresh(body.refresh_token)).toMatchObject(refused);
  });

  test('answers at most 60 retries within the grace window, and refuses further ones without revoking the family', async () => {
    const { refresh_token } = await latchkey.tokens();
    const { body: won } = await latchkey.refresh(refresh_token);
    const answers = await Promise.all(Array.from({ length: 64 }, () => latchkey.refresh(refresh_token)));
    expect(outcomes(answers)).toEqual({ 200: 60, invalid_grant: 4 });
    expect(await latchkey.refresh(won.refresh_token)).toMatchObject({ status: 200 });
  });

  test('is refused to another client, and its own client continues', async () => {
    const { refresh_token } = await latchkey.tokens();
    expect(await latchkey.refresh(refresh_token, 'post-app')).toMatchObject(refused);
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 200 });
  });

  test('is refused after the idle lifetime without use, and after the absolute one however often it was used', async () => {
    const idle = await latchkey.tokens({ scope: 'openid offline_access read', prompt: 'consent' });
    let { refresh_token } = await latchkey.tokens({ scope: 'openid offline_access read', prompt: 'consent' });
    for (let day = 0; day < 90; day += 10) {
      await latchkey.advance(10 * 86_400);
      const { status, body } = await latchkey.refresh(refresh_token);
      if (day < 80) expect(status).toBe(200);
      else expect(status).toBe(400);
      refresh_token = body.refresh_token ?? refresh_token;
    }
    expect(await latchkey.refresh(idle.refresh_token)).toMatchObject(refused);
  });
});

describe('a client without grace', () => {
  const latchkey = startLatchkey({ env: { LATCHKEY_REFRESH_GRACE_SECONDS: '0' } });

  test('loses the family at the second use of a refresh token', async () => {
    const { refresh_token } = await latchkey.tokens();
    const { body } = await latchkey.refresh(refresh_token);
    await latchkey.advance(1);
    expect(await latchkey.refresh(refresh_token)).toMatchObject(refused);
    expect(await latchkey.refresh(body.refresh_token)).toMatchObject(refused);
  });
});
