import { decodeJwt } from 'jose';
import { generateSync } from 'otplib';
import { type AdminApi, asOwner, asService } from '../../support/admin.ts';
import { consoleAs, wordsOf } from '../../support/console.ts';
import { eventually } from '../../support/eventually.ts';
import { Gateway } from '../../support/gateway.ts';
import { password, standardInstallation } from '../../support/installation.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { type Lies, UpstreamProvider, upstreamClient } from '../../support/upstream-provider.ts';
import type { Page, UserAgent } from '../../support/user-agent.ts';

type Case = {
  lies?: Lies;
  /** The claims of the provider's account. */
  account?: Record<string, unknown>;
  trust?: Record<string, unknown>;
  login?: Record<string, unknown>;
  /** The browser's response to the redirect. */
  answer?: (address: URL) => void;
  reason: string;
  shown?: string;
};

const failed = 'failed. Try again';
const away = 'does not answer';
const stranger = 'No account is connected';
const late = 'started in another browser';
const noDomains = { creation: 'off', email_domains: [] };

/** Each is refused, with its reason in the audit log, and gives access to no account. */
const cases: Readonly<Record<string, Case>> = {
  'an ID token for another client (aud)': { lies: { claims: { aud: 'another' } }, reason: 'wrong aud in the ID token' },
  'an ID token for several clients, issued to another (azp)': {
    lies: { claims: { aud: [upstreamClient.client_id, 'another'], azp: 'another' } },
    reason: 'wrong azp in the ID token',
  },
  'an ID token of another issuer': {
    lies: { claims: { iss: 'https://evil.example' } },
    reason: 'wrong iss in the ID token',
  },
  'an issuer that differs in its last character': { lies: { claims: { iss: undefined } }, reason: 'invalid answer: ' },
  'the nonce of another sign-in': { lies: { claims: { nonce: 'replayed' } }, reason: 'wrong nonce in the ID token' },
  'no nonce': { lies: { claims: { nonce: undefined } }, reason: 'invalid answer: ' },
  'an ID token that expired': { lies: { claims: { exp: 1_700_000_000 } }, reason: 'wrong exp in the ID token' },
  'an ID token from the future': { lies: { claims: { nbf: 4_000_000_000 } }, reason: 'wrong nbf in the ID token' },
  'no subject': { lies: { claims: { sub: undefined } }, reason: 'invalid answer: ' },
  'an endless subject': { lies: { claims: { sub: 'x'.repeat(600) } }, reason: 'wrong sub in the ID token' },
  'an unsigned ID token (alg none)': { lies: { signature: 'none' }, reason: 'wrong algorithm of the ID token' },
  'an ID token signed with the client secret (HS256)': {
    lies: { signature: 'hs256' },
    reason: 'wrong algorithm of the ID token',
  },
  'an ID token signed with another key': {
    lies: { signature: 'of another key' },
    reason: 'wrong signature of the ID token',
  },
  'a garbled signature': { lies: { signature: 'garbled' }, reason: 'wrong signature of the ID token' },
  'the answer of another issuer (iss, RFC 9207)': {
    lies: { answer: { iss: 'https://evil.example' } },
    reason: 'invalid answer: ',
  },
  'an answer without its issuer': { lies: { answer: { iss: undefined } }, reason: 'invalid answer: ' },
  'a state that it made up': {
    lies: { answer: { state: 'made-up' } },
    reason: 'unknown or expired state',
    shown: late,
  },
  'no state': { lies: { answer: { state: undefined } }, reason: 'unknown or expired state', shown: late },
  'a code that it did not issue': {
    lies: { answer: { code: 'made-up' } },
    reason: 'the token endpoint answered invalid_grant',
  },
  'no code': { lies: { answer: { code: undefined } }, reason: 'invalid answer: ' },
  'the refusal of its user': {
    lies: { answer: { code: undefined, error: 'access_denied' } },
    reason: 'the provider answered access_denied',
    shown: 'You cancelled',
  },
  'an error with markup in it': {
    lies: { answer: { code: undefined, error: '<script>alert(1)</script>' } },
    reason: 'the provider answered an unknown error',
  },
  'an error of the token endpoint': {
    lies: { token: { status: 400, body: '{"error":"unauthorized_client"}' } },
    reason: 'the token endpoint answered unauthorized_client',
  },
  'a token endpoint that is broken': {
    lies: { token: { status: 500, body: 'oops', type: 'text/html' } },
    reason: 'invalid answer: ',
  },
  'tokens that are no JSON': { lies: { token: { status: 200, body: '{' } }, reason: 'invalid answer: ' },
  'tokens without an ID token': {
    lies: { token: { status: 200, body: '{"access_token":"a","token_type":"Bearer"}' } },
    reason: 'invalid answer: ',
  },
  'a token endpoint that is silent': { lies: { silent: 'token' }, reason: 'the provider does not answer', shown: away },
  'an endless answer of the token endpoint': {
    lies: { huge: 'token' },
    reason: 'the provider does not answer',
    shown: away,
  },
  'keys that are not there': { lies: { silent: 'keys' }, reason: 'no key for the ID token' },
  'endless keys': { lies: { huge: 'keys' }, reason: 'no key for the ID token' },
  'another subject at its userinfo endpoint': {
    account: { email: undefined },
    lies: { userinfo: { sub: 'another', email: 'alice@example.com', email_verified: true } },
    reason: 'invalid answer: ',
  },
  'an address that it did not verify': {
    account: { email_verified: false },
    reason: 'no account is connected',
    shown: stranger,
  },
  'a verified address, said as a text': {
    account: { email_verified: 'true' },
    reason: 'no account is connected',
    shown: stranger,
  },
  'a verified address of a foreign domain': {
    account: { email: 'x@foreign.example' },
    reason: 'no account is connected',
    shown: stranger,
  },
  'an address in two domains': {
    account: { email: 'x@foreign.example@acme.example' },
    reason: 'no account is connected',
    shown: stranger,
  },
  'an address whose domain looks alike': {
    account: { email: 'x@аcme.example' },
    reason: 'no account is connected',
    shown: stranger,
  },
  'a subdomain of a domain': {
    account: { email: 'x@sub.acme.example' },
    reason: 'no account is connected',
    shown: stranger,
  },
  'an account of another tenant': {
    trust: { conditions: [{ claim: 'tid', one_of: ['one', 'two'] }] },
    account: { tid: 'three' },
    reason: 'the condition on tid is not met',
  },
  'an account of Microsoft, whose address is its own choice': {
    login: { provider: 'microsoft' },
    reason: 'no account is connected',
    shown: stranger,
  },
};

describe('signing in with an identity provider', () => {
  const users = standardInstallation.users;
  const latchkey = startLatchkey({ apply: { ...standardInstallation, users } });
  const providers: UpstreamProvider[] = [];
  let provider: UpstreamProvider;
  let owner: AdminApi;
  let trust_id: string;

  const serving = async () => {
    const made = await UpstreamProvider.serving();
    made.account = person();
    providers.push(made);
    return made;
  };
  const trustIn = async (given: Record<string, unknown> = {}, login: Record<string, unknown> = {}): Promise<string> => {
    const input = { name: crypto.randomUUID(), kind: 'login', issuer: provider.issuer };
    const settings = { ...upstreamClient, label: 'Acme ID', creation: 'domains', email_domains: ['acme.example'] };
    const { status, body } = await owner.post('/trusts', { ...input, ...given, login: { ...settings, ...login } });
    if (status !== 201) throw new Error(JSON.stringify(body));
    return String(body.id);
  };
  const begin = (browser: UserAgent, id = trust_id): Promise<Page> => browser.get(`/sign-in/with/${id}`);
  const signIn = async (browser = latchkey.browser(), id = trust_id, at = provider): Promise<Page> =>
    browser.get(at.authorize((await begin(browser, id)).url));
  const isSignedIn = async (browser: UserAgent) => (await browser.get('/account')).url.endsWith('/account');
  const person = () => ({
    sub: crypto.randomUUID(),
    email: `${crypto.randomUUID()}@acme.example`,
    email_verified: true,
  });
  const refusalsOf = async (id: string) =>
    (await latchkey.auditEvents('session.refused'))
      .filter(({ target_id }) => target_id === id)
      .map(({ reason }) => reason);
  const userNamed = async (q: string) => {
    const { body } = await owner.get(`/users?q=${q}`);
    return (body.items as Record<string, unknown>[])[0];
  };

  beforeAll(async () => {
    owner = await asOwner(latchkey);
    provider = await serving();
    trust_id = await trustIn({ name: 'acme' });
  });
  afterAll(() => {
    for (const each of providers) each.close();
  });
  beforeEach(() => {
    provider = providers[0] ?? provider;
    provider.lies = {};
    provider.account = person();
  });

  test('creates an account by policy, with the verified address, and finds it again by issuer and subject', async () => {
    const page = await signIn();
    expect([page.status, page.url]).toEqual([200, `${latchkey.issuer}/account`]);
    const { email } = provider.account;
    expect(await userNamed(String(email).slice(0, 36))).toMatchObject({
      email,
      email_verified: true,
      email_verified_by: 'provider',
    });
    provider.account = { ...provider.account, email: 'another@acme.example' };
    expect((await signIn()).html).toContain(email);
    expect(await userNamed('another')).toBeUndefined();
  });

  test('sends PKCE, a nonce and a state, and exactly one redirect URI', async () => {
    await signIn();
    expect(Object.fromEntries(provider.asked)).toEqual({
      ...{ client_id: upstreamClient.client_id, response_type: 'code', scope: 'openid email profile' },
      redirect_uri: `${latchkey.issuer}/sign-in/callback/${trust_id}`,
      ...{ code_challenge: expect.stringMatching(/^[\w-]{43}$/), code_challenge_method: 'S256' },
      ...{ nonce: expect.stringMatching(/^[\w-]{43}$/), state: expect.stringMatching(/^[\w-]{200,}$/) },
    });
  });

  test.each(Object.entries(cases))(
    'refuses %s',
    async (_, { lies = {}, account = {}, trust, login, reason, shown }) => {
      // A separate server, so that caches of another one do not matter.
      provider = await serving();
      const id = await trustIn(trust, login);
      provider.account = { ...person(), ...account };
      provider.lies = lies;
      const before = await latchkey.database.query('select count(*)::int as count from identities', []);
      const browser = latchkey.browser();
      const page = await signIn(browser, id);
      expect(page.status).toBe(422);
      expect(page.html).toContain(shown ?? failed);
      expect(await isSignedIn(browser)).toBe(false);
      expect(await refusalsOf(id)).toEqual([expect.stringContaining(reason)]);
      const after = await latchkey.database.query('select count(*)::int as count from identities', []);
      expect(after.rows).toEqual(before.rows);
    },
  );
  test('accepts a response once, in the browser that started the sign-in, from the provider that was asked', async () => {
    const [browser, other] = [latchkey.browser(), latchkey.browser()];
    const answer = provider.authorize((await begin(browser)).url);
    await begin(other);
    expect((await other.get(answer)).html).toContain(late);
    expect(await isSignedIn(other)).toBe(false);
    expect((await browser.get(answer)).status).toBe(200);
    const again = await browser.get(answer);
    expect([again.status, again.html]).toEqual([422, expect.stringContaining(late)]);
    const honest = provider;
    provider = await serving();
    const second = await trustIn();
    const mixed = provider.authorize((await begin(other, second)).url).replace(second, trust_id);
    expect((await other.get(mixed)).html).toContain(late);
    // The response of an honest provider, sent to the redirect URI of the dishonest one with its state.
    const state = new URL((await begin(other, second)).url).searchParams.get('state') ?? '';
    const stolen = new URL(honest.authorize((await begin(latchkey.browser())).url));
    stolen.searchParams.set('state', state);
    expect((await other.get(`/sign-in/callback/${second}${stolen.search}`)).html).toContain(failed);
    expect(await isSignedIn(other)).toBe(false);
    provider = honest;
    expect(await refusalsOf(trust_id)).toEqual(expect.arrayContaining(['the state was used before']));
  });

  test('never signs a user in to the account of another user with the same address', async () => {
    await signIn();
    provider.account = { ...provider.account, sub: 'changed' };
    const browser = latchkey.browser();
    const page = await signIn(browser);
    expect(page.html).toContain(`There is already an account with the address ${provider.account.email}`);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('connects an existing account only with a new sign-in to it', async () => {
    const bob = await userNamed('bob');
    const email = 'bob@acme.example';
    await owner.patch('/users/bob', { email });
    provider.account = { ...person(), email };
    const browser = latchkey.browser();
    const asked = await signIn(browser);
    // The sign-in of another user connects nothing.
    const other = await browser.submit(asked, { login: 'alice', password }, '/sign-in');
    expect(other.html).toContain('You signed in to another account');
    // The waiting account is sealed for this browser.
    const stranger = latchkey.browser();
    await stranger.get('/sign-in');
    const connect = /name="connect" value="([^"]+)"/.exec(asked.html)?.[1] ?? '';
    const stolen = await stranger.submit(
      await stranger.get('/sign-in'),
      { login: 'bob', password, connect },
      '/sign-in',
    );
    expect(stolen.html).toContain(late);
    const page = await browser.submit(asked, { login: 'bob', password }, '/sign-in');
    expect(page.url).toBe(`${latchkey.issuer}/account`);
    expect((await signIn()).html).toContain(email);
    const { body } = await owner.get('/users/bob/identities');
    expect(body.items).toMatchObject([{ issuer: provider.issuer, subject: provider.account.sub }]);
    const events = await latchkey.auditEvents('identity.linked');
    expect(events.at(-1)).toMatchObject({ target_id: bob?.id, details: { how: 'connected' } });
  });

  test('connects automatically only an address verified by our link, of an account without administrative permissions', async () => {
    const user = async (by: string, roles: string[] = []) => {
      const username = crypto.randomUUID();
      const email = `${username}@acme.example`;
      await owner.post('/users', { username: `u-${username}`, email, password, roles });
      const set = [by, new Date().toISOString(), email];
      await latchkey.database.query(
        'update users set email_verified = true, email_verified_by = $1, email_verified_at = $2 where email = $3',
        set,
      );
      provider.account = { ...person(), email };
      const browser = latchkey.browser();
      const page = await signIn(browser);
      return { page, isIn: await isSignedIn(browser) };
    };
    expect((await user('link')).isIn).toBe(true);
    for (const refused of [await user('administrator'), await user('provider'), await user('link', ['owner'])]) {
      expect(refused.page.html).toContain('There is already an account');
      expect(refused.isIn).toBe(false);
    }
  });

  test('does not sign in administrators where the trust is not for them', async () => {
    const username = crypto.randomUUID().slice(0, 8);
    await owner.post('/users', { username, password, roles: ['owner'] });
    const account = { issuer: provider.issuer, subject: String(provider.account.sub) };
    await owner.post(`/users/${username}/identities`, account);
    expect((await signIn()).html).toContain('has administrator permissions');
    const id = await trustIn({}, { for_administrators: true });
    expect((await signIn(latchkey.browser(), id)).url).toBe(`${latchkey.issuer}/account`);
  });

  test('revokes every session that began with a trust when the trust is disabled or the account unlinked', async () => {
    const id = await trustIn();
    const browser = latchkey.browser();
    await signIn(browser, id);
    const node = await latchkey.startNode();
    const isKnown = async (at: string) => {
      const headers = {
        cookie: browser.cookieHeader(`${latchkey.issuer}/account`),
        'x-forwarded-host': new URL(latchkey.issuer).host,
      };
      return (await fetch(`${at}/account`, { headers, redirect: 'manual' })).status === 200;
    };
    expect([await isKnown(latchkey.issuer), await isKnown(node.address)]).toEqual([true, true]);
    const { access_token } = await latchkey.tokens({}, browser);
    expect(await latchkey.isActive(access_token)).toBe(true);
    expect(await owner.post(`/trusts/${id}/disable`)).toMatchObject({ status: 200 });
    expect([await isKnown(latchkey.issuer), await isKnown(node.address)]).toEqual([false, false]);
    expect(await latchkey.isActive(access_token)).toBe(false);
    expect((await begin(latchkey.browser(), id)).html).toContain('no longer sign in with this provider');
    await owner.patch(`/trusts/${id}`, { enabled: true });
    expect(await isKnown(latchkey.issuer)).toBe(false);
    await signIn(browser, id);
    expect(await isSignedIn(browser)).toBe(true);
    const user = await userNamed(String(provider.account.email).slice(0, 36));
    const { body } = await owner.get(`/users/${user?.username}/identities`);
    await owner.delete(`/users/${user?.username}/identities/${(body.items as { id: string }[])[0]?.id}`);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('continues the authorization request of the client, with the sign-in method in the token', async () => {
    const browser = latchkey.browser();
    const page = await browser.get(latchkey.authorizeUrl());
    const href = new RegExp(`href="(/interaction/[^"]+/with/${trust_id}[^"]*)"`).exec(page.html)?.[1] ?? '';
    const back = await browser.get(provider.authorize((await browser.get(href)).url));
    const done = await browser.submit(back, { decision: 'allow' }, '/consent');
    expect(done.url).toMatch(/^https:\/\/client\.example\/callback\?code=/);
    const tokens = await latchkey.tokens({}, browser);
    expect(decodeJwt(tokens.id_token)).toMatchObject({ acr: 'urn:latchkey:acr:one-factor', amr: ['fed'] });
  });

  test('asks a signed-in user again, and accepts only a signed auth_time', async () => {
    const browser = latchkey.browser();
    await signIn(browser);
    const asked = async () => {
      const page = await browser.get(latchkey.authorizeUrl({ prompt: 'login' }));
      const href = new RegExp(`href="(/interaction/[^"]+/with/${trust_id}[^"]*)"`).exec(page.html)?.[1] ?? '';
      return browser.get(provider.authorize((await browser.get(href)).url));
    };
    expect((await asked()).html).toContain('did not ask you to prove who you are');
    expect(Object.fromEntries(provider.asked)).toMatchObject({ prompt: 'login', max_age: '0' });
    provider.lies = { claims: { auth_time: Math.floor(Date.now() / 1000) - 3600 } };
    expect((await asked()).html).toContain('did not ask you');
    provider.lies = { claims: { auth_time: Math.floor(Date.now() / 1000) } };
    expect((await asked()).html).toContain('value="allow"');
  });

  test('reads the rotated keys of a provider', async () => {
    provider = await serving();
    const id = await trustIn();
    await signIn(latchkey.browser(), id);
    await provider.rotate();
    await latchkey.advance(31);
    expect((await signIn(latchkey.browser(), id)).url).toBe(`${latchkey.issuer}/account`);
  });

  test('identifies a GitHub account by its number, and uses its address only if verified', async () => {
    provider = await serving();
    const id = await trustIn({}, { provider: 'github', label: undefined });
    const emails = [{ email: 'octo@acme.example', primary: true, verified: true }];
    provider.lies = { answer: { iss: undefined }, gitHub: { user: { id: 583231, login: 'octocat' }, emails } };
    expect((await signIn(latchkey.browser(), id)).html).toContain('octo@acme.example');
    const user = await userNamed('octocat');
    const { body } = await owner.get(`/users/${user?.username}/identities`);
    expect(body.items).toMatchObject([{ issuer: provider.issuer, subject: '583231' }]);
    const unverified = [{ email: 'cat@acme.example', primary: true, verified: false }];
    provider.lies = { answer: { iss: undefined }, gitHub: { user: { id: 2, login: 'cat' }, emails: unverified } };
    expect((await signIn(latchkey.browser(), id)).html).toContain('No account is connected to this GitHub account');
  });

  test('shows providers on the sign-in page, first the one for the domain of the address', async () => {
    const browser = latchkey.browser();
    const page = await browser.get('/sign-in');
    expect(page.html).toContain('Continue with Acme ID');
    const told = await browser.submit(page, { login: 'someone@acme.example' }, '/sign-in');
    expect([told.status, told.html]).toEqual([200, expect.stringContaining('Users at acme.example sign in with')]);
    expect(told.html).toContain('login_hint=someone%40acme.example');
  });

  test('users connect and disconnect accounts, and keep a way to sign in', async () => {
    const browser = latchkey.browser();
    await owner.post('/users', { username: 'dora', password });
    await latchkey.visit(browser, '/account', { login: 'dora' });
    const ask = await browser.get(`/account/security/providers/${trust_id}/connect`);
    expect(ask.html).toContain(new URL(provider.issuer).host);
    // A GET connects nothing: the form is required.
    expect((await browser.get(`/account/security/with/${trust_id}`)).html).toContain('Nothing was changed');
    const next = await browser.submit(ask, {}, '/connect');
    const href = /href="(\/account\/security\/with\/[^"]+)"/.exec(next.html)?.[1] ?? '';
    const sent = await browser.get(href);
    expect(new URL(sent.url).searchParams.get('prompt')).toBe('select_account');
    expect((await browser.get(provider.authorize(sent.url))).html).toContain('The account is connected');
    const list = await browser.get('/account/security');
    const path = /href="(\/account\/security\/providers\/[^"]+\/disconnect)"/.exec(list.html)?.[1] ?? '';
    const gone = await browser.submit(await browser.get(path), {}, '/disconnect');
    expect(gone.html).toContain('The account is disconnected');
    expect((await latchkey.auditEvents('identity.unlinked')).at(-1)?.details).toMatchObject({
      issuer: provider.issuer,
    });
  });

  test('a user who has only a provider confirms with it, and cannot disconnect it', async () => {
    const browser = latchkey.browser();
    await signIn(browser);
    const list = await browser.get('/account/security');
    const path = /href="(\/account\/security\/providers\/[^"]+\/disconnect)"/.exec(list.html)?.[1] ?? '';
    const ask = await browser.get(path);
    const href = /href="(\/account\/security\/confirm\/[^"]+)"/.exec(ask.html)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect((await browser.get(provider.authorize((await browser.get(href)).url))).html).toContain('did not ask you');
    provider.lies = { claims: { auth_time: Math.floor(Date.now() / 1000) } };
    const back = await browser.get(provider.authorize((await browser.get(href)).url));
    expect(new URL(back.url).pathname).toBe(path);
    expect((await browser.submit(back, {}, '/disconnect')).html).toContain('You have no other way to sign in');
  });

  test('two trusts of one issuer are each named, and each confirms and connects', async () => {
    const browser = latchkey.browser();
    await signIn(browser);
    const second = await trustIn({}, { client_id: 'another', label: 'Partner ID', creation: 'off' });
    const list = await browser.get('/account/security');
    const [row = ''] = /Provider Added Actions .*? Disconnect/.exec(wordsOf(list)) ?? [];
    for (const name of ['Acme ID', 'Partner ID']) expect(row).toContain(name);
    for (const trust of [trust_id, second]) expect(list.html).toContain(`/providers/${trust}/connect"`);
    const path = /href="(\/account\/security\/providers\/[^"]+\/disconnect)"/.exec(list.html)?.[1] ?? '';
    const ask = await browser.get(path);
    for (const trust of [trust_id, second]) expect(ask.html).toContain(`/account/security/confirm/${trust}?`);
    await owner.post(`/trusts/${second}/disable`);
    expect((await browser.get('/account/security')).html).not.toContain('Partner ID');
  });

  test('revokes the sessions of a user who signs out at the provider, once, on a valid logout token', async () => {
    provider.lies = { claims: { sid: 'session-1' } };
    const { sub } = provider.account;
    const [first, second] = [latchkey.browser(), latchkey.browser()];
    await signIn(first);
    provider.lies = { claims: { sid: 'session-2' } };
    await signIn(second);
    provider.lies = {};
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const good = () => ({ sub, sid: 'session-1', events, jti: crypto.randomUUID() });
    const send = async (claims: Record<string, unknown>, typ = 'logout+jwt', lies: Lies = {}) => {
      provider.lies = lies;
      const body = new URLSearchParams({ logout_token: await provider.sign(claims, typ) });
      provider.lies = {};
      return (await fetch(`${latchkey.issuer}/sign-in/backchannel-logout/${trust_id}`, { method: 'POST', body }))
        .status;
    };
    const old = Math.floor(Date.now() / 1000) - 3600;
    for (const [claims, typ, lies] of [
      [{ ...good(), aud: 'another' }],
      [{ ...good(), iss: 'https://evil.example' }],
      [{ ...good(), events: {} }],
      [{ ...good(), nonce: 'n' }],
      [{ ...good(), jti: undefined }],
      [{ ...good(), iat: old }],
      [{ ...good(), sub: undefined, sid: undefined }],
      [good(), 'at+jwt'],
      [good(), 'logout+jwt', { signature: 'none' }],
      [good(), 'logout+jwt', { signature: 'hs256' }],
      [good(), 'logout+jwt', { signature: 'of another key' }],
    ] as [Record<string, unknown>, string?, Lies?][])
      expect({ claims, typ, status: await send(claims, typ, lies) }).toEqual({ claims, typ, status: 400 });
    expect(await isSignedIn(first)).toBe(true);
    const token = good();
    expect([await send(token), await send(token)]).toEqual([200, 400]);
    expect([await isSignedIn(first), await isSignedIn(second)]).toEqual([false, true]);
    expect(await send({ ...good(), sid: undefined })).toBe(200);
    expect(await isSignedIn(second)).toBe(false);
    expect((await latchkey.auditEvents('session.ended')).at(-1)).toMatchObject({
      reason: 'signed out at the identity provider',
    });
  });

  test('needs a separate permission to edit, and all permissions that its users may hold', async () => {
    const base = ['latchkey:trust:read', 'latchkey:trust:write'];
    const tried = async (permissions: string[], login: Record<string, unknown> = {}) => {
      const actor = await asService(latchkey, owner, { permissions: [...base, ...permissions] });
      const issuer = 'https://idp.example';
      const input = { name: crypto.randomUUID(), kind: 'login', issuer, login: { client_id: 'x', ...login } };
      const { status, body } = await actor.post('/trusts', input);
      return status === 201 ? 201 : String(body.detail);
    };
    const own = 'latchkey:trust:login';
    expect(await tried([])).toContain(own);
    expect(await tried([own])).toBe(201);
    expect(await tried([own], { creation: 'open' })).toContain('latchkey:user:write');
    const domains = { email_domains: ['acme.example'] };
    expect(await tried([own], domains)).toContain('latchkey:user:verify_email');
    expect(await tried([own, 'latchkey:user:verify_email', 'latchkey:user:link'], domains)).toContain('"*"');
    expect(await tried([own], { for_administrators: true })).toContain('do not hold');
    // An owner has an account at this issuer: anyone who changes the trust could sign in as the owner.
    const username = crypto.randomUUID().slice(0, 8);
    await owner.post('/users', { username, password, roles: ['owner'] });
    const another = {
      name: crypto.randomUUID(),
      kind: 'login',
      issuer: 'https://owners.example',
      login: { client_id: 'x' },
    };
    const { body: made } = await owner.post('/trusts', another);
    await owner.post(`/users/${username}/identities`, { issuer: another.issuer, subject: 'root' });
    const actor = await asService(latchkey, owner, { permissions: [...base, own] });
    expect(await actor.patch(`/trusts/${made.id}`, { login: { client_id: 'mine' } })).toMatchObject({ status: 403 });
    expect(await actor.post('/trusts', { ...another, name: crypto.randomUUID() })).toMatchObject({ status: 403 });
  });

  describe('roles by claims', () => {
    const role = async (permissions: string[] = []): Promise<string> => {
      const name = `r-${crypto.randomUUID()}`;
      const rights = permissions.map((pattern) => ({ pattern }));
      expect(await owner.post('/roles', { name, permissions: rights })).toMatchObject({ status: 201 });
      return name;
    };
    const user = async () => userNamed(String(provider.account.email).slice(0, 36));
    const rolesOf = async () => (await user())?.roles;
    const comes = async (id: string, claims: Record<string, unknown>) => {
      provider.account = { ...provider.account, ...claims };
      return signIn(latchkey.browser(), id);
    };
    const eventsOf = async (name: string) => {
      const events = await Promise.all(['role.assigned', 'role.unassigned'].map((each) => latchkey.auditEvents(each)));
      return events.flat().filter(({ details }) => (details as { role?: string }).role === name);
    };

    test('are assigned, and removed when the claim is gone; roles assigned by hand stay', async () => {
      const [admins, staff, assigned] = [await role(['read']), await role(['write']), await role(['other'])];
      const id = await trustIn(
        {},
        {
          role_mappings: [
            { claim: 'groups', equals: 'Admins', role: admins },
            { claim: '/org/unit', prefix: 'eu:', role: staff },
          ],
        },
      );
      const groups = Array.from({ length: 10_000 }, (_, n) => `group-${n}`);
      await comes(id, { groups: [...groups, 'Admins'], org: { unit: 'eu:sales' } });
      expect(await rolesOf()).toEqual([admins, staff].sort());
      const username = (await user())?.username;
      await owner.put(`/roles/${assigned}/assignments/user/${username}`, {});
      await owner.put(`/roles/${staff}/assignments/user/${username}`, {});
      const { body } = await owner.get(`/assignments/user/${username}`);
      const trust = (await owner.get(`/trusts/${id}`)).body.name;
      expect(body.items.find(({ role: name }) => name === admins)?.granted_by).toEqual({
        kind: 'trust',
        id,
        name: trust,
      });
      expect(body.items.filter(({ role: name }) => name === staff)).toHaveLength(2);
      expect((await owner.get(`/roles/${staff}/assignments`)).body.items).toHaveLength(2);
      expect(await owner.delete(`/roles/${admins}/assignments/user/${username}`)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining(String(trust)) },
      });
      await comes(id, { groups, org: undefined });
      expect(await rolesOf()).toEqual([assigned, staff].sort());
      expect(await eventsOf(admins)).toMatchObject([
        { action: 'role.assigned', actor_kind: 'system', details: { trust, trust_id: id } },
        { action: 'role.unassigned', actor_kind: 'system', details: { trust, trust_id: id } },
      ]);
    });

    test.each<[string, unknown, boolean]>([
      ['the value', 'admins', true],
      ['a list with the value', ['x', 'admins'], true],
      ['the value in another case', 'Admins', false],
      ['the value with a blank', ' admins', false],
      ['a text with the value in it', 'admins,users', false],
      ['a list in a list', [['admins']], false],
      ['an object', { admins: true }, false],
      ['null', null, false],
      ['an empty list', [], false],
      ['a number', 7, false],
    ])('are assigned for %s as the provider sends it', async (_, groups, isGiven) => {
      const name = await role(['read']);
      const id = await trustIn({}, { role_mappings: [{ claim: 'groups', one_of: ['admins', 'root'], role: name }] });
      await comes(id, { groups });
      expect(await rolesOf()).toEqual(isGiven ? [name] : []);
    });

    test('are read at the userinfo endpoint where the ID token lacks the claim', async () => {
      provider = await serving();
      const name = await role(['read']);
      const id = await trustIn({}, { role_mappings: [{ claim: 'level', equals: '3', role: name }] });
      provider.lies = { userinfo: { level: 3 } };
      await comes(id, {});
      expect(await rolesOf()).toEqual([name]);
    });

    test('are assigned once, even by several sign-ins at once', async () => {
      const name = await role(['read']);
      const id = await trustIn({}, { role_mappings: [{ claim: 'groups', equals: 'a', role: name }] });
      await comes(id, { groups: 'b' });
      provider.account = { ...provider.account, groups: 'a' };
      const pages = await Promise.all(Array.from({ length: 8 }, () => signIn(latchkey.browser(), id)));
      expect(pages.map(({ status }) => status)).toEqual(pages.map(() => 200));
      expect(await rolesOf()).toEqual([name]);
      expect(await eventsOf(name)).toHaveLength(1);
    });

    test('are removed with the trust, with its mappings and with the account, also from the API keys of the user', async () => {
      const name = await role(['read']);
      const role_mappings = [{ claim: 'groups', equals: 'a', role: name }];
      const id = await trustIn({}, { role_mappings });
      const given = async () => {
        await comes(id, { groups: 'a' });
        expect(await rolesOf()).toEqual([name]);
      };
      await given();
      const username = (await user())?.username;
      const gateway = await Gateway.open(latchkey, owner);
      const { key } = await gateway.mint({ owner: { user: username }, permissions: ['read'] });
      const verified = async () => (await gateway.verify({ key, permission: 'read' })).valid;
      expect(await verified()).toBe(true);
      await owner.post(`/trusts/${id}/disable`);
      expect(await rolesOf()).toEqual([]);
      await eventually(verified, (isValid) => !isValid);
      await owner.patch(`/trusts/${id}`, { enabled: true });
      expect(await rolesOf()).toEqual([]);
      await given();
      await owner.patch(`/trusts/${id}`, { login: { role_mappings: [...role_mappings, ...role_mappings] } });
      expect(await rolesOf()).toEqual([]);
      await given();
      const { body } = await owner.get(`/users/${username}/identities`);
      await owner.delete(`/users/${username}/identities/${body.items[0]?.id}`);
      expect(await rolesOf()).toEqual([]);
    });

    test('refer to the role that had the name when the trust was saved', async () => {
      const name = await role(['read']);
      const role_mappings = [{ claim: 'groups', equals: 'a', role: name }];
      const id = await trustIn({}, { role_mappings });
      await owner.delete(`/roles/${name}`);
      await comes(id, { groups: 'a' });
      await owner.post('/roles', { name, permissions: [{ pattern: 'latchkey:*' }] });
      expect((await comes(id, {})).status).toBe(200);
      expect(await rolesOf()).toEqual([]);
      // Saving it again refers to the present role, which has administrative permissions.
      expect(await owner.patch(`/trusts/${id}`, { login: { role_mappings } })).toMatchObject({
        status: 400,
        body: { detail: expect.stringContaining('for_administrators') },
      });
    });

    test('have no permissions of Latchkey unless the trust is for administrators', async () => {
      const name = await role(['read']);
      const id = await trustIn({}, { role_mappings: [{ claim: 'groups', equals: 'a', role: name }] });
      await comes(id, { groups: 'a' });
      await owner.patch(`/roles/${name}`, { permissions: [{ pattern: 'latchkey:user:read' }] });
      expect((await comes(id, {})).url).toBe(`${latchkey.issuer}/account`);
      expect(await rolesOf()).toEqual([]);
      const login = { for_administrators: true };
      expect(await owner.patch(`/trusts/${id}`, { login })).toMatchObject({ status: 200 });
      await comes(id, {});
      expect(await rolesOf()).toEqual([name]);
    });

    test('are limited to the roles that the editor of the trust may assign', async () => {
      const name = await role(['payments:approve']);
      const permissions = ['latchkey:trust:read', 'latchkey:trust:write', 'latchkey:trust:login'];
      const tried = async (more: string[], { roles = [] as string[], role_name = name } = {}) => {
        const actor = await asService(latchkey, owner, { roles, permissions: [...permissions, ...more] });
        const login = { client_id: 'x', role_mappings: [{ claim: 'groups', equals: 'a', role: role_name }] };
        const input = { name: crypto.randomUUID(), kind: 'login', issuer: 'https://roles.example', login };
        const { status, body } = await actor.post('/trusts', input);
        return status === 201 ? 201 : String(body.detail);
      };
      expect(await tried([])).toContain('latchkey:role:assign');
      expect(await tried(['latchkey:role:assign'])).toContain('payments:approve');
      const giving = ['latchkey:role:assign', 'latchkey:permission:give'];
      expect(await tried(giving, { roles: [name] })).toBe(201);
      expect(await tried(['latchkey:role:assign'], { role_name: 'nobody' })).toContain('There is no role');
      // An actor who changes a trust with mappings decides who signs in with it.
      const id = await trustIn(
        { issuer: 'https://roles.example' },
        { ...noDomains, role_mappings: [{ claim: 'g', equals: 'a', role: name }] },
      );
      const actor = await asService(latchkey, owner, { permissions });
      expect(await actor.patch(`/trusts/${id}`, { login: { client_id: 'mine' } })).toMatchObject({ status: 403 });
      expect(await actor.patch(`/trusts/${id}`, { login: { role_mappings: [] } })).toMatchObject({ status: 403 });
    });

    test('are edited in the console, one a line', async () => {
      const name = await role(['read']);
      const id = await trustIn();
      const alice = await consoleAs(latchkey, 'alice');
      const filled = { name: crypto.randomUUID(), provider: 'oidc', client_id: 'x', creation: 'off' };
      const change = (role_mappings: string) => alice.act(`/trusts/${id}/change`, { ...filled, role_mappings });
      const page = await change(`groups = a | b -> ${name}`);
      expect(page.status).toBe(200);
      const mapped = [{ claim: 'groups', one_of: ['a', 'b'], role: name }];
      expect((await owner.get(`/trusts/${id}`)).body.login).toMatchObject({ role_mappings: mapped });
      expect(page.html).toContain(`groups = a | b -&gt; ${name}`);
      expect((await change('groups: a')).html).toContain('Enter one role mapping per line');
    });
  });

  test('a user with only a provider adds a required factor with a link and the provider, not with the link alone', async () => {
    const browser = latchkey.browser();
    await signIn(browser);
    const { username } = (await userNamed(String(provider.account.email).slice(0, 36))) ?? {};
    const policy = { required_acr: 'urn:latchkey:acr:two-factor' };
    expect((await owner.patch('/sign-in-policy', policy)).status).toBe(200);
    try {
      const { url } = await latchkey.commandJson(['user', 'enrolment-link', String(username)]);
      const path = new URL(String(url)).pathname;
      // The earlier session shows nothing: the policy requires more.
      for (const elsewhere of [latchkey.browser(), browser]) {
        const page = await elsewhere.get(path);
        expect(page.html).toContain('First sign in with your identity provider in this browser');
        expect(page.html).not.toContain('name="code"');
      }
      expect((await signIn(browser)).html).toContain('A second factor is required');
      const form = await browser.get(path);
      expect(form.html).not.toContain('name="password"');
      const secret = (/<code>([A-Z2-7 ]+)</.exec(form.html)?.[1] ?? '').replaceAll(' ', '');
      const { rows } = await latchkey.database.query('select extract(epoch from latchkey_now())::int as epoch');
      const code = generateSync({ secret, epoch: rows[0]?.epoch });
      // The form of the right browser cannot be used in another.
      const thief = latchkey.browser();
      const csrf = /name="csrf" value="([^"]*)"/.exec((await thief.get('/sign-in')).html)?.[1] ?? '';
      const pending = /name="pending" value="([^"]*)"/.exec(form.html)?.[1] ?? '';
      expect((await thief.post(path, new URLSearchParams({ csrf, pending, code }))).status).toBe(422);
      const done = await browser.submit(form, { code }, '/second-factor/');
      expect([done.status, new URL(done.url).pathname, done.html]).toEqual([
        200,
        '/account/security',
        expect.any(String),
      ]);
      const tokens = await latchkey.tokens({}, browser);
      expect(decodeJwt(tokens.id_token)).toMatchObject({ acr: policy.required_acr, amr: ['fed', 'otp', 'mfa'] });
    } finally {
      await owner.patch('/sign-in-policy', { required_acr: null });
    }
  });

  test('never shows the client secret, and keeps it until a new one is set', async () => {
    const id = await trustIn();
    const { body } = await owner.get(`/trusts/${id}`);
    expect(body.login).toEqual({
      ...{ provider: 'oidc', client_id: upstreamClient.client_id, label: 'Acme ID', email_domains: ['acme.example'] },
      ...{ creation: 'domains', for_administrators: false, role_mappings: [], mapped_role_days: 7 },
    });
    await owner.patch(`/trusts/${id}`, { login: { label: 'Acme' } });
    expect((await signIn(latchkey.browser(), id)).url).toBe(`${latchkey.issuer}/account`);
    await owner.patch(`/trusts/${id}`, { login: { client_secret: 'another' } });
    expect((await signIn(latchkey.browser(), id)).status).toBe(422);
    const events = await latchkey.auditEvents('trust.updated');
    expect(events.at(-1)?.details).toMatchObject({ secret_replaced: true });
    expect(JSON.stringify(events)).not.toContain('another');
  });

  test('is connected only with the second factor, also in a browser that skips it', async () => {
    const { email } = provider.account;
    const username = crypto.randomUUID().slice(0, 8);
    await owner.post('/users', { username, email, password });
    const browser = latchkey.browser();
    const enter = async (page: Page) => browser.submit(page, { login: username, password }, '/sign-in');
    const codeNow = async (secret: string) => {
      await latchkey.advance(30);
      const { rows } = await latchkey.database.query('select extract(epoch from latchkey_now())::int as epoch');
      return generateSync({ secret, epoch: rows[0]?.epoch });
    };
    await enter(await browser.get('/sign-in'));
    const form = await browser.get('/account/security/app/new');
    const secret = (/Key: (?:<code>)?([A-Z2-7 ]+)</.exec(form.html)?.[1] ?? '').replaceAll(' ', '');
    await browser.submit(form, { code: await codeNow(secret) }, '/app/new');
    expect((await owner.patch('/sign-in-policy', { remember_browser_days: 30 })).status).toBe(200);
    try {
      const offered = await eventually(
        async () => enter(await browser.get('/sign-in')),
        ({ html }) => html.includes('name="remember"'),
      );
      const remembered = { code: await codeNow(secret), remember: 'yes' };
      expect((await browser.submit(offered, remembered, '/sign-in')).url).toBe(`${latchkey.issuer}/account`);
      expect((await enter(await browser.get('/sign-in'))).url).toBe(`${latchkey.issuer}/account`);
      provider.lies = { claims: { iat: latchkey.seconds, exp: latchkey.seconds + 300 } };
      const step = await enter(await signIn(browser));
      expect(step.html).toContain('name="pending"');
      expect((await owner.get(`/users/${username}/identities`)).body.items).toEqual([]);
      const done = await browser.submit(step, { code: await codeNow(secret) }, '/sign-in');
      expect(done.url).toBe(`${latchkey.issuer}/account`);
      expect((await owner.get(`/users/${username}/identities`)).body.items).toHaveLength(1);
    } finally {
      await owner.patch('/sign-in-policy', { remember_browser_days: 0 });
    }
  });

  test('requires the second factor that the user has here', async () => {
    await signIn();
    const email = String(provider.account.email);
    await latchkey.database.query(
      `insert into factors (id, user_id, kind, key_id, sealed, created_at)
        select $1, id, 'totp', (select min(id) from server_keys), 'sealed', now() from users where email = $2`,
      [crypto.randomUUID(), email],
    );
    const browser = latchkey.browser();
    expect((await signIn(browser)).html).toContain('name="code"');
    expect(await isSignedIn(browser)).toBe(false);
  });

  test.each([
    ['an issuer of many tenants', { issuer: 'https://login.microsoftonline.com/common/v2.0' }, {}, '/issuer'],
    ['Google under another issuer', {}, { provider: 'google' }, '/issuer'],
    ['keys of its own', { jwks_uri: 'https://idp.example/keys' }, {}, '/jwks_uri'],
    ['permissions', { permissions: { 'https://api.example': ['read'] } }, {}, '/permissions'],
    ['the policy domains without a domain', {}, { creation: 'domains', email_domains: [] }, '/login/email_domains'],
    ['sign-in of workloads', { kind: 'workload' }, {}, '/login'],
  ])('is not created with %s', async (_, given, login, pointer) => {
    const input = { name: crypto.randomUUID(), kind: 'login', issuer: provider.issuer, ...given };
    const { status, body } = await owner.post('/trusts', { ...input, login: { ...upstreamClient, ...login } });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(pointer)]);
  });

  test('a user with only a provider adds a first factor right after the sign-in, and not later', async () => {
    const browser = latchkey.browser();
    await signIn(browser);
    expect((await browser.get('/account/security/app/new')).html).toContain('name="code"');
    // Other trusts may name the same issuer.
    expect((await browser.get('/account/delete')).html).toContain('Confirm with ');
    await latchkey.advance(601);
    const later = (await browser.get('/account/security/app/new')).html;
    expect([later.includes('name="code"'), later.includes('Confirm with ')]).toEqual([false, true]);
  });

  test('its roles are removed some days after the last sign-in with it, also from a user who has a password', async () => {
    const day = 86_400;
    const later = async (seconds: number) => {
      await latchkey.advance(seconds);
      owner = await asOwner(latchkey);
    };
    owner = await asOwner(latchkey);
    const name = `r-${crypto.randomUUID()}`;
    await owner.post('/roles', { name, permissions: [{ pattern: 'read' }] });
    const role_mappings = [{ claim: 'groups', equals: 'a', role: name }];
    for (const mapped_role_days of [0, 366, 1.5])
      await expect(trustIn({}, { role_mappings, mapped_role_days })).rejects.toThrow('mapped_role_days');
    const id = await trustIn({}, { role_mappings, mapped_role_days: 3 });
    const browser = latchkey.browser();
    /** The clocks of the provider are those of the server. */
    const comes = (groups: string, by = browser) => {
      provider.account = { ...provider.account, groups };
      provider.lies = { claims: { iat: latchkey.seconds, exp: latchkey.seconds + 300 } };
      return signIn(by, id);
    };
    await comes('a');
    const email = String(provider.account.email);
    const found = () => userNamed(email.slice(0, 36));
    const rolesNow = async () => (await found())?.roles;
    const username = String((await found())?.username);
    await owner.post(`/users/username:${username}/password`, { password });
    // A new password ends the session.
    await comes('a');
    const gateway = await Gateway.open(latchkey, owner);
    const { key } = await gateway.mint({ owner: { user: username }, permissions: ['read'] });
    const isKeyGood = async () =>
      (await (await Gateway.open(latchkey, owner)).verify({ key, permission: 'read' })).valid;
    expect(await isKeyGood()).toBe(true);
    const other = latchkey.browser();
    await other.submit(await other.get('/sign-in'), { login: username, password }, '/sign-in');
    const isAsked = async (by: UserAgent) =>
      (await by.get(latchkey.authorizeUrl({ prompt: 'none' }))).url.includes('login_required');

    await later(2 * day);
    expect([await rolesNow(), await isAsked(browser)]).toEqual([[name], false]);
    await comes('a');
    await later(2 * day);
    // The last sign-in determines it, not the first.
    expect([await rolesNow(), await isAsked(browser)]).toEqual([[name], false]);
    await later(2 * day);
    expect([await rolesNow(), await isKeyGood()]).toEqual([[], false]);
    // The session that began with the provider requires it again; one with a password has no such roles.
    expect([await isAsked(browser), await isAsked(other), await isSignedIn(browser)]).toEqual([true, false, true]);
    await comes('b');
    expect([await rolesNow(), await isAsked(browser)]).toEqual([[], false]);
    await comes('a');
    expect(await rolesNow()).toEqual([name]);

    // A shorter time applies at once; a longer one reactivates nothing.
    await later(1.5 * day);
    await owner.patch(`/trusts/${id}`, { login: { mapped_role_days: 1 } });
    expect([await rolesNow(), await isSignedIn(browser)]).toEqual([[], true]);
    await later(2 * day);
    await owner.patch(`/trusts/${id}`, { login: { mapped_role_days: 90 } });
    expect(await rolesNow()).toEqual([]);
    await comes('a');
    expect(await rolesNow()).toEqual([name]);
    const given = await latchkey.auditEvents('role.assigned');
    const ofRole = given.filter(({ details }) => (details as { role?: string }).role === name);
    expect(ofRole.length).toBe(3);
    expect(ofRole.at(-1)?.details).toMatchObject({ until: expect.any(String) });
  });
});
