import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { password, redirectUri } from '../support/installation.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { type Answer, startLatchkey } from '../support/latchkey.ts';
import { report, rounds } from '../support/report.ts';
import type { UserAgent } from '../support/user-agent.ts';

/** Tokens that clients got during a revocation. */
type Loot = { access: string[]; refresh: string[] };

type Scene = { browser: UserAgent; scope: string; first: Answer['body']; grant_id: string };

describe('on two nodes, after the response of', () => {
  const latchkey = startLatchkey();
  let nodes: string[] = [];
  beforeAll(async () => {
    const { address } = await latchkey.startNode();
    nodes = [latchkey.issuer, address];
  });
  afterEach(async () => expect(await brokenInvariants(latchkey.database)).toEqual({}));

  const idOfGrant = async (code: string): Promise<string> => {
    const query = 'select grant_id from authorization_codes where digest = sha256(convert_to($1, $2))';
    return (await latchkey.database.query(query, [code, 'UTF8'])).rows[0].grant_id;
  };

  async function enableAll(): Promise<void> {
    await latchkey.database.query('update users set enabled = true');
    await latchkey.database.query('update clients set enabled = true');
  }

  async function scene(scope = 'openid offline_access read'): Promise<Scene> {
    await enableAll();
    const browser = latchkey.browser();
    const code = await latchkey.code({ scope, prompt: 'consent' }, browser, 'bob');
    const { body } = await latchkey.redeem(code);
    return { browser, scope, first: body, grant_id: await idOfGrant(code.code) };
  }

  /** Several concurrent uses of a refresh token on both nodes, then of each successor, until one is refused. */
  async function rotate({ first: { refresh_token } }: Scene, loot: Loot, until: Promise<unknown>): Promise<void> {
    let isOver = false;
    void until.finally(() => {
      isOver = true;
    });
    for (let token = refresh_token; ; ) {
      const answers = await Promise.all([0, 1, 2, 3].map((n) => latchkey.refresh(token, 'web-app', nodes[n % 2])));
      const given = answers.filter(({ status }) => status === 200);
      for (const { body } of given) keep(loot, body);
      token = given[0]?.body.refresh_token ?? token;
      if (isOver || given.length === 0) return;
    }
  }

  /** Requests and redeems codes of a live session as long as there are any, without new consent. */
  async function redeem({ browser, scope }: Scene, loot: Loot, until: Promise<unknown>): Promise<void> {
    let isOver = false;
    void until.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      const code_verifier = randomBytes(32).toString('base64url');
      const { url } = await browser.get(latchkey.authorizeUrl({ code_verifier, scope }));
      const code = new URL(url).searchParams.get('code');
      if (!code) continue;
      const node = nodes[loot.access.length % 2];
      const answer = await latchkey.redeem(
        { code, code_verifier, redirect_uri: redirectUri, client_id: 'web-app' },
        node,
      );
      if (answer.status === 200) keep(loot, answer.body);
    }
  }

  function keep(loot: Loot, { access_token, refresh_token }: Answer['body']): void {
    loot.access.push(access_token);
    if (refresh_token) loot.refresh.push(refresh_token);
  }

  async function expectDead({ access, refresh }: Loot): Promise<void> {
    const looks = nodes.flatMap((node) => access.map((token) => latchkey.isActive(token, 'web-app', node)));
    const isActive = await Promise.all(looks);
    expect(isActive.filter(Boolean)).toEqual([]);
    const uses = await Promise.all(refresh.map((token, n) => latchkey.refresh(token, 'web-app', nodes[n % 2])));
    expect(uses.filter(({ status }) => status !== 400 && status !== 401)).toEqual([]);
  }

  const command = async (...args: string[]) => {
    const { code, stderr } = await latchkey.command(args);
    if (code !== 0) throw new Error(stderr);
  };

  async function signOut({ browser }: Scene): Promise<void> {
    const page = await browser.get(`${latchkey.issuer}/oauth/logout`);
    expect(await browser.submit(page, { logout: 'yes' }, '/logout/confirm')).toMatchObject({ status: 200 });
  }

  async function revokeAccess({ browser }: Scene): Promise<void> {
    const apps = await browser.get(`${latchkey.issuer}/account/apps`);
    const [, href = ''] = /href="([^"]*revoke-access)"/.exec(apps.html) ?? [];
    const page = await browser.get(`${latchkey.issuer}${href}`);
    expect((await browser.submit(page, {}, 'revoke-access')).url).toMatch(/revoked=1/);
  }

  /** Signs out from another browser of the same user. */
  async function signOutElsewhere({ first }: Scene): Promise<void> {
    const { rows } = await latchkey.database.query(
      'select g.session_uid from access_tokens t join grants g on g.id = t.grant_id where t.digest = sha256(convert_to($1, $2))',
      [first.access_token, 'UTF8'],
    );
    const other = latchkey.browser();
    await other.submit(await other.get('/sign-in'), { login: 'bob', password }, '/sign-in');
    const page = await other.get(`/account/sessions/${rows[0].session_uid}/sign-out`);
    expect((await other.submit(page, {}, '/sign-out')).status).toBe(200);
  }

  const disableUser = () => command('user', 'disable', 'bob');
  const disableClient = () => command('client', 'disable', 'web-app');
  const revokeGrant = ({ grant_id }: Scene) => command('grant', 'revoke', grant_id);
  const revokeToken = ({ first }: Scene) =>
    latchkey.post('/oauth/revoke', { token: first.refresh_token }, 'web-app', nodes[1]);

  /** A moment within 30 ms after tokens were issued, so that every revocation overlaps with requests. */
  async function amidTaking({ access }: Loot): Promise<void> {
    await eventually(
      () => access.length,
      (taken) => taken > 1,
      { pauseMs: 2 },
    );
    await sleep(Math.random() * 30);
  }

  /** Runs the clients and the revocation at once; the issued tokens must be inactive, also once the owner is enabled again. */
  async function race(set: Scene, take: typeof redeem, revoke: (set: Scene) => Promise<unknown>): Promise<number> {
    const loot: Loot = { access: [set.first.access_token], refresh: [set.first.refresh_token] };
    const revoked = amidTaking(loot).then(() => revoke(set));
    await Promise.all([revoked, take(set, loot, revoked), take(set, loot, revoked)]);
    await expectDead(loot);
    await enableAll();
    await expectDead(loot);
    return loot.access.length - 1;
  }

  test.each([
    ['revoking a token', 8, revokeToken],
    ['`grant revoke`', 2, revokeGrant],
    ['revoking a consent', 6, revokeAccess],
    ['`user disable`', 2, disableUser],
    ['`client disable`', 2, disableClient],
  ])('%s, no token of a simultaneous rotation is active', async (name, few, revoke) => {
    let given = 0;
    for (let round = 0; round < rounds(few); round += 1) given += await race(await scene(), rotate, revoke);
    expect(given).toBeGreaterThan(0);
    report(`${name} against rotations: ${rounds(few)} rounds, ${given} tokens given meanwhile, none lives`);
  });

  test.each([
    ['revoking a consent', 6, revokeAccess],
    ['`user disable`', 2, disableUser],
    ['`client disable`', 2, disableClient],
    ['signing out', 6, signOut],
    ['signing that browser out from another', 4, signOutElsewhere],
  ])('%s, no token of a simultaneous redemption is active', async (name, few, revoke) => {
    let given = 0;
    for (let round = 0; round < rounds(few); round += 1)
      given += await race(await scene('openid read'), redeem, revoke);
    expect(given).toBeGreaterThan(0);
    report(`${name} against codes: ${rounds(few)} rounds, ${given} tokens given meanwhile, none lives`);
  });

  test('`revoke --before`, no token issued up to that moment is active', async () => {
    let [given, later] = [0, 0];
    for (let round = 0; round < rounds(2); round += 1) {
      const set = await scene();
      const loot: Loot = { access: [set.first.access_token], refresh: [] };
      let before = new Date();
      const revoked = amidTaking(loot).then(async () => {
        before = new Date();
        await command('revoke', '--before', before.toISOString(), '--yes');
      });
      await Promise.all([revoked, rotate(set, loot, revoked), rotate(set, loot, revoked)]);
      const looks = await Promise.all(loot.access.map((token, n) => latchkey.isActive(token, 'web-app', nodes[n % 2])));
      const living = loot.access.filter((_, n) => looks[n]);
      expect(await issuedUpTo(before, living)).toEqual([]);
      given += loot.access.length - 1;
      later += living.length;
    }
    expect(given).toBeGreaterThan(0);
    report(
      `\`revoke --before\` against rotations: ${rounds(2)} rounds, ${given} tokens given meanwhile, ${later} after it`,
    );
  });

  /** Those of the tokens that were issued up to a time. The database compares, because a Date has milliseconds only. */
  async function issuedUpTo(time: Date, tokens: string[]): Promise<string[]> {
    const query = `select token from unnest($1::text[]) token
      join access_tokens t on t.digest = sha256(convert_to(token, 'UTF8')) where issued_at <= $2`;
    return (await latchkey.database.query(query, [tokens, time])).rows.map(({ token }) => token);
  }
});
