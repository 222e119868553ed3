import type Router from '@koa/router';
import type { Context } from 'koa';
import {
  choosePassword,
  hasSecondFactor,
  linkedUser,
  passwordProblem,
  type User,
} from '../../../domain/users/index.ts';
import { form, Problem, requestOrigin } from '../../../platform/http/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show, textsFor, withMail } from '../pages.ts';
import type { FieldErrors } from '../records/page-shapes.ts';
import { signInHere } from '../signed-in.ts';
import { linkClosed } from './link-closed.ts';

/** Choosing a password with a one-time link: an invitation, or account recovery. */
export function choosePasswordRoutes(router: Router, deps: PagesDeps): void {
  router.get('/password/:secret', async (ctx: Context) => {
    showForm(deps, ctx, await personOf(deps, ctx), {});
  });
  router.post('/password/:secret', async (ctx: Context) => {
    checkCsrf(deps, ctx);
    await submit(deps, ctx, await personOf(deps, ctx));
  });
}

async function personOf(deps: PagesDeps, ctx: Context): Promise<User> {
  const user = await linkedUser(deps, ctx.params.secret);
  if (!user) throw linkClosed();
  return user;
}

function showForm(deps: PagesDeps, ctx: Context, user: User, errors: FieldErrors): void {
  const status = Object.keys(errors).length > 0 ? 422 : 200;
  const data = {
    csrf: csrfToken(deps, ctx),
    action: ctx.path,
    account_name: accountName(user),
    username: user.username,
  };
  show(deps, ctx, 'choose-password', { ...data, errors }, { status });
}

async function submit(deps: PagesDeps, ctx: Context, user: User): Promise<void> {
  const t = textsFor(deps, ctx).password;
  const sent = form(ctx);
  const password = sent.get('password') ?? '';
  if (password !== sent.get('password_repeated')) {
    showForm(deps, ctx, user, { password_repeated: t.differ });
    return;
  }
  let changed: User;
  try {
    changed = await choosePassword(withMail(deps), requestOrigin(ctx), { secret: ctx.params.secret, password });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.type !== 'invalid') throw error.type === 'not_found' ? linkClosed() : error;
    const problem = await passwordProblem(password, user);
    showForm(deps, ctx, user, { password: problem ? t.problems[problem] : error.message });
    return;
  }
  const { id: user_id, epoch: user_epoch } = changed;
  const authentication = { user_id, user_epoch, authenticated_at: deps.now(), amr: ['pwd'] };
  // A link must not replace the second factor: the user signs in with both.
  if (await hasSecondFactor(deps.db, user_id)) {
    ctx.status = 303;
    ctx.redirect(pagePaths.signIn);
    return;
  }
  await signInHere(deps, ctx, { ...authentication, to: pagePaths.account });
}
