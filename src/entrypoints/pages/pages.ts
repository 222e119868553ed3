import type { Context } from 'koa';
import type { Config } from '../../config.ts';
import type { Refusals } from '../../domain/audit/index.ts';
import type { ClientDocuments } from '../../domain/client-documents/index.ts';
import type { RoundTripDeps } from '../../domain/identity-providers/index.ts';
import type { KnownPolicy, Throttles } from '../../domain/users/index.ts';
import type { Db } from '../../platform/database/index.ts';
import { requestOrigin } from '../../platform/http/index.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { Language } from '../../platform/languages/index.ts';
import type { AdminRouteDeps } from '../admin/index.ts';
import type { KnownClients, Reader, RunningProvider } from '../oauth/index.ts';
import { brandingOf } from './brand.ts';
import type { Catalogue } from './languages/en.ts';
import { languageOf, textsOf } from './languages/languages.ts';
import type { PageChrome, PageData } from './page-data.ts';
import { renderPage } from './render.ts';

/** The dependencies of pages; each handler uses its part. */
export type PagesDeps = {
  db: Db;
  now: () => Date;
  keys: ServerKeys;
  jobs: Jobs;
  reader: Reader;
  knownClients: KnownClients;
  documents: ClientDocuments;
  throttles: Throttles;
  /** How users must sign in. */
  policy: KnownPolicy;
  /** The identity providers that users sign in with. */
  providers: RoundTripDeps;
  refusals: Refusals;
  provider: () => RunningProvider;
  issuer: string;
  version: string;
  config: Pick<
    Config,
    | 'brandName'
    | 'brandAccent'
    | 'brandLogo'
    | 'docs'
    | 'language'
    | 'mail'
    | 'signUp'
    | 'sessionSeconds'
    | 'mailsNewBrowsers'
    | 'apiKeyEnvironments'
  >;
  /** The dependencies of the console: those of the admin API's routes, and its identifier as an audience. */
  admin: { deps: AdminRouteDeps; audience: string };
  /** Whether the demo is served. */
  demo: boolean;
};

/** The dependencies of verbs that send a user e-mail. */
export function withMail(deps: PagesDeps): PagesDeps & Pick<AdminRouteDeps, 'sendEmail'> {
  return { ...deps, sendEmail: deps.admin.deps.sendEmail };
}

export type PageOptions = Pick<PageChrome, 'signed_in_as' | 'sections' | 'section'> & { status?: number };

/** Answers with a page; never cached, always in its frame. */
export function show<K extends keyof PageData>(
  deps: PagesDeps,
  ctx: Context,
  page: K,
  data: PageData[K],
  { status = 200, signed_in_as, sections, section }: PageOptions = {},
): void {
  ctx.status = status;
  ctx.type = 'html';
  ctx.set('Cache-Control', 'no-store');
  ctx.body = renderPage(page, data, { ...chromeOf(deps, ctx, signed_in_as), sections, section });
}

/** The data that every page needs. */
export function chromeOf(deps: Pick<PagesDeps, 'now' | 'config'>, ctx: Context, signed_in_as?: string): PageChrome {
  const { request_id = '' } = requestOrigin(ctx);
  const language = chosenLanguage(deps, ctx);
  const { brand } = brandingOf(deps.config);
  return { brand, language, request_id, now: deps.now(), signed_in_as, docs: deps.config.docs };
}

/** The texts of a page in the language of its user. */
export function textsFor(deps: Pick<PagesDeps, 'config'>, ctx: Context): Catalogue {
  return textsOf(chosenLanguage(deps, ctx));
}

/** The language of a page. */
export function chosenLanguage({ config }: Pick<PagesDeps, 'config'>, ctx: Context): Language {
  // The request in progress: our own pages of an interaction have it in the state, the provider in its parameters.
  const { oidc } = ctx as { oidc?: { params?: { ui_locales?: unknown } } };
  return languageOf(ctx, config.language, ctx.state.ui_locales ?? oidc?.params?.ui_locales);
}

/** The name by which a user knows their own account. */
export function accountName(user: { email: string | null; username: string }): string {
  return user.email ?? user.username;
}
