import pg from 'pg';
import { eventually } from '../../support/eventually.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { Statements } from '../../support/statements.ts';
import type { UserAgent } from '../../support/user-agent.ts';

describe('authorization codes of signed-in users', () => {
  let statements: Statements;
  const latchkey = startLatchkey({
    prepare: async () => {
      statements = await Statements.open();
      return { through: statements.through };
    },
  });
  afterAll(() => statements.close());

  /** A browser whose user has signed in and has allowed the app what it requests. */
  async function signedIn(): Promise<UserAgent> {
    const browser = latchkey.browser();
    await latchkey.tokens({}, browser);
    return browser;
  }

  const latestGrant = async (): Promise<string> => {
    const { rows } = await latchkey.database.query('select id from grants order by created_at desc, id desc limit 1');
    return rows[0].id;
  };

  /** Holds a grant, as a revocation does until it commits. */
  async function hold(id: string): Promise<{ release: (change?: string) => Promise<void> }> {
    const client = new pg.Client({ connectionString: latchkey.database.url });
    await client.connect();
    await client.query('begin');
    await client.query('select 1 from grants where id = $1 for update', [id]);
    return {
      release: async (change) => {
        if (change) await client.query(change, [id]);
        await client.query('commit');
        await client.end();
      },
    };
  }

  /** Resolves once a request that was sent after this call has tried to store its code. */
  function tried(): Promise<unknown> {
    const from = statements.texts.length;
    const isTried = () => statements.texts.slice(from).some((text) => text.includes('insert into authorization_codes'));
    return eventually(isTried, Boolean, { pauseMs: 5 });
  }

  test('cost two reads and one write, which is a transaction by itself', async () => {
    const browser = await signedIn();
    // A session's last use is stored once a minute: the first request may store it.
    await latchkey.code({}, browser);
    const sent = await statements.of(/select k\.n|insert into (?:authorization_codes|audit_events)/, () =>
      latchkey.code({}, browser),
    );
    const writes = sent.filter((text) => text.includes('insert'));
    expect({ reads: sent.length - writes.length, writes: writes.length }).toEqual({ reads: 2, writes: 1 });
    expect(writes[0]).toMatch(/authorization_codes[\s\S]*audit_events/);
  });

  test('are each recorded, however many are issued at once', async () => {
    const browsers = await Promise.all(Array.from({ length: 8 }, signedIn));
    const before = (await latchkey.auditEvents('authorization_code.issued')).length;
    const codes = await Promise.all(
      browsers.flatMap((browser) => [latchkey.code({}, browser), latchkey.code({}, browser)]),
    );
    expect(new Set(codes.map(({ code }) => code)).size).toBe(16);
    const answers = await Promise.all(codes.map((code) => latchkey.redeem(code)));
    expect(answers.map(({ status }) => status)).toEqual(codes.map(() => 200));
    expect((await latchkey.auditEvents('authorization_code.issued')).length - before).toBe(16);
  });

  test('wait for a transaction that holds their grant', async () => {
    const browser = await signedIn();
    const held = await hold(await latestGrant());
    const isTried = tried();
    const issued = latchkey.code({}, browser);
    await isTried;
    await held.release();
    expect((await latchkey.redeem(await issued)).status).toBe(200);
  });

  test('do not wait for others whose grant is held', async () => {
    const [waiting, other] = [await signedIn(), await signedIn()];
    const { rows } = await latchkey.database.query('select id from grants order by id desc limit 2');
    const held = await hold(rows[1].id);
    const isTried = tried();
    const answered = waiting.get(latchkey.authorizeUrl());
    await isTried;
    expect((await latchkey.code({}, other)).code).toMatch(/^lk_ac_/);
    await held.release();
    // On a busy machine it may have given up by then.
    expect([303, 503]).toContain((await answered).status);
  });

  test('are not issued if that transaction revokes the grant', async () => {
    const browser = await signedIn();
    const held = await hold(await latestGrant());
    const isTried = tried();
    const answered = browser.get(latchkey.authorizeUrl());
    await isTried;
    await held.release('update grants set revoked_at = latchkey_now() where id = $1');
    const page = await answered;
    expect(page.url).not.toContain('code=');
    // On a busy machine it may have given up before.
    expect([409, 503]).toContain(page.status);
  });

  test('are refused within seconds while the grant stays held, and are issued afterwards', async () => {
    const browser = await signedIn();
    const held = await hold(await latestGrant());
    const page = await browser.get(latchkey.authorizeUrl());
    expect(page.status).toBe(503);
    await held.release();
    expect((await latchkey.code({}, browser)).code).toMatch(/^lk_ac_/);
  });
});
