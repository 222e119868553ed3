import type { Context } from 'koa';
import * as client from 'openid-client';
import { type App, Refusal, type Session, seeOther } from './app.ts';
import { nameBrowser } from './browser.ts';

const scope = 'openid profile email orders:read orders:cancel';

/** Redirects the user to the issuer (authorization code with PKCE, RFC 9700 §2.1.1). */
export async function startSignIn(app: App, ctx: Context, browser: string): Promise<void> {
  const provider = await app.provider();
  const code_verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  app.started.put(`${browser} ${state}`, { state, nonce, code_verifier });
  const parameters = {
    redirect_uri: `${app.url}/callback`,
    scope,
    // The API of the access token (RFC 8707): no other accepts it.
    resource: `${app.url}/api`,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
    code_challenge_method: 'S256',
  };
  seeOther(ctx, client.buildAuthorizationUrl(provider, parameters).href);
}

/**
 * Handles the redirect back. Only a sign-in that this browser started is completed, once: an attacker's link would sign the user in to the
 * attacker's account.
 *
 * @throws Refusal 400
 */
export async function finishSignIn(app: App, ctx: Context, browser: string): Promise<void> {
  const started = app.started.take(`${browser} ${ctx.query.state}`);
  if (!started) {
    throw new Refusal(400, 'That sign-in took too long, or was started in another browser. Sign in again.');
  }
  const provider = await app.provider();
  // Not the requested address: the sender chooses the Host header.
  const cameBackWith = new URL(`${app.url}/callback?${ctx.querystring}`);
  const tokens = await client.authorizationCodeGrant(provider, cameBackWith, {
    expectedState: started.state,
    expectedNonce: started.nonce,
    pkceCodeVerifier: started.code_verifier,
    idTokenExpected: true,
  });
  const session = await openSession(provider, tokens);
  app.sessions.put(nameBrowser(app, ctx), session);
  seeOther(ctx, `${app.url}/tokens`);
}

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>;

async function openSession(provider: client.Configuration, tokens: Tokens): Promise<Session> {
  const { access_token, refresh_token, id_token } = tokens;
  const id_token_claims = tokens.claims();
  if (!id_token || !id_token_claims) throw new Error('the library let an answer without ID token through');
  return {
    access_token,
    scope: tokens.scope ?? '',
    refresh_token,
    id_token,
    id_token_claims,
    userinfo: await client.fetchUserInfo(provider, access_token, id_token_claims.sub),
    refreshed: 0,
    api_answer: null,
    notice: undefined,
  };
}

/** Ends the session here, then at the issuer, which redirects back (OpenID Connect RP-Initiated Logout). */
export async function signOut(app: App, ctx: Context, browser: string): Promise<void> {
  const session = app.sessions.take(browser);
  if (!session) return seeOther(ctx, app.url);
  const parameters = { id_token_hint: session.id_token, post_logout_redirect_uri: app.url };
  return seeOther(ctx, client.buildEndSessionUrl(await app.provider(), parameters).href);
}
