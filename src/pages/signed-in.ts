import type { Context } from 'koa';
import { browserSession } from '../oidc/index.ts';
import { requestOrigin } from '../platform/http/index.ts';
import { noteVisit } from '../sessions/index.ts';
import { findUserById, type User } from '../users/index.ts';
import { pagePaths } from './page-data.ts';
import type { PagesDeps } from './pages.ts';

/** Whose browser it is. */
export type SignedIn = { user: User; session_uid: string };

export type OwnPage = (deps: PagesDeps, ctx: Context, who: SignedIn) => Promise<void>;

/** A page of one's own: whoever is not signed in signs in first, and comes back to what they wanted to see. */
export function own(deps: PagesDeps, handle: OwnPage): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    const who = await signedIn(deps, ctx);
    if (who) await handle(deps, ctx, who);
    else ctx.redirect(`/sign-in?return_to=${encodeURIComponent(ctx.method === 'GET' ? ctx.path : pagePaths.account)}`);
  };
}

async function signedIn(deps: PagesDeps, ctx: Context): Promise<SignedIn | undefined> {
  const session = await browserSession(deps.provider().current(), ctx);
  const user = session && (await findUserById(deps.db, session.user_id));
  if (!session || !user?.enabled) return undefined;
  await noteVisit(deps, requestOrigin(ctx), session.uid);
  return { user, session_uid: session.uid };
}

/** The first value of a parameter. */
export function one(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** The number of a page, from 1. */
export function pageNumber(value: string | string[] | undefined): number {
  return Math.min(10_000, Math.max(1, Number.parseInt(one(value), 10) || 1));
}
