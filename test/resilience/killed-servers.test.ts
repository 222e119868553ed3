import { randomBytes } from 'node:crypto';
import { freePort } from '../support/free-port.ts';
import { HeldStatement } from '../support/held-statement.ts';
import { password, redirectUri } from '../support/installation.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type Answer, startLatchkey } from '../support/latchkey.ts';
import { report, rounds } from '../support/report.ts';
import type { ServerProcess } from '../support/server.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';

/** After the kill, PostgreSQL's transaction is either rolled back, or was received completely and is committed. */
const fates = ['rolled back', 'committed'] as const;
type Fate = (typeof fates)[number];
type Point = ['insert' | 'update' | 'delete', string];

// npm test covers some points once; the soak test covers all, with both fates, repeatedly.
const isShort = rounds(1) === 1;
const cases = (points: Point[]): [...Point, Fate][] => {
  const all = points.flatMap(([event, table]) => fates.map((fate): [...Point, Fate] => [event, table, fate]));
  return isShort ? all.filter((_, n) => n % 4 === 0) : all;
};

describe('a server that is killed', () => {
  let port = 0;
  const latchkey = startLatchkey({
    prepare: async () => {
      port = await freePort();
      return { env: { PORT: String(port) }, ownProcess: true };
    },
  });
  let server: ServerProcess;
  beforeAll(() => {
    server = latchkey.process;
  });
  afterEach(async () => expect(await brokenInvariants(latchkey.database)).toEqual({}));

  const restart = async () => {
    server = await latchkey.startAnother({ env: { PORT: String(port) } });
  };

  /** Kills the server while a statement of the work hangs, and starts it again. */
  async function killAt([event, table, fate]: [...Point, Fate], work: () => Promise<unknown>): Promise<void> {
    const held = await HeldStatement.hold(latchkey.database.url, event, table);
    const working = work().catch(() => undefined);
    await held.reached();
    await server.kill('SIGKILL');
    if (fate === 'rolled back') await held.rollBack();
    await held.release();
    await working;
    await restart();
  }

  const refreshPoints: Point[] = [
    ['update', 'refresh_families'],
    ['insert', 'access_tokens'],
    ['insert', 'audit_events'],
  ];
  test.each(cases(refreshPoints))(
    'while a rotation does its %s of %s, which is then %s: the retry succeeds',
    async (...at) => {
      const { refresh_token } = await latchkey.tokens();
      await killAt(at, () => latchkey.refresh(refresh_token));
      const { status, body } = await latchkey.refresh(refresh_token);
      expect(status).toBe(200);
      expect(await latchkey.refresh(body.refresh_token)).toMatchObject({ status: 200 });
    },
  );

  const redemptionPoints: Point[] = [
    ['update', 'authorization_codes'],
    ['insert', 'refresh_families'],
    ['insert', 'access_tokens'],
  ];
  test.each(cases(redemptionPoints))(
    'while a redemption does its %s of %s, which is then %s: the retry or a new flow succeeds',
    async (...at) => {
      const browser = latchkey.browser();
      const code = await latchkey.code({}, browser);
      await killAt(at, () => latchkey.redeem(code));
      // A code has no grace period: after it was used, the client starts again (RFC 6749 §4.1.2).
      expect((await latchkey.redeem(code)).status).toBe(at[2] === 'committed' ? 400 : 200);
      expect(await latchkey.tokens({}, browser)).toMatchObject({ refresh_token: expect.stringMatching(/^lk_rt_/) });
    },
  );

  const consentPoints: Point[] = [
    ['insert', 'consents'],
    ['update', 'interactions'],
    ['insert', 'grants'],
    ['delete', 'interactions'],
    ['insert', 'authorization_codes'],
  ];
  test.each(cases(consentPoints))(
    'while a consent does its %s of %s, which is then %s: the user finishes without signing in again',
    async (...at) => {
      await latchkey.database.query('update consents set revoked_at = now()');
      await latchkey.database.query('update grants set revoked_at = now()');
      const browser = latchkey.browser();
      const code_verifier = randomBytes(32).toString('base64url');
      const asked = await signedInAndAsked(browser, code_verifier);
      await killAt(at, () => browser.submit(asked, { decision: 'allow' }, '/consent'));
      let page = await browser.get(latchkey.authorizeUrl({ code_verifier }));
      expect(page.html).not.toContain('name="password"');
      if (page.html.includes('value="allow"')) page = await browser.submit(page, { decision: 'allow' }, '/consent');
      expect((await redeemFrom(page, code_verifier)).status).toBe(200);
    },
  );

  async function signedInAndAsked(browser: UserAgent, code_verifier: string): Promise<Page> {
    const page = await browser.get(latchkey.authorizeUrl({ code_verifier }));
    return browser.submit(page, { login: 'bob', password }, '/sign-in');
  }

  function redeemFrom({ url }: Page, code_verifier: string): Promise<Answer> {
    const code = new URL(url).searchParams.get('code') ?? '';
    return latchkey.redeem({ code, code_verifier, redirect_uri: redirectUri, client_id: 'web-app' });
  }

  const signOutPoints: Point[] = [
    ['update', 'sessions'],
    ['update', 'grants'],
    ['insert', 'audit_events'],
  ];
  test.each(cases(signOutPoints))(
    'while a sign-out does its %s of %s, which is then %s: it is done completely or not at all, and can be repeated',
    async (...at) => {
      const browser = latchkey.browser();
      const { access_token } = await latchkey.tokens({}, browser);
      const page = await browser.get('/oauth/logout');
      await killAt(at, () => browser.submit(page, { logout: 'yes' }));
      const isSignedIn = (await browser.get('/account')).url === `${latchkey.issuer}/account`;
      expect(await latchkey.isActive(access_token)).toBe(isSignedIn);
      if (!isSignedIn) return;
      await browser.submit(await browser.get('/oauth/logout'), { logout: 'yes' });
      expect(await latchkey.isActive(access_token)).toBe(false);
    },
  );

  test('at any moment under a load of rotations loses no family', async () => {
    let answers = 0;
    const turns = rounds(2);
    const families = await Promise.all(
      Array.from({ length: 4 }, async () => [(await latchkey.tokens()).refresh_token]),
    );
    for (let turn = 0; turn < turns; turn += 1) {
      let isKilled = false;
      const load = families.map(async (held) => {
        while (!isKilled) {
          const answer = await latchkey.refresh(held.at(-1) ?? '').catch(() => undefined);
          if (answer?.status === 200) held.push(answer.body.refresh_token);
          answers += answer?.status === 200 ? 1 : 0;
        }
      });
      await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 400));
      await server.kill('SIGKILL');
      isKilled = true;
      await Promise.all(load);
      await restart();
      const retries = await Promise.all(families.map((held) => latchkey.refresh(held.at(-1) ?? '')));
      expect(retries.map(({ status }) => status)).toEqual(families.map(() => 200));
      retries.forEach(({ body }, n) => {
        families[n]?.push(body.refresh_token);
      });
    }
    report(`killed ${turns} times under load: ${answers} rotations, 0 of ${families.length} families lost`);
  });
});
