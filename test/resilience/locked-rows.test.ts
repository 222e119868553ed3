import pg from 'pg';
import { patienceMs } from '../support/endpoint-calls.ts';
import { api, standardInstallation } from '../support/installation.ts';
import { type Answer, startLatchkey } from '../support/latchkey.ts';
import { report } from '../support/report.ts';
import { defaultDatabaseTimeout } from '../support/server.ts';

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

type Timed = { status: number; ms: number; retryAfter: string | null };

async function timed(asked: Promise<Answer>): Promise<Timed> {
  const startedAt = performance.now();
  const { status, headers } = await asked;
  return { status, ms: performance.now() - startedAt, retryAfter: headers.get('retry-after') };
}

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
    const { refresh_token } = await latchkey.tokens();
    const second = await latchkey.tokens();
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
    expect(slowest([other, ...rest])).toBeLessThan(own.ms);
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 200 });
  });

  test('a grant for a moment, its refresh waits and succeeds', async () => {
    const { refresh_token } = await latchkey.tokens();
    const grant_id = await grantOf(refresh_token);
    let refreshed: Promise<Answer> | undefined;
    await holding('select from grants where id = $1 for update', [grant_id], async () => {
      refreshed = latchkey.refresh(refresh_token);
      await others();
    });
    expect(await refreshed).toMatchObject({ status: 200 });
  });

  test('a client, its requests and those of others are answered', async () => {
    const { refresh_token } = await latchkey.tokens();
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
