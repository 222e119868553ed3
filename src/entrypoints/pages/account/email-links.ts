import type Router from '@koa/router';
import type { Context } from 'koa';
import {
  confirmEmailChange,
  findPreviousEmail,
  findRequestedEmail,
  undoEmailChange,
} from '../../../domain/users/index.ts';
import { Problem, requestOrigin } from '../../../platform/http/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show, withMail } from '../pages.ts';
import { linkClosed } from '../sign-in/link-closed.ts';
import { own, type SignedIn } from '../signed-in.ts';

/** The targets of the links that are mailed when an address changes. Opening one, as mail filters do, changes nothing. */
export function emailLinkRoutes(router: Router, deps: PagesDeps): void {
  router.get('/account/email/confirm/:secret', own(deps, showConfirm));
  router.post('/account/email/confirm/:secret', own(deps, confirm));
  router.get('/undo-email-change/:secret', async (ctx: Context) => showUndo(deps, ctx));
  router.post('/undo-email-change/:secret', async (ctx: Context) => undo(deps, ctx));
}

async function showConfirm(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  const email = await findRequestedEmail(deps, user, ctx.params.secret);
  if (email === undefined) throw linkClosed();
  const data = { csrf: csrfToken(deps, ctx), action: ctx.path, email, state: 'confirm' } as const;
  show(deps, ctx, 'email-link', data, { signed_in_as: accountName(user) });
}

async function confirm(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  checkCsrf(deps, ctx);
  const input = { user_id: user.id, secret: ctx.params.secret };
  await confirmEmailChange(withMail(deps), requestOrigin(ctx), input).catch(asClosed);
  ctx.status = 303;
  ctx.redirect(`${pagePaths.account}?done=email-changed`);
}

async function showUndo(deps: PagesDeps, ctx: Context): Promise<void> {
  const email = await findPreviousEmail(deps, ctx.params.secret);
  if (email === undefined) throw linkClosed();
  show(deps, ctx, 'email-link', { csrf: csrfToken(deps, ctx), action: ctx.path, email, state: 'undo' });
}

async function undo(deps: PagesDeps, ctx: Context): Promise<void> {
  checkCsrf(deps, ctx);
  const { email } = await undoEmailChange(withMail(deps), requestOrigin(ctx), ctx.params.secret).catch(asClosed);
  show(deps, ctx, 'email-link', { csrf: '', action: '', email: email ?? '', state: 'undone' });
}

/** The response is the same for every error of a link; also if another account has the address by now. */
function asClosed(error: unknown): never {
  const isClosed = error instanceof Problem && (error.type === 'not_found' || error.type === 'conflict');
  throw isClosed ? linkClosed() : error;
}
