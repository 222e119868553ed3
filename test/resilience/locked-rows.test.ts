import pg from 'pg';
import { patienceMs } from '../support/endpoint-calls.ts';
import { api, standardInstallation } from '../support/installation.ts';
import { type Answer, startLatchkey } from '../support/latchkey.ts';
import { report } from '../support/report.ts';
import { defaultDatabaseTimeout } from '../support/server.ts';
import { withStalls } from '../support/stalls.ts';
import { tryAgain } from '../support/try-again.ts';

const poison = 'poison';
const poisoner = {
  client_id: 'poisoner',
  client_secret: 'the secret of the poisoner',
  grant_types: ['client_credentials'],
  service_permissions: { [api]: ['read', poison] },
};
const [ordersApi, ...otherApis] = standardInstallation.resource_servers;
const installation = {
  ...standardInstallation,
  resource_servers: [{ ...ordersApi, scopes: [{ name: 'read' }, { name: poison }] }, ...otherApis],
  clients: [...standardInstallation.clients, poisoner],
};

/** `ms`: without waits for the CPU. */
type Timed = { status: number; ms: number; retryAfter: string | null };

async function timed(asked: Promise<Answer>): Promise<Timed> {
  const { result, ownMs } = await withStalls(() => asked);
  const { status, headers } = result;
  return { status, ms: ownMs, retryAfter: headers.get('retry-after') };
}

/** How long a request waits for a locked row before it is refused. */
const waitsMs = 1000;

const slowest = (answers: Timed[]) => Math.round(Math.max(...answers.map(({ ms }) => ms)));
const refused = { status: 503, retryAfter: '2' };

describe('while another session locks', () => {
  const latchkey = startLatchkey({ apply: installation, env: defaultDatabaseTimeout });

  /** Runs the work while a transaction of the test holds the locks of the statement. */
  async function holding<T>(statement: string, values: unknown[], work: () => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: latchkey.database.url });
    await client.connect();
    try {
      await client.query('begin');
      await client.query(statement, values);
      return await work();
    } finally {
      await client.end();
    }
  }

  const others = () => Promise.all(Array.from({ length: 20 }, () => timed(latchkey.clientCredentials())));
  const grantOf = async (refresh_token: string): Promise<string> => {
    await latchkey.refresh(refresh_token);
    const query = `select details->>'grant_id' as id from audit_events where action = 'refresh_token.rotated' order by id desc limit 1`;
    return (await latchkey.database.query(query)).rows[0].id;
  };

  test('a grant, its own refresh is refused in time and others are answered; afterwards it succeeds', async () => {
    const { refresh_token } = await tryAgain(() => latchkey.tokens());
    const second = await tryAgain(() => latchkey.tokens());
    const grant_id = await grantOf(refresh_token);
    const [own, other, rest] = await holding('select from grants where id = $1 for update', [grant_id], () =>
      Promise.all([timed(latchkey.refresh(refresh_token)), timed(latchkey.refresh(second.refresh_token)), others()]),
    );
    report(
      `a locked grant: own refresh refused after ${Math.round(own.ms)} ms, others answered within ${slowest([other, ...rest])} ms`,
    );
    expect(own).toMatchObject(refused);
    expect(own.ms).toBeLessThan(patienceMs);
    expect([other, ...rest].filter(({ status }) => status !== 200)).toEqual([]);
    expect(slowest([other, ...rest])).toBeLessThan(waitsMs);
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 200 });
  });

  test('a grant for a moment, its refresh waits and succeeds', async () => {
    const { refresh_token } = await tryAgain(() => latchkey.tokens());
    const grant_id = await grantOf(refresh_token);
    let refreshed: Promise<Answer> | undefined;
    await holding('select from grants where id = $1 for update', [grant_id], async () => {
      refreshed = latchkey.refresh(refresh_token);
      // It waits for a second, in which a busy machine does not answer many others.
      expect(await latchkey.clientCredentials()).toMatchObject({ status: 200 });
    });
    expect(await refreshed).toMatchObject({ status: 200 });
  });

  test('a client, its requests and those of others are answered', async () => {
    const { refresh_token } = await tryAgain(() => latchkey.tokens());
    const [service, own] = await holding('select from clients where client_id = $1 for update', ['service'], () =>
      Promise.all([timed(latchkey.clientCredentials()), timed(latchkey.refresh(refresh_token))]),
    );
    expect([service.status, own.status]).toEqual([200, 200]);
  });

  test('a whole table, all are refused in time, and answered when it is free', async () => {
    const all = () => Promise.all(Array.from({ length: 64 }, () => timed(latchkey.clientCredentials())));
    const answers = await holding('lock table access_tokens in share row exclusive mode', [], all);
    report(`a locked table: 64 of 64 refused within ${slowest(answers)} ms`);
    expect(answers).toMatchObject(answers.map(() => refused));
    expect(slowest(answers)).toBeLessThan(patienceMs);
    expect((await all()).filter(({ status }) => status !== 200)).toEqual([]);
  });

  test('nothing, a request that the database cannot store fails alone among 64', async () => {
    await latchkey.database.query(`create function poisoned() returns trigger language plpgsql as
      $$ begin if new.scope = '${poison}' then raise exception 'poisoned'; end if; return new; end $$`);
    await latchkey.database.query(
      'create trigger poisoned before insert on access_tokens for each row execute function poisoned()',
    );
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, n) =>
        timed(latchkey.clientCredentials({ resource: api, scope: n === 31 ? poison : 'read' }, 'poisoner')),
      ),
    );
    report(`a poisonous request among 64: the slowest answer after ${slowest(answers)} ms`);
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, n) => (n === 31 ? 503 : 200)));
  });
});
