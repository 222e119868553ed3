import type { Context } from 'koa';
import * as client from 'openid-client';
import { type App, Refusal, type SignedIn, seeOther } from './app.ts';
import { csrfToken } from './browser.ts';
import { isEnded, isUnreachable } from './provider.ts';

const apiTimeoutMs = 5000;

/** Shows all tokens of the app, and the introspection of its access token. */
export async function showTokens(app: App, ctx: Context, { session, browser }: SignedIn): Promise<void> {
  const { id_token_claims, userinfo, api_answer, refreshed, notice } = session;
  const access_token_introspection = await client.tokenIntrospection(await app.provider(), session.access_token);
  session.notice = undefined;
  const page = { id_token_claims, userinfo, access_token_introspection, api_answer, refreshed, notice };
  ctx.type = 'html';
  ctx.body = app.pages.tokens({ csrf: csrfToken(app, browser), ...page }, ctx);
}

/** Calls the API for the user, with the access token. */
export async function callApi(app: App, ctx: Context, { session }: SignedIn): Promise<void> {
  const { status, ...answer } = await askForOrders(app.url, session.access_token);
  session.api_answer = { status, ...answer };
  session.notice = noticeOf(status, session.scope);
  seeOther(ctx, `${app.url}/tokens`);
}

async function askForOrders(url: string, access_token: string): Promise<{ status: number }> {
  try {
    const response = await fetch(`${url}/api/orders`, {
      headers: { authorization: `Bearer ${access_token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(apiTimeoutMs),
    });
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    const challenge = response.headers.get('www-authenticate');
    const body = isJson ? ((await response.json()) as object) : {};
    return { ...body, ...(challenge && { 'www-authenticate': challenge }), status: response.status };
  } catch (error) {
    if (isUnreachable(error)) return { status: 503 };
    throw error;
  }
}

function noticeOf(status: number, scope: string): string {
  // A token without a scope of this API is not issued for it: the API treats it as invalid.
  const isAllowed = scope.split(' ').includes('orders:read');
  if (status === 401 && isAllowed)
    return 'The API refused: the access token does not work any more. Refresh it, or sign in again.';
  if (status === 401 || status === 403) return 'The API refused: you did not allow this app to see your orders.';
  return status === 200 ? 'The API answered.' : 'The API could not answer just now. Try again in a moment.';
}

/** Uses the refresh token to get new tokens. If the issuer refuses it, the session is over. */
export async function refresh(app: App, ctx: Context, { session, browser }: SignedIn): Promise<void> {
  const { refresh_token, id_token_claims } = session;
  if (!refresh_token) throw new Refusal(400, 'The issuer gave no refresh token: sign in again when the time is up.');
  const provider = await app.provider();
  const tokens = await client.refreshTokenGrant(provider, refresh_token).catch((error) => {
    if (isEnded(error)) app.sessions.take(browser);
    throw error;
  });
  session.access_token = tokens.access_token;
  session.refresh_token = tokens.refresh_token ?? refresh_token;
  session.refreshed += 1;
  session.userinfo = await client.fetchUserInfo(provider, session.access_token, id_token_claims.sub);
  session.notice = 'The app got new tokens.';
  seeOther(ctx, `${app.url}/tokens`);
}

/** Revokes both tokens (RFC 7009): first the refresh token. The app keeps them, to show that they are refused. */
export async function revoke(app: App, ctx: Context, { session }: SignedIn): Promise<void> {
  const provider = await app.provider();
  const { refresh_token, access_token } = session;
  if (refresh_token) await client.tokenRevocation(provider, refresh_token, { token_type_hint: 'refresh_token' });
  await client.tokenRevocation(provider, access_token, { token_type_hint: 'access_token' });
  session.notice = 'Both tokens were given back. Call the API: it refuses.';
  seeOther(ctx, `${app.url}/tokens`);
}
