import pg from 'pg';
import { createTestDatabase } from '../../support/database.ts';
import { dropTrigger } from '../../support/held-statement.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { startServerProcess } from '../../support/server.ts';

describe('the audit log', () => {
  const latchkey = startLatchkey();

  test.each(["update audit_events set action = 'x'", 'delete from audit_events', 'truncate audit_events'])(
    'refuses "%s", even to the owner of its tables',
    async (statement) => {
      await expect(latchkey.database.query(statement)).rejects.toThrow('audit events are append-only');
    },
  );

  test('records sign-in, consent, code, tokens, rotation, revocation and sign-out, with actor, target, address and request id', async () => {
    const browser = latchkey.browser();
    const tokens = await latchkey.tokens({}, browser);
    const { body } = await latchkey.refresh(tokens.refresh_token);
    await latchkey.post('/oauth/revoke', { token: body.access_token }, 'web-app');
    await latchkey.post('/oauth/revoke', { token: body.refresh_token }, 'web-app');
    await browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' });
    const { rows } = await latchkey.database.query(
      `select e.*, p.address from audit_events e join audit_personal_details p on p.event_id = e.id
        where actor_kind <> 'system' order by id`,
    );
    expect(rows.map(({ action }) => action)).toEqual([
      'user.new_browser',
      'session.started',
      'consent.given',
      'authorization_code.issued',
      'access_token.issued',
      'refresh_token.rotated',
      'access_token.revoked',
      'refresh_token.revoked',
      'session.ended',
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({
        outcome: 'success',
        address: expect.stringMatching(/127\.0\.0\.1/),
        request_id: expect.any(String),
      });
    }
  });

  test('records a refused sign-in without what was typed', async () => {
    const browser = latchkey.browser();
    await browser.submit(await browser.get('/sign-in'), { login: 'alice', password: 'wrong' });
    expect(await latchkey.auditEvents('session.refused')).toMatchObject([
      { actor_kind: 'anonymous', outcome: 'failure', reason: 'wrong login or password', target_kind: 'user' },
    ]);
  });
});

describe('an action that cannot be recorded', () => {
  const latchkey = startLatchkey();

  const whileAuditRefuses = async <T>(work: () => Promise<T>): Promise<T> => {
    await latchkey.database.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$;
      create trigger refuse before insert on audit_events for each row execute function refuse();`);
    try {
      return await work();
    } finally {
      await latchkey.database.query(`${dropTrigger('audit_events', 'refuse')}; drop function refuse()`);
    }
  };
  const counted = async () => {
    const { rows } = await latchkey.database.query(`select (select count(*) from access_tokens) as tokens,
      (select count(*) from consents) as consents, (select count(*) from client_secrets) as secrets`);
    return rows[0];
  };

  test('fails: tokens, rotation, sign-in and commands return an error, and change nothing', async () => {
    const { refresh_token } = await latchkey.tokens();
    const before = await counted();
    await whileAuditRefuses(async () => {
      expect(await latchkey.clientCredentials({ resource: 'https://api.example' })).toMatchObject({ status: 503 });
      expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 503 });
      const browser = latchkey.browser();
      const page = await browser.submit(await browser.get('/sign-in'), {
        login: 'alice',
        password: 'correct horse battery staple',
      });
      expect(page.status).toBe(500);
      expect(browser.cookies().map(({ name }) => name)).not.toContain('latchkey_session');
      expect(await latchkey.command(['client', 'add-secret', 'service'])).toMatchObject({ code: 1 });
    });
    expect(await counted()).toEqual(before);
    expect(await latchkey.refresh(refresh_token)).toMatchObject({ status: 200 });
  });
});

describe('with a separate role for migrations', () => {
  test('lets the serving role append to the audit log and read it, and nothing else', async () => {
    const database = await createTestDatabase();
    const role = `running_${new URL(database.url).pathname.slice(1)}`;
    await database.query(`create role ${role} login password 'running'`);
    const runningUrl = Object.assign(new URL(database.url), { username: role, password: 'running' }).href;
    const server = await startServerProcess({
      databaseUrl: runningUrl,
      env: { LATCHKEY_MIGRATE_DATABASE_URL: database.url },
    });
    const running = new pg.Client({ connectionString: runningUrl });
    await running.connect();
    const { rows } = await running.query('select action from audit_events');
    expect(rows.length).toBeGreaterThan(2);
    const partition = `audit_events_${new Date().toISOString().slice(0, 7).replace('-', '_')}`;
    for (const table of ['audit_events', partition]) {
      for (const statement of [
        `update ${table} set action = 'x'`,
        `delete from ${table}`,
        `truncate ${table}`,
        `drop table ${table}`,
      ]) {
        await expect(running.query(statement)).rejects.toThrow(/permission denied|must be owner/);
      }
    }
    await expect(running.query('alter table audit_events disable trigger all')).rejects.toThrow('must be owner');
    await running.end();
    await server.stop();
    await database.query(`drop owned by ${role}; drop role ${role}`);
    await database.drop();
  });
});
