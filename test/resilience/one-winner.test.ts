import pg from 'pg';
import { eventually } from '../support/eventually.ts';
import type { RunningServer } from '../support/hosted-server.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type Answer, startLatchkey } from '../support/latchkey.ts';
import { report, rounds } from '../support/report.ts';

const won = (answers: Answer[]) => answers.filter(({ status }) => status === 200);
const thirty = Array.from({ length: 30 });

describe('repeatedly, on two nodes', () => {
  const latchkey = startLatchkey();
  let other: RunningServer;
  beforeAll(async () => {
    other = await latchkey.startNode();
  });
  afterEach(async () => expect(await brokenInvariants(latchkey.database)).toEqual({}));

  const node = (n: number) => (n % 2 ? other.address : latchkey.issuer);

  test(
    '30 refreshes at once are one rotation with one successor, and every response is usable',
    async () => {
      let { refresh_token } = await latchkey.tokens();
      for (let round = 0; round < rounds(5); round += 1) {
        const presented = refresh_token;
        const answers = await Promise.all(thirty.map((_, n) => latchkey.refresh(presented, 'web-app', node(n))));
        expect(won(answers)).toHaveLength(30);
        const successors = new Set(answers.map(({ body }) => body.refresh_token));
        expect(successors.size).toBe(1);
        [refresh_token = ''] = successors;
        const { access_token } = (answers[round % 30] as Answer).body;
        expect(await latchkey.isActive(access_token, 'web-app', node(round))).toBe(true);
      }
      const { rows } = await latchkey.database.query('select max(generation)::int as generation from refresh_families');
      expect(rows).toEqual([{ generation: rounds(5) }]);
      report(`30 refreshes at once: ${rounds(5)} rounds, each one rotation`);
    },
    240_000 * rounds(1),
  );

  test(
    '30 redemptions of a code have one winner, whose tokens are revoked because the code was used again (RFC 6749 §4.1.2)',
    async () => {
      const browser = latchkey.browser();
      for (let round = 0; round < rounds(2); round += 1) {
        const code = await latchkey.code({}, browser);
        const answers = await Promise.all(thirty.map((_, n) => latchkey.redeem(code, node(n))));
        expect(won(answers)).toHaveLength(1);
        const [{ body } = { body: { access_token: '' } }] = won(answers);
        expect(await latchkey.isActive(body.access_token, 'web-app', node(round))).toBe(false);
      }
      report(`30 redemptions of a code at once: ${rounds(2)} rounds, one winner each`);
    },
    240_000 * rounds(1),
  );
});

// Judging statements stop in the middle, after the first unit was locked, until the lock 4711 is free.
const stopping = `create or replace function latchkey_now() returns timestamptz language plpgsql volatile as $$ begin
  if current_query() like '%judged%' then
    while not pg_try_advisory_xact_lock_shared(4711) loop perform pg_sleep(0.002); end loop;
  end if;
  return clock_timestamp(); end $$`;

const notLockedYet = `select f.id from refresh_families f join grants g on g.id = f.grant_id where f.id = any($1)
  for update skip locked`;
// The row as another node would write it when it rotates the token.
const rotateElsewhere = `update refresh_families set previous_digest = digest, digest = sha256(digest), generation = generation + 1, rotated_at = now()
  where id = any($1)`;
const revokeElsewhere = 'update refresh_families set revoked_at = now() where id = any($1)';
const revokeGrantsElsewhere = `update grants set revoked_at = now()
  where id in (select grant_id from refresh_families where id = any($1))`;

describe('a refresh token that is', () => {
  const latchkey = startLatchkey();

  async function familyAndToken(): Promise<{ id: string; refresh_token: string }> {
    const { access_token, refresh_token } = await latchkey.tokens({}, latchkey.browser());
    const query = 'select family_id as id from access_tokens where digest = sha256(convert_to($1, $2))';
    return { refresh_token, id: (await latchkey.database.query(query, [access_token, 'UTF8'])).rows[0].id };
  }

  /** Sends requests that stop, does the work meanwhile, and lets them continue. */
  async function stopped<T>(send: () => Promise<T>, work: (client: pg.Client) => Promise<unknown>): Promise<T> {
    const client = new pg.Client({ connectionString: latchkey.database.url });
    await client.connect();
    try {
      await client.query('select pg_advisory_lock(4711)');
      const sent = send();
      await eventually(
        () => client.query(isStopped),
        ({ rowCount }) => rowCount !== 0,
        { pauseMs: 2 },
      );
      await work(client);
      await client.query('select pg_advisory_unlock(4711)');
      return await sent;
    } finally {
      await client.end();
    }
  }
  const isStopped = `select from pg_stat_activity where wait_event = 'PgSleep' and query like '%judged%' and datname = current_database()`;

  test.each([
    ['rotated', rotateElsewhere],
    ['revoked', revokeElsewhere],
    ['revoked with its grant', revokeGrantsElsewhere],
  ])('%s on another node, after the commit began its check and before it locks it, is refused', async (_, change) => {
    const tokens = await Promise.all(Array.from({ length: 6 }, () => familyAndToken()));
    await latchkey.database.query(stopping);
    let changed: string[] = [];
    const refreshAll = () => Promise.all(tokens.map(({ refresh_token }) => latchkey.refresh(refresh_token)));
    const answers = await stopped(refreshAll, async (client) => {
      await client.query('begin');
      changed = (await client.query(notLockedYet, [tokens.map(({ id }) => id)])).rows.map(({ id }) => id);
      await client.query(change, [changed]);
      await client.query('commit');
    });
    expect(changed.length).toBeGreaterThan(0);
    const ofChanged = answers.filter((_, n) => changed.includes(tokens[n]?.id ?? ''));
    expect(won(ofChanged)).toEqual([]);
    expect(won(answers)).not.toEqual([]);
  });
});
