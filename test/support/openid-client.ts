import * as oidc from 'openid-client';
import { redirectUri } from './installation.ts';
import type { Latchkey } from './latchkey.ts';
import type { Page, UserAgent } from './user-agent.ts';

type Tokens = Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;

export type SignIn = {
  /** The page that the user is redirected to. */
  page: Page;
  /** Redeems the code, with every check of openid-client. */
  tokens: (parameters?: Record<string, string>) => Promise<Tokens>;
};
export type SignInOptions = {
  browser?: UserAgent;
  login?: string;
  parameters?: Record<string, string> | [string, string][];
};

/** A client of openid-client, configured by discovery; without `authentication` a public one. */
export async function discover(
  latchkey: Latchkey,
  client_id: string,
  authentication: oidc.ClientAuth = oidc.None(),
  algorithm: 'oidc' | 'oauth2' = 'oidc',
): Promise<oidc.Configuration> {
  const execute = [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks];
  return oidc.discovery(new URL(latchkey.issuer), client_id, undefined, authentication, { algorithm, execute });
}

/** Sends a user to the server with openid-client's request, through sign-in and consent, and back. */
export async function signIn(
  latchkey: Latchkey,
  config: oidc.Configuration,
  { browser = latchkey.browser(), login = 'alice', parameters = [] }: SignInOptions = {},
): Promise<SignIn> {
  const { url, checks } = await authorizationRequest(config, parameters);
  const page = await latchkey.visit(browser, url.href, { login });
  return { page, tokens: (more = {}) => oidc.authorizationCodeGrant(config, new URL(page.url), checks, more) };
}

/** A request of openid-client, and its checks of the response. */
export async function authorizationRequest(
  config: oidc.Configuration,
  parameters: Record<string, string> | [string, string][] = [],
): Promise<{ url: URL; checks: oidc.AuthorizationCodeGrantChecks }> {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const sent = new URLSearchParams({
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const given = new URLSearchParams(parameters);
  for (const name of new Set(given.keys())) sent.delete(name);
  for (const [name, value] of given) sent.append(name, value);
  const max_age = given.get('max_age');
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, ...(max_age ? { maxAge: Number(max_age) } : {}) };
  return { url: oidc.buildAuthorizationUrl(config, sent), checks: { ...checks, idTokenExpected: true } };
}
