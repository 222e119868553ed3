import type { Context } from 'koa';
import { findUserById } from '../../domain/users/index.ts';
import { contentSecurityPolicy, cookiesBlocked, type Problem } from '../../platform/http/index.ts';
import { browserSession, type ProviderPages } from '../oauth/index.ts';
import { devicePages } from './device/device.ts';
import type { Catalogue } from './languages/en.ts';
import { languages } from './languages/languages.ts';
import { accountName, chromeOf, type PagesDeps, textsFor } from './pages.ts';
import { renderPage } from './render.ts';

type Deps = Pick<PagesDeps, 'now' | 'config'>;

/** The pages that oidc-provider renders through us: broken requests in plain words, signing out, signed out. */
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
    languages,
    renderError: (ctx, { error, error_description }, cause) => {
      const texts = textsFor(deps, ctx);
      const words = wordsOfLost(ctx, cause, texts) ?? wordsFor(error, texts);
      const page = { ...words, technical: { error, description: error_description }, status: ctx.status };
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

type ErrorWords = { heading: string; message: string; language?: string | undefined };

/** The browser returned without the cookie of its request. */
function wordsOfLost(
  ctx: Parameters<ProviderPages['renderError']>[0],
  cause: Error,
  texts: Catalogue,
): ErrorWords | undefined {
  const isLost = cause.name === 'SessionNotFound';
  const isSigningOut = ctx.oidc.route === 'end_session_confirm';
  if ((isLost || isSigningOut) && ctx.get('Cookie') === '') return wordsOf(ctx, cookiesBlocked(ctx, 400), texts);
  return isLost ? { heading: texts.error.expired, message: texts.error.expiredNote } : undefined;
}

function wordsFor(code: string, { error }: Catalogue): ErrorWords {
  if (code === 'temporarily_unavailable' || code === 'server_error')
    return { heading: error.ours, message: error.oursNote };
  return { heading: error.app, message: error.appNote };
}

/** Refusals that are shown in a browser. */
export function problemPage(deps: Deps) {
  return (ctx: Context, problem: Problem): string => {
    ctx.set('Content-Security-Policy', contentSecurityPolicy(["'self'"]));
    const words = wordsOf(ctx, problem, textsFor(deps, ctx));
    return renderPage('error', { ...words, status: problem.status }, chromeOf(deps, ctx));
  };
}

/** A refusal in the user's language if a user is likely to see it; others stay in English. */
function wordsOf(ctx: Context, { type, status, options }: Problem, { tag, error }: Catalogue): ErrorWords {
  const pairs: Readonly<Record<string, [heading: string, message: string]>> = {
    not_found: [error.missing, error.missingNote],
    internal: [error.ours, error.oursNote],
    unavailable: [error.ours, error.oursNote],
    foreign_form: [error.form, error.formNote],
    cookies_blocked: [status === 403 ? error.form : error.cookies, error.cookiesNote({ host: ctx.hostname })],
    interaction_expired: [error.expired, error.expiredNote],
    changed_elsewhere: [error.changed, error.changedNote],
    link_closed: [error.link, error.linkNote],
    too_many_requests: [error.throttled, error.throttledNote],
  };
  const [heading, message] = pairs[type] ?? [];
  if (heading !== undefined && message !== undefined) return { heading, message };
  // The pages that throw these write them in the user's language.
  const isTranslated = tag === 'en' || type === 'nothing_to_give' || type === 'setup_closed';
  return { heading: options.title, message: options.detail, language: isTranslated ? undefined : 'en' };
}
