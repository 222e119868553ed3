import type { Context } from 'koa';
import { assuranceOf, isAtLeast } from '../../domain/assurance/index.ts';
import { noteVisit } from '../../domain/sessions/index.ts';
import {
  findUserById,
  noteBrowserLanguage,
  refusesDoubted,
  requiredOfUser,
  type User,
} from '../../domain/users/index.ts';
import { requestOrigin } from '../../platform/http/index.ts';
import {
  type Authentication,
  type BrowserSession,
  browserSession,
  sendSessionId,
  startBrowserSession,
} from '../oauth/index.ts';
import { pagePaths } from './page-data.ts';
import { chosenLanguage, type PagesDeps } from './pages.ts';

/** The user who is signed in with a browser, and the session. */
export type Here = { user: User; session: BrowserSession };

/** The user of the browser. */
export type SignedIn = Here & { session_uid: string };

export type OwnPage = (deps: PagesDeps, ctx: Context, who: SignedIn) => Promise<void>;

// Encoded once more, a longer address would exceed what browsers and proxies accept in a header.
const longestReturn = 2048;

/** The address of the sign-in page that returns to a page; to the start page if that address is too long. */
export function signInFor(page: string): string {
  return page.length > longestReturn ? '/sign-in' : `/sign-in?return_to=${encodeURIComponent(page)}`;
}

/** A page for signed-in users: others sign in first and return to the requested page. */
export function own(deps: PagesDeps, handle: OwnPage): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    const who = await signedIn(deps, ctx);
    if (who) await handle(deps, ctx, who);
    else ctx.redirect(signInFor(ctx.method === 'GET' ? ctx.path : pagePaths.account));
  };
}

async function signedIn(deps: PagesDeps, ctx: Context): Promise<SignedIn | undefined> {
  const here = await whoIsHere(deps, ctx);
  if (!here) return undefined;
  const { uid } = here.session;
  await noteVisit(deps, requestOrigin(ctx), uid);
  return { ...here, session_uid: uid };
}

/** The user who is signed in with this browser and satisfies the sign-in policy now. */
export async function whoIsHere(deps: PagesDeps, ctx: Context): Promise<Here | undefined> {
  const session = await browserSession(deps.provider().current(), ctx);
  const user = session && (await findUserById(deps.db, session.user_id));
  if (!session || !user?.enabled) return undefined;
  const { acr } = session;
  const isMet = await isEnough(deps, { user_id: user.id, acr });
  return isMet || (canAddMethod(acr) && isSecurityPage(ctx.path)) ? { user, session } : undefined;
}

/** Whether a user's authentication satisfies the sign-in policy now. */
export function meetsPolicy(
  deps: PagesDeps,
  { user_id, amr }: Pick<Authentication, 'user_id' | 'amr'>,
): Promise<boolean> {
  return isEnough(deps, { user_id, acr: assuranceOf(amr) });
}

type Assured = { user_id: string; acr: string | undefined };

async function isEnough(deps: PagesDeps, { user_id, acr }: Assured): Promise<boolean> {
  const required = await requiredOfUser(deps, user_id);
  return required === undefined || isAtLeast(acr, required);
}

/** A user who signed in with a second factor may add the stronger one that the policy requires; with a password alone they may not. */
const canAddMethod = (acr: string | undefined) => isAtLeast(acr, 'urn:latchkey:acr:two-factor');
const isSecurityPage = (path: string) => path === pagePaths.security || path.startsWith(`${pagePaths.security}/`);

/**
 * Signs a user in with this browser and redirects them. If the sign-in policy requires more, they are redirected to add a stronger method,
 * or to the sign-in page.
 */
export async function signInHere(
  deps: PagesDeps,
  ctx: Context,
  { to, ...authentication }: Authentication & { to: string },
): Promise<void> {
  const { provider, issuer, config } = deps;
  const { user_id, amr } = authentication;
  const acr = assuranceOf(amr);
  const isMet = await isEnough(deps, { user_id, acr });
  ctx.status = 303;
  if (!isMet && !canAddMethod(acr)) return ctx.redirect(pagePaths.signIn);
  // The sign-in page says why.
  if (await refusesDoubted(deps, { user_id, origin: requestOrigin(ctx) })) return ctx.redirect(pagePaths.signIn);
  const options = { ...authentication, sessionSeconds: config.sessionSeconds, secure: isSecure(issuer) };
  await startBrowserSession(provider().current(), ctx, options);
  await noteBrowserLanguage(deps.db, authentication.user_id, chosenLanguage(deps, ctx));
  ctx.redirect(isMet ? to : `${pagePaths.security}?done=method-required`);
}

/** Sets the new id of the session in this browser. */
export function sendRenewedId(
  { provider, issuer, now }: PagesDeps,
  ctx: Context,
  { id, expires_at }: { id: string; expires_at: Date },
): void {
  const maxAgeSeconds = Math.max(0, Math.ceil((expires_at.getTime() - now().getTime()) / 1000));
  sendSessionId(provider().current(), ctx, { id, maxAgeSeconds, secure: isSecure(issuer) });
}

const isSecure = (issuer: string) => issuer.startsWith('https:');

/** The first value of a parameter. */
export function one(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** The number of a page, from 1. */
export function pageNumber(value: string | string[] | undefined): number {
  return Math.min(10_000, Math.max(1, Number.parseInt(one(value), 10) || 1));
}
