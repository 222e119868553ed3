import type Router from '@koa/router';
import type { Context } from 'koa';
import {
  countElsewhere,
  findSession,
  listSessions,
  revokeOtherSessions,
  revokeSession,
  type SignedInSession,
} from '../../../domain/sessions/index.ts';
import { notFound, person, requestOrigin } from '../../../platform/http/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import type { Catalogue } from '../languages/en.ts';
import { pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show, textsFor } from '../pages.ts';
import { deviceName } from '../records/devices.ts';
import { one, own, pageNumber, type SignedIn } from '../signed-in.ts';
import type { ShownSession } from './page-data.ts';

const perPage = 20;
const uidShape = /^[\w-]{1,64}$/;

/** A user's sessions, and signing them out. */
export function accountSessionRoutes(router: Router, deps: PagesDeps): void {
  router.get('/account/sessions', own(deps, showSessions));
  router.get('/account/sessions/sign-out-others', own(deps, askOthers));
  router.post('/account/sessions/sign-out-others', own(deps, signOutOthers));
  router.get('/account/sessions/:uid/sign-out', own(deps, askOne));
  router.post('/account/sessions/:uid/sign-out', own(deps, signOutOne));
}

async function showSessions(deps: PagesDeps, ctx: Context, { user, session_uid }: SignedIn): Promise<void> {
  const page = pageNumber(ctx.query.page);
  const query = { now: deps.now(), current: session_uid, offset: (page - 1) * perPage, limit: perPage };
  const { sessions, total } = await listSessions(deps.db, user.id, query);
  const texts = textsFor(deps, ctx);
  const shown = sessions.map((session) => inWords(session, session_uid, texts));
  const pages = Math.max(1, Math.ceil(total / perPage));
  const data = { sessions: shown, total, page, pages, notice: noticeOf(one(ctx.query.signed_out), texts) };
  show(deps, ctx, 'sessions', data, { signed_in_as: accountName(user) });
}

function noticeOf(signed_out: string, { sessions }: Catalogue): string | undefined {
  if (!/^\d{1,6}$/.test(signed_out)) return undefined;
  const count = Number(signed_out);
  return count === 0 ? sessions.noneEnded : sessions.ended({ count });
}

function inWords({ apps, ...session }: SignedInSession, current: string, texts: Catalogue): ShownSession {
  const names = (lasting: boolean) => apps.filter((app) => app.lasting === lasting).map(({ name }) => name);
  return {
    ...session,
    device: deviceName(session.user_agent, texts),
    is_this_one: session.uid === current,
    apps: names(false),
    lasting_apps: names(true),
  };
}

async function askOne(deps: PagesDeps, ctx: Context, who: SignedIn): Promise<void> {
  const uid = uidOf(ctx);
  // This browser signs out on a separate page, which ends the session at the apps, too.
  if (uid === who.session_uid) return ctx.redirect(pagePaths.signOut);
  const session = await findSession(deps.db, who.user.id, { uid, now: deps.now() });
  if (!session) throw notFound('session', uid);
  const shown = inWords(session, who.session_uid, textsFor(deps, ctx));
  const data = { csrf: csrfToken(deps, ctx), action: pagePaths.signOutSession(uid), session: shown };
  show(deps, ctx, 'sign-out-session', data, { signed_in_as: accountName(who.user) });
}

async function signOutOne(deps: PagesDeps, ctx: Context, { user, session_uid }: SignedIn): Promise<void> {
  checkCsrf(deps, ctx);
  const uid = uidOf(ctx);
  ctx.status = 303;
  if (uid === session_uid) return ctx.redirect(pagePaths.signOut);
  await revokeSession(deps, person(user.id, requestOrigin(ctx)), uid);
  ctx.redirect(`${pagePaths.sessions}?signed_out=1`);
}

async function askOthers(deps: PagesDeps, ctx: Context, { user, session_uid }: SignedIn): Promise<void> {
  const ending = await countElsewhere(deps.db, user.id, { current: session_uid, now: deps.now() });
  const data = { csrf: csrfToken(deps, ctx), action: pagePaths.signOutOthers, ...ending };
  show(deps, ctx, 'sign-out-others', data, { signed_in_as: accountName(user) });
}

async function signOutOthers(deps: PagesDeps, ctx: Context, { user, session_uid }: SignedIn): Promise<void> {
  checkCsrf(deps, ctx);
  const ended = await revokeOtherSessions(deps, person(user.id, requestOrigin(ctx)), session_uid);
  ctx.status = 303;
  ctx.redirect(`${pagePaths.sessions}?signed_out=${ended}`);
}

function uidOf(ctx: Context): string {
  const uid: string = ctx.params.uid;
  if (!uidShape.test(uid)) throw notFound('session', uid.slice(0, 64));
  return uid;
}
