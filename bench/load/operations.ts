import { createHash } from 'node:crypto';
import {
  api,
  clientSecret,
  jwtApi,
  mostConnections,
  paths,
  redirectUri,
  requestedScope,
  rsaApp,
  service,
  usernameOf,
  webApp,
} from '../installation.ts';
import { storedAccessToken, storedRefreshToken } from '../stored-tokens.ts';
import { Browser } from './browser.ts';
import { type Answer, type Connection, headerOf, requestText } from './connection.ts';
import { leastOperations } from './round.ts';

/** The user of one connection: with a signed-in browser, and the tokens of an app on their behalf. */
export type Visitor = {
  /** Its number, from 0. */
  person: number;
  login: string;
  browser: Browser;
  refresh_token: string;
  access_token: string;
  /** Tokens of the app with RS256 ID tokens; requested when they are first needed. */
  rsaTokens?: Tokens;
  /** Requests that submit a filled-in sign-in form, each for a separate interaction. */
  signIns: string[];
  /** The position in the stored pairs of tokens; it grows in steps, so that connections use different pairs. */
  used: number;
};

type Tokens = { access_token: string; refresh_token: string; id_token: string; token_type: string; active: boolean };
/** The repeated step of a connection; `beside`: load that is not measured. */
export type Step = (() => Promise<void>) & { beside?: true };

const verifier = 'a-code-verifier-of-forty-three-characters-at-least';
const challenge = createHash('sha256').update(verifier).digest('base64url');
const authorizePathOf = (client_id: string) =>
  `${paths.authorization}?${new URLSearchParams({
    client_id,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: requestedScope,
    resource: api,
    state: 'the state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  })}`;
const authorizePath = authorizePathOf(webApp.client_id);

/** Signs a user in on this connection and gets their first tokens. */
export async function makeVisitor(connection: Connection, person: number): Promise<Visitor> {
  const login = usernameOf(person);
  const browser = new Browser(connection, person);
  const { access_token, refresh_token } = await redeem(connection, await browser.visit(authorizePath, login));
  return { person, login, browser, access_token, refresh_token, signIns: [], used: person };
}

type Round = { milliseconds: number; stored: number; connections: number };
type Prepare = (connection: Connection, visitor: Visitor, round: Round) => Step | Promise<Step>;

/** The measured operations: each returns the step that a connection repeats. Each response is checked. */
export const operations: Record<string, Prepare> = {
  'client_credentials opaque': (connection) => clientCredentials(connection, { resource: api, scope: 'read' }, 1),
  'client_credentials jwt': (connection) =>
    clientCredentials(connection, { resource: jwtApi, scope: 'report:read' }, 3),
  refresh: refreshing,
  'refresh RS256': refreshingRsa,
  // Half of the connections sign users in, so that passwords are hashed meanwhile: only the refreshes are measured.
  'refresh during sign-ins': besideSignIns(refreshing),
  'refresh RS256 during sign-ins': besideSignIns(refreshingRsa),
  introspection: (connection, { access_token }) => {
    const request = introspection(connection, access_token);
    return async () => expect(json(await connection.send(request)).active === true, 'not active');
  },
  // Each request uses another user's token, as on a server with many users; without stored tokens, those of the visitors.
  'refresh of random users': (connection, visitor, { stored }) => {
    if (stored === 0) return async () => void Object.assign(visitor, await refresh(connection, visitor.refresh_token));
    return async () => void (await refresh(connection, storedRefreshToken(nextStored(visitor, stored))));
  },
  'introspection of random users': (connection, visitor, { stored }) => {
    const token = () => (stored === 0 ? visitor.access_token : storedAccessToken(nextStored(visitor, stored)));
    return async () =>
      expect(json(await connection.send(introspection(connection, token()))).active === true, 'not active');
  },
  'code flow':
    (connection, { browser }) =>
    async () => {
      const headers = { accept: 'text/html', cookie: browser.cookiesFor(paths.authorization) };
      const request = requestText(connection.origin, { method: 'GET', path: authorizePath, headers });
      const answer = await connection.send(request);
      browser.keepCookies(answer);
      const location = headerOf(answer.head, 'location');
      expect(location?.startsWith(`${redirectUri}?`) === true, answer);
      await redeem(connection, new URL(location ?? ''));
    },
  login: signingIn,
  'whole sign-in':
    (connection, { login, person }) =>
    async () => {
      await redeem(connection, await new Browser(connection, person).visit(authorizePath, login));
    },
  discovery: (connection) => reading(connection, paths.discovery, 'issuer'),
  jwks: (connection) => reading(connection, paths.jwks, 'keys'),
};

async function refreshing(connection: Connection, visitor: Visitor): Promise<Step> {
  return async () => void Object.assign(visitor, await refresh(connection, visitor.refresh_token));
}

async function refreshingRsa(connection: Connection, visitor: Visitor): Promise<Step> {
  const { client_id } = rsaApp;
  if (!visitor.rsaTokens) {
    const callback = await new Browser(connection, visitor.person).visit(authorizePathOf(client_id), visitor.login);
    visitor.rsaTokens = await redeem(connection, callback, client_id);
  }
  let { refresh_token } = visitor.rsaTokens;
  return async () => {
    visitor.rsaTokens = await refresh(connection, refresh_token, client_id);
    refresh_token = visitor.rsaTokens.refresh_token;
  };
}

async function signingIn(
  connection: Connection,
  { login, person, signIns }: Visitor,
  round: Omit<Round, 'stored'>,
): Promise<Step> {
  while (signIns.length < signInsAhead(round))
    signIns.push(await new Browser(connection, person).signInForm(authorizePath, login));
  return async () => {
    const signIn = signIns.pop();
    if (!signIn) throw new Error('there were too few sign-in forms for this round');
    const answer = await connection.send(signIn);
    const location = headerOf(answer.head, 'location');
    // A wrong password is answered 422, too many 429, each with the page again.
    expect(answer.status === 303 && location?.includes(`${paths.authorization}/`) === true, answer);
  };
}

function besideSignIns(prepare: Prepare): Prepare {
  return async (connection, visitor, round) =>
    visitor.person % 2 === 0
      ? prepare(connection, visitor, round)
      : Object.assign(await signingIn(connection, visitor, round), { beside: true as const });
}

/** The number of sign-in forms to open before a round, so that no connection runs out: hashing limits the rate everywhere. */
function signInsAhead({ milliseconds, connections }: Omit<Round, 'stored'>): number {
  const fastestRate = 400;
  return Math.ceil((1.25 * Math.max(leastOperations, (fastestRate * milliseconds) / 1000)) / connections);
}

/** Spreads over all stored pairs; none repeats before each was used once. */
function nextStored(visitor: Visitor, stored: number): number {
  const largePrime = 7_368_787;
  const number = ((visitor.used * largePrime) % stored) + 1;
  visitor.used += mostConnections;
  return number;
}

function introspection(connection: Connection, token: string): string {
  return form(connection, paths.introspection, webApp.client_id, { token, token_type_hint: 'access_token' });
}

async function refresh(
  connection: Connection,
  refresh_token: string,
  client_id: string = webApp.client_id,
): Promise<Tokens> {
  const tokens = await tokenRequest(connection, client_id, { grant_type: 'refresh_token', refresh_token });
  expect(tokens.id_token.length > 0 && tokens.refresh_token !== refresh_token, tokens);
  return tokens;
}

function clientCredentials(connection: Connection, fields: Record<string, string>, parts: number): Step {
  const request = form(connection, paths.token, service.client_id, { grant_type: 'client_credentials', ...fields });
  return async () => {
    const { access_token, token_type } = json(await connection.send(request));
    expect(token_type === 'Bearer' && access_token.split('.').length === parts, access_token);
  };
}

function reading(connection: Connection, path: string, member: string): Step {
  const request = requestText(connection.origin, { method: 'GET', path });
  return async () => {
    const { status, body } = await connection.send(request);
    expect(status === 200 && body.includes(`"${member}"`), body);
  };
}

async function redeem(connection: Connection, callback: URL, client_id: string = webApp.client_id): Promise<Tokens> {
  const code = callback.searchParams.get('code') ?? '';
  const fields = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
  const tokens = await tokenRequest(connection, client_id, fields);
  expect(tokens.id_token.length > 0 && tokens.refresh_token.length > 0, tokens);
  return tokens;
}

async function tokenRequest(
  connection: Connection,
  client_id: string,
  fields: Record<string, string>,
): Promise<Tokens> {
  return json(await connection.send(form(connection, paths.token, client_id, fields)));
}

function form({ origin }: Connection, path: string, client_id: string, fields: Record<string, string>): string {
  const authorization = `Basic ${Buffer.from(`${client_id}:${encodeURIComponent(clientSecret)}`).toString('base64')}`;
  const body = new URLSearchParams(fields).toString();
  return requestText(origin, { method: 'POST', path, headers: { authorization }, body });
}

function json({ status, body }: Answer): Tokens {
  if (status !== 200) throw new Error(`answered ${status}: ${body}`);
  return JSON.parse(body);
}

function expect(isRight: boolean, answer: unknown): void {
  if (!isRight) throw new Error(`a wrong answer: ${JSON.stringify(answer)}`);
}
