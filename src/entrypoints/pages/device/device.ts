import type Router from '@koa/router';
import type { Context, Middleware, Next } from 'koa';
import { renderSVG } from 'uqr';
import type { Throttles } from '../../../domain/users/index.ts';
import { mustSendCookies, notFound, requestOrigin, tooMany } from '../../../platform/http/index.ts';
import type { DevicePages } from '../../oauth/index.ts';
import { hasSession } from '../../oauth/index.ts';
import { pagePaths } from '../page-data.ts';
import { chromeOf, type PagesDeps, show, textsFor } from '../pages.ts';
import { renderPage } from '../render.ts';

const userCodeShape = /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/;

/** The pages of the device flow that oidc-provider renders. */
export function devicePages(deps: Pick<PagesDeps, 'now' | 'config'>): DevicePages {
  const html = (ctx: Context, body: string) => {
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = body;
  };
  return {
    renderUserCode: (ctx, form, problem) => {
      const t = textsFor(deps, ctx).device;
      if (problem?.kind === 'denied') {
        ctx.status = 403;
        const page = { heading: t.denied, message: t.deniedNote, status: 403 };
        html(ctx, renderPage('error', page, chromeOf(deps, ctx)));
        return;
      }
      const { user_code = problem?.user_code ?? '' } = ctx.state as { user_code?: string };
      const error = problem && t[problem.kind];
      html(ctx, renderPage('device-enter', { ...form, user_code, error }, chromeOf(deps, ctx)));
    },
    renderUserCodeConfirmation: (ctx, form, { client, user_code }) => {
      const client_name = client.clientName ?? client.clientId;
      html(ctx, renderPage('device-confirm', { ...form, user_code, client_name }, chromeOf(deps, ctx)));
    },
    renderDeviceReady: (ctx) => {
      const client_name = ctx.oidc.client?.clientName ?? ctx.oidc.client?.clientId;
      html(ctx, renderPage('device-ready', { client_name }, chromeOf(deps, ctx)));
    },
  };
}

/**
 * Before oidc-provider's page: a code in the link is filled in, and the user submits it (the library would let a script do it); guesses are
 * throttled per address (RFC 8628 §5.1).
 */
export function userCodeEntry({ provider, throttles }: Pick<PagesDeps, 'provider' | 'throttles'>): Middleware {
  return async (ctx: Context, next: Next) => {
    const isForm = ctx.path === pagePaths.device;
    if (!isForm && !ctx.path.startsWith(`${pagePaths.device}/`)) return next();
    if (isForm && ctx.method === 'POST') await slowDown(throttles, ctx);
    // Without the session that contains the form's secret the library fails instead of asking again.
    if ((!isForm || ctx.method === 'POST') && !(await hasSession(provider().current(), ctx))) {
      // Otherwise a browser that blocks cookies would be redirected to the same form for ever.
      if (ctx.method === 'POST') mustSendCookies(ctx, 403);
      ctx.status = 303;
      ctx.redirect(pagePaths.device);
      return undefined;
    }
    const [user_code] = [ctx.query.user_code ?? []].flat();
    if (user_code) ctx.state.user_code = user_code.slice(0, 20);
    if (isForm) ctx.querystring = '';
    return next();
  };
}

async function slowDown(throttles: Throttles, ctx: Context): Promise<void> {
  const wait = await throttles.countUserCode(requestOrigin(ctx).address ?? '');
  if (wait !== undefined) throw tooMany('There were too many attempts. Wait a few minutes and try again.', wait);
}

/** What a device without a page of its own can show: the code in large letters, and as a QR code. */
export function deviceRoutes(router: Router, deps: PagesDeps): void {
  router.get('/device-code', async (ctx: Context) => {
    const user_code = shownCode(ctx);
    const qr_path = `/device-code/qr.svg?user_code=${user_code}`;
    show(deps, ctx, 'device-show', { user_code, qr_path, address: `${new URL(deps.issuer).host}${pagePaths.device}` });
  });
  router.get('/device-code/qr.svg', async (ctx: Context) => {
    ctx.type = 'image/svg+xml';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = renderSVG(`${deps.issuer}${pagePaths.device}?user_code=${shownCode(ctx)}`, { border: 2 });
  });
}

function shownCode(ctx: Context): string {
  const user_code = [ctx.query.user_code ?? ''].flat().join();
  if (!userCodeShape.test(user_code)) throw notFound('code', user_code.slice(0, 20));
  return user_code;
}
