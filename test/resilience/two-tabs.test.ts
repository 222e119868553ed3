import { randomBytes } from 'node:crypto';
import { HeldStatement } from '../support/held-statement.ts';
import { password, redirectUri } from '../support/installation.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { rounds } from '../support/report.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';

const alice = { login: 'alice', password };
const bob = { login: 'bob', password };

describe('in two tabs of one browser at once', () => {
  const latchkey = startLatchkey();
  afterEach(async () => expect(await brokenInvariants(latchkey.database)).toEqual({}));

  /** The second request begins while the first is about to write the session, and writes after it. */
  async function overlapping(first: () => Promise<Page>, second: () => Promise<Page>): Promise<[Page, Page]> {
    const held = await HeldStatement.hold(latchkey.database.url, 'update', 'sessions');
    const one = first();
    await held.reached();
    const other = second();
    await Promise.race([other, held.waiters(1)]);
    await held.release();
    return Promise.all([one, other]);
  }

  const code = ({ url }: Page) => new URL(url).searchParams.get('code');

  test.each(['before', 'after'])('signing out works when a client is allowed just %s its page opens', async (order) => {
    const browser = latchkey.browser();
    await latchkey.tokens({}, browser);
    // The time of last use is written once a minute.
    await latchkey.advance(61);
    const open = () => browser.get('/oauth/logout');
    const letIn = () => browser.get(latchkey.authorizeUrl());
    const pages = await (order === 'before' ? overlapping(letIn, open) : overlapping(open, letIn));
    const [page, authorized] = order === 'before' ? pages.toReversed() : pages;
    expect(code(authorized as Page)).toMatch(/^lk_ac_/);
    const out = await browser.submit(page as Page, { logout: 'yes' }, '/logout/confirm');
    expect(out.status).toBe(200);
    expect((await browser.get('/account')).url).toContain('/sign-in');
  });

  test('signing in for two clients works for both, in one session', async () => {
    for (let round = 0; round < rounds(3); round += 1) {
      const browser = latchkey.browser();
      const asked = ['web-app', 'first-party'].map(async (client_id) => {
        const code_verifier = randomBytes(32).toString('base64url');
        const page = await browser.get(latchkey.authorizeUrl({ client_id, code_verifier }));
        return { client_id, code_verifier, page };
      });
      const tabs = await Promise.all(asked);
      const signedIn = tabs.map(async ({ page, ...rest }) => {
        let next = await browser.submit(page, bob, '/sign-in');
        if (next.html.includes('value="allow"')) next = await browser.submit(next, { decision: 'allow' }, '/consent');
        return { ...rest, next };
      });
      const ends = await Promise.all(signedIn);
      const answers = ends.map(async ({ client_id, code_verifier, next }) => {
        // A tab that lost the race gets an error, and its client's next request succeeds at once.
        const again = code(next)
          ? next
          : await latchkey.visit(browser, latchkey.authorizeUrl({ client_id, code_verifier }), bob);
        const redemption = { client_id, code_verifier, redirect_uri: redirectUri, code: code(again) ?? '' };
        return (await latchkey.redeem(redemption)).status;
      });
      expect(await Promise.all(answers)).toEqual([200, 200]);
      await expectOnePerson(browser, 'bob');
    }
  });

  test('signing in as two users leaves one of them, never a mixture', async () => {
    for (let round = 0; round < rounds(3); round += 1) {
      const browser = latchkey.browser();
      const pages = await Promise.all(
        [alice, bob].map(() => browser.get(latchkey.authorizeUrl({ client_id: 'first-party' }))),
      );
      const ends = await Promise.all(pages.map((page, n) => browser.submit(page, [alice, bob][n], '/sign-in')));
      expect(ends.filter(({ status }) => status >= 500)).toEqual([]);
      const { rows } = await latchkey.database.query(
        `select s.uid from sessions s join grants g on g.session_uid = s.uid where g.user_id <> s.user_id`,
      );
      expect(rows).toEqual([]);
    }
  });

  async function expectOnePerson(browser: UserAgent, name: string): Promise<void> {
    const account = await browser.get('/account');
    expect(account.url).toBe(`${latchkey.issuer}/account`);
    expect(account.html).toContain(name);
  }
});
