/** Pages: everything that is shown in a browser. */
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { hasOwner } from '../../domain/access/index.ts';
import { findUserById } from '../../domain/users/index.ts';
import { contentSecurityPolicy } from '../../platform/http/index.ts';
import { browserSession } from '../oauth/index.ts';
import { accountRoutes } from './account/account.ts';
import { adminPermissionsOf } from './admin-permissions.ts';
import { type AssetEncoding, findAsset } from './assets.ts';
import { brandingOf } from './brand.ts';
import { clientLogoRoutes } from './client-logos.ts';
import { interactionRoutes } from './consent/interaction.ts';
import { consoleRoutes } from './console/console.ts';
import { refuseForeignForms } from './csrf.ts';
import { deviceRoutes } from './device/device.ts';
import { docsRoutes } from './docs/docs.ts';
import { pagePaths } from './page-data.ts';
import { accountName, type PagesDeps, show } from './pages.ts';
import { referenceRoutes } from './reference.ts';
import { choosePasswordRoutes } from './sign-in/choose-password.ts';
import { enrolmentRoutes } from './sign-in/enrolment.ts';
import { forgotPasswordRoutes } from './sign-in/forgot-password.ts';
import { setupRoutes } from './sign-in/setup.ts';
import { signInRoutes } from './sign-in/sign-in.ts';
import { signUpRoutes } from './sign-in/sign-up.ts';
import { providerRoutes } from './sign-in/with-provider.ts';

export { demoPages } from './demo-pages.ts';
export { userCodeEntry } from './device/device.ts';
export { mailTexts } from './languages/languages.ts';
export type { PagesDeps } from './pages.ts';
export { problemPage, providerPages } from './provider-pages.ts';

/** Whether a page is part of the account or the console, which no application needs to open in a popup. */
export function isIsolatedPage(path: string): boolean {
  return [pagePaths.account, pagePaths.console].some((own) => path === own || path.startsWith(`${own}/`));
}

/** Static files, under names that change with their content. Served before anything that needs a database. */
export function serveAssets(config: PagesDeps['config']): Middleware {
  const { assets } = brandingOf(config);
  return async (ctx, next) => {
    const isRead = ctx.method === 'GET' || ctx.method === 'HEAD';
    const found = isRead ? (findAsset(ctx.path) ?? assets.find(({ path }) => path === ctx.path)) : undefined;
    if (!found) return next();
    const encoding = (ctx.acceptsEncodings('br', 'gzip', 'identity') || 'identity') as AssetEncoding;
    ctx.set({ 'Cache-Control': 'public, max-age=31536000, immutable', Vary: 'Accept-Encoding' });
    if (encoding !== 'identity') ctx.set('Content-Encoding', encoding);
    ctx.type = found.type;
    ctx.body = await found.body[encoding]();
    return undefined;
  };
}

/** The routes of all pages of ours; those of the provider's own endpoints are rendered through `providerPages`. */
export function pageRoutes(deps: PagesDeps): Middleware {
  return pageRouter(deps).routes() as unknown as Middleware;
}

/** The addresses of all pages and form actions; a test compares each form with its required proof. */
export function pageRouter(deps: PagesDeps): Router {
  // One address a page: code that compares paths (cookies, logs) must not miss another spelling of it.
  const router = new Router({ sensitive: true, strict: true });
  router.get('/', async (ctx: Context) => showHome(deps, ctx));
  docsRoutes(router, deps);
  referenceRoutes(router, deps);
  clientLogoRoutes(router, deps);
  signInRoutes(router, deps);
  providerRoutes(router, deps);
  setupRoutes(router, deps);
  accountRoutes(router, deps);
  choosePasswordRoutes(router, deps);
  forgotPasswordRoutes(router, deps);
  signUpRoutes(router, deps);
  enrolmentRoutes(router, deps);
  consoleRoutes(router, deps);
  interactionRoutes(router, deps);
  deviceRoutes(router, deps);
  return router;
}

const anyFormTarget = contentSecurityPolicy();

/** Pages under the provider's paths redirect to clients' addresses: their forms may redirect to any registered one. */
export const providerPagePolicy: Middleware = async (ctx, next) => {
  if (ctx.path.startsWith('/oauth/')) ctx.set('Content-Security-Policy', anyFormTarget);
  return next();
};

/** Forms of the provider's own pages come from those pages. */
export const providerForms = (issuer: string): Middleware =>
  refuseForeignForms(issuer, new Set([pagePaths.device, `${pagePaths.signOut}/confirm`]));

async function showHome(deps: PagesDeps, ctx: Context): Promise<void> {
  const session = await browserSession(deps.provider().current(), ctx);
  const user = session && (await findUserById(deps.db, session.user_id));
  const signed_in_as = user ? accountName(user) : undefined;
  const administers = user?.enabled === true && (await adminPermissionsOf(deps, user.id)).length > 0;
  const { issuer, version, demo } = deps;
  show(
    deps,
    ctx,
    'home',
    { issuer, version, demo, signed_in_as, administers, setup_needed: !(await hasOwner(deps.db)) },
    { signed_in_as },
  );
}
