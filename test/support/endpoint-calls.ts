import { type Sent, send, sendForm } from './http.ts';
import { jwtApi, password } from './installation.ts';
import type { Answer, Latchkey } from './latchkey.ts';
import { withStalls } from './stalls.ts';
import { askForList, placeOf } from './status-list.ts';
import type { Page, UserAgent } from './user-agent.ts';

/** A request to an endpoint that needs the database; it can be repeated. */
export type EndpointCall = { name: string; call: () => Promise<TimedAnswer> };
/** `ownMs`: without what it waited for the CPU of a busy machine. */
export type TimedAnswer = { status: number; headers: Headers; ms: number; ownMs: number; text: string };

/** The longest response time without a database: two seconds, and two more for a busy machine. */
export const patienceMs = 4000;

/** The response of an endpoint, and its time. */
async function timed(ask: () => Promise<Answer>): Promise<TimedAnswer> {
  const { result, ms, ownMs } = await withStalls(ask);
  const { status, headers, body } = result;
  return { status, headers, ms, ownMs, text: JSON.stringify(body) };
}

/** Every endpoint that reads or writes the database, with everything that its request needs to succeed. */
export async function openEndpointCalls(latchkey: Latchkey): Promise<EndpointCall[]> {
  const browser = latchkey.browser();
  const { access_token, refresh_token } = await latchkey.tokens({}, browser);
  const { access_token: given_back } = await latchkey.tokens({}, browser);
  const { body: signed } = await latchkey.clientCredentials({ resource: jwtApi });
  const code = await latchkey.code();
  const signIn = await latchkey.browser();
  const signInPage = await signIn.get(`${latchkey.issuer}/sign-in`);
  const looking = await atPrompt(latchkey, 'login');
  const asking = await atPrompt(latchkey, 'login');
  const consenting = await atPrompt(latchkey, 'consent');
  const bob = latchkey.browser();
  await latchkey.tokens({ client_id: 'native', redirect_uri: 'http://127.0.0.1/callback' }, bob, 'bob');
  const apps = await bob.get(`${latchkey.issuer}/account/apps`);
  const [, revokeAccess = ''] = /href="([^"]*revoke-access)"/.exec(apps.html) ?? [];
  const revokeAccessPage = await bob.get(`${latchkey.issuer}${revokeAccess}`);
  const html = (agent: UserAgent, path: string, sent: Sent = {}) =>
    send(latchkey.issuer, path, {
      ...sent,
      headers: { accept: 'text/html', cookie: agent.cookieHeader(latchkey.issuer + path), ...sent.headers },
    });
  const submit = (agent: UserAgent, page: Page, fields: Record<string, string>, action: string) =>
    sendForm(
      latchkey.issuer,
      action,
      { ...csrfOf(page), ...fields },
      {
        accept: 'text/html',
        origin: latchkey.issuer,
        cookie: agent.cookieHeader(latchkey.issuer + action),
      },
    );
  const calls: Record<string, () => Promise<Answer>> = {
    'token endpoint, refreshing': () => latchkey.refresh(refresh_token),
    'token endpoint, redeeming a code': () => latchkey.redeem(code),
    'token endpoint, client credentials': () => latchkey.clientCredentials(),
    introspection: () => latchkey.post('/oauth/introspect', { token: access_token }, 'web-app'),
    revocation: () => latchkey.post('/oauth/revoke', { token: given_back }, 'web-app'),
    userinfo: () => send(latchkey.issuer, '/oauth/userinfo', { headers: { authorization: `Bearer ${access_token}` } }),
    'pushed authorization': () => latchkey.post('/oauth/par', new URL(latchkey.authorizeUrl()).searchParams, 'web-app'),
    'device authorization': () => latchkey.post('/oauth/device_authorization', { scope: 'openid' }, 'television'),
    'authorization, signed in': () => html(browser, pathOf(latchkey.authorizeUrl())),
    'authorization, signed out': () => html(latchkey.browser(), pathOf(latchkey.authorizeUrl())),
    'interaction page': () => html(looking.agent, `/interaction/${looking.uid}`),
    'sign-in to an app': () =>
      submit(asking.agent, asking.page, { login: 'alice', password }, `/interaction/${asking.uid}/sign-in`),
    'consent to an app': () =>
      submit(consenting.agent, consenting.page, { decision: 'allow' }, `/interaction/${consenting.uid}/consent`),
    'sign-in to the account': () => submit(signIn, signInPage, { login: 'alice', password }, '/sign-in'),
    'account page': () => html(browser, '/account'),
    'connected apps': () => html(browser, '/account/apps'),
    'browsers signed in': () => html(browser, '/account/sessions'),
    'what happened': () => html(browser, '/account/activity'),
    'revoking a consent': () => submit(bob, revokeAccessPage, {}, revokeAccess),
    'sign-out': () => html(browser, '/oauth/logout'),
    'status list': () => askForList(latchkey, placeOf(signed.access_token).uri),
    readiness: () => send(latchkey.issuer, '/readyz'),
  };
  return Object.entries(calls).map(([name, ask]) => ({ name, call: () => timed(ask) }));
}

/** Responses from memory, whatever the state of the database. */
export async function servedFromMemory(latchkey: Latchkey): Promise<Record<string, number>> {
  const paths = [
    '/healthz',
    '/.well-known/openid-configuration',
    '/oauth/jwks',
    '/.well-known/oauth-authorization-server',
  ];
  const answers = await Promise.all(paths.map((path) => send(latchkey.issuer, path)));
  return Object.fromEntries(paths.map((path, n) => [path, answers[n]?.status ?? 0]));
}

/** A browser on the sign-in or consent page. */
async function atPrompt(latchkey: Latchkey, prompt: 'login' | 'consent') {
  const agent = latchkey.browser();
  let page = await agent.get(latchkey.authorizeUrl({ client_id: 'web-app', prompt: 'consent' }));
  if (prompt === 'consent') page = await agent.submit(page, { login: 'bob', password }, '/sign-in');
  return { agent, page, uid: /interaction\/([\w-]+)/.exec(page.url)?.[1] ?? '' };
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

function csrfOf({ html }: Page): { csrf: string } {
  return { csrf: /name="csrf" value="([^"]*)"/.exec(html)?.[1] ?? '' };
}
