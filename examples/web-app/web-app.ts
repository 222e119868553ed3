import { randomBytes } from 'node:crypto';
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { AuthorizationResponseError } from 'openid-client';
import { type App, Refusal, type SignedIn, seeOther, type WebAppOptions } from './app.ts';
import { checkForm, csrfToken, knownBrowser } from './browser.ts';
import { MemoryStore } from './memory-store.ts';
import { answerOrders } from './orders-api.ts';
import { discoverOnce, isEnded, isProviderFailure } from './provider.ts';
import { finishSignIn, signOut, startSignIn } from './sign-in.ts';
import { callApi, refresh, revoke, showTokens } from './tokens.ts';

const hour = 3600;

type Handler = (app: App, ctx: Context, browser: string) => void | Promise<void>;
type SignedInHandler = (app: App, ctx: Context, who: SignedIn) => Promise<void>;

/** A web app that signs users in with an issuer, and calls an API for them. All paths are below that of `url`. */
export function webApp(options: WebAppOptions): Middleware {
  const app: App = {
    ...options,
    provider: discoverOnce(options),
    csrfKey: randomBytes(32),
    started: new MemoryStore(hour),
    sessions: new MemoryStore(8 * hour),
  };
  const router = new Router({ prefix: new URL(app.url).pathname.replace(/\/$/, '') });
  const page = (handle: Handler) => (ctx: Context) => answerPage(app, ctx, handle);
  router.get('/', page(showHome));
  router.post('/sign-in', page(startSignIn));
  router.get('/callback', page(finishSignIn));
  router.get('/tokens', page(signedIn(showTokens)));
  router.post('/call-api', page(signedIn(callApi)));
  router.post('/refresh', page(signedIn(refresh)));
  router.post('/revoke', page(signedIn(revoke)));
  router.post('/sign-out', page(signOut));
  router.get('/api/orders', (ctx: Context) => answerOrders(app, ctx));
  // The router's type requires `ctx.params`, which the router itself sets.
  return router.routes() as unknown as Middleware;
}

/** Common to all pages: every form is checked, and a failure is reported in a sentence, with a link to continue. */
async function answerPage(app: App, ctx: Context, handle: Handler): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  const browser = knownBrowser(app, ctx);
  try {
    if (ctx.method === 'POST') await checkForm(app, ctx, browser);
    await handle(app, ctx, browser);
  } catch (error) {
    const { status, message } = refusalOf(app, ctx, error);
    showHome(app, ctx, browser, message);
    ctx.status = status;
  }
}

/** Starts the sign-in again if no one is signed in, or the session is over. */
function signedIn(handle: SignedInHandler): Handler {
  return (app, ctx, browser) => {
    const session = app.sessions.get(browser);
    return session ? handle(app, ctx, { session, browser }) : seeOther(ctx, app.url);
  };
}

function showHome(app: App, ctx: Context, browser: string, problem?: string): void {
  const signed_in = app.sessions.get(browser) !== undefined;
  ctx.type = 'html';
  ctx.body = app.pages.home({ csrf: csrfToken(app, browser), signed_in, problem }, ctx);
}

/** Bugs of this program stay errors: the server answers 500. */
function refusalOf(app: App, ctx: Context, error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof AuthorizationResponseError && error.error === 'access_denied') {
    return new Refusal(200, 'You did not allow it, so this app learned nothing about you.');
  }
  if (isEnded(error)) return new Refusal(400, 'That sign-in is over. Sign in again.');
  if (!isProviderFailure(error) && !(error instanceof AuthorizationResponseError)) throw error;
  ctx.app.emit('error', error, ctx);
  return new Refusal(502, `${new URL(app.issuer).host} did not answer as it should. Try again in a moment.`);
}
