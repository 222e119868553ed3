import type { Context } from 'koa';
import { findUserById } from '../../domain/users/index.ts';
import { contentSecurityPolicy, cookiesBlocked, type Problem } from '../../platform/http/index.ts';
import { browserSession, type ProviderPages } from '../oauth/index.ts';
import { devicePages } from './device/device.ts';
import { accountName, chromeOf, type PagesDeps } from './pages.ts';
import { renderPage } from './render.ts';

type Deps = Pick<PagesDeps, 'now' | 'config'>;

/** The pages oidc-provider asks for: broken requests in plain words, signing out, signed out. */
export function providerPages(deps: Deps & Pick<PagesDeps, 'db'>): ProviderPages {
  const html = (ctx: Context, body: string) => {
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = body;
  };
  const nameOf = async (user_id: string | undefined) => {
    const user = user_id && (await findUserById(deps.db, user_id));
    return user ? accountName(user) : undefined;
  };
  return {
    ...devicePages(deps),
    renderError: (ctx, { error, error_description }, cause) => {
      const { heading, message } = wordsOfLost(ctx, cause) ?? wordsFor(error);
      const page = { heading, message, technical: { error, description: error_description }, status: ctx.status };
      html(ctx, renderPage('error', page, chromeOf(deps, ctx)));
    },
    renderSignOut: async (ctx, form_html) => {
      const signed_in_as = await nameOf(ctx.oidc.session?.accountId);
      html(ctx, renderPage('sign-out', { form_html, client_name: clientName(ctx) }, chromeOf(deps, ctx, signed_in_as)));
    },
    renderSignedOut: async (ctx) => {
      const session = await browserSession(ctx.oidc.provider, ctx);
      const page = { client_name: clientName(ctx), still_signed_in_as: await nameOf(session?.user_id) };
      html(ctx, renderPage('signed-out', page, chromeOf(deps, ctx)));
    },
  };
}

function clientName(ctx: {
  oidc: { client?: { clientName?: string | undefined; clientId: string } | undefined };
}): string | undefined {
  return ctx.oidc.client?.clientName ?? ctx.oidc.client?.clientId;
}

const ourFault = {
  heading: 'That did not work',
  message: 'Something went wrong on our side. Wait a moment and try again.',
};

/** The browser came back without the cookie of the request that it had begun. */
function wordsOfLost(
  ctx: Parameters<ProviderPages['renderError']>[0],
  cause: Error,
): { heading: string; message: string } | undefined {
  const isLost = cause.name === 'SessionNotFound';
  const isSigningOut = ctx.oidc.route === 'end_session_confirm';
  if ((isLost || isSigningOut) && ctx.get('Cookie') === '') return wordsOf(cookiesBlocked(ctx, 400));
  if (!isLost) return undefined;
  return {
    heading: 'This page has expired',
    message: 'It was finished already, or waited too long. Go back to the app and try again.',
  };
}

function wordsFor(error: string): { heading: string; message: string } {
  if (error === 'temporarily_unavailable' || error === 'server_error') {
    return ourFault;
  }
  return {
    heading: 'This app sent a request we cannot answer',
    message: 'You can close this page and go back to the app. If it happens again, tell the people who make it.',
  };
}

/** Refusals shown to a browser. */
export function problemPage(deps: Deps) {
  return (ctx: Context, problem: Problem): string => {
    ctx.set('Content-Security-Policy', contentSecurityPolicy(["'self'"]));
    return renderPage('error', { ...wordsOf(problem), status: problem.status }, chromeOf(deps, ctx));
  };
}

/** A refusal in words for the person; those of an outage or a wrong address are written for programs. */
function wordsOf({ type, options }: Problem): { heading: string; message: string } {
  if (type === 'not_found') {
    return { heading: 'There is nothing here', message: 'Check the address, or go back to where you came from.' };
  }
  if (type === 'internal' || type === 'unavailable') return ourFault;
  return { heading: options.title, message: options.detail };
}
