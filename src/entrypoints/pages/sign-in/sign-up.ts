import type Router from '@koa/router';
import type { Context } from 'koa';
import {
  invitedEmail,
  requestSignUp,
  SignUpInput,
  signUp,
  signUpProblem,
  type User,
} from '../../../domain/users/index.ts';
import { form, Problem, requestOrigin } from '../../../platform/http/index.ts';
import type { Authentication } from '../../oauth/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { pagePaths } from '../page-data.ts';
import { chosenLanguage, type PagesDeps, show, textsFor } from '../pages.ts';
import { signInHere } from '../signed-in.ts';
import { accountFields, refusedFields } from './account-fields.ts';
import { interactionAsked, pathOfInteraction } from './from-app.ts';
import { linkClosed } from './link-closed.ts';
import { minutesToWait } from './throttled.ts';

/** Sign-up, if the installation allows it: a user requests a link, and opens it to create the account. */
export function signUpRoutes(router: Router, deps: PagesDeps): void {
  if (!deps.config.signUp) return;
  router.get(pagePaths.signUp, async (ctx: Context) => showSignUp(deps, ctx, {}));
  router.post(pagePaths.signUp, async (ctx: Context) => {
    checkCsrf(deps, ctx);
    await submitRequest(deps, ctx);
  });
  router.get(`${pagePaths.signUp}/:secret`, async (ctx: Context) => showNewAccount(deps, ctx));
  router.post(`${pagePaths.signUp}/:secret`, async (ctx: Context) => {
    const authentication = await judgeNewAccount(deps, ctx);
    if (authentication) await signInHere(deps, ctx, { ...authentication, to: pagePaths.account });
  });
}

type SignUpView = { interaction?: string; email?: string; error?: string; blocked?: string; is_sent?: boolean };

/** Shows the form that requests a link. */
export function showSignUp(deps: PagesDeps, ctx: Context, view: SignUpView, status = 200): void {
  const { interaction = interactionAsked(ctx), is_sent = false, ...typed } = view;
  const shown = {
    ...{ csrf: csrfToken(deps, ctx), email: '', is_sent, ...typed },
    action: pathOfInteraction(pagePaths.signUp, interaction),
    sign_in: interaction ? `/interaction/${interaction}/sign-in` : pagePaths.signIn,
  };
  show(deps, ctx, 'sign-up', shown, { status });
}

/** The same for every address: the response does not reveal which accounts exist. */
async function submitRequest(deps: PagesDeps, ctx: Context): Promise<void> {
  const { signUp: t } = textsFor(deps, ctx);
  const email = (form(ctx).get('email') ?? '').trim();
  const origin = requestOrigin(ctx);
  const wait = await deps.throttles.countSignUpRequest(origin.address ?? '');
  if (wait !== undefined) {
    showSignUp(deps, ctx, { email, blocked: t.throttled({ minutes: minutesToWait(ctx, wait) }) }, 429);
    return;
  }
  const rules = { ...deps, rules: deps.config.signUp };
  const problem = signUpProblem(rules, email);
  if (problem) {
    showSignUp(deps, ctx, { email, error: problem === 'no address' ? t.incomplete : t.otherDomain }, 422);
    return;
  }
  const interaction = interactionAsked(ctx);
  const below = interaction ? `/interaction/${interaction}` : '';
  await requestSignUp(rules, { email, below, language: chosenLanguage(deps, ctx), origin });
  showSignUp(deps, ctx, { is_sent: true });
}

/** Shows the form that creates the account. @throws Problem `link_closed` */
export async function showNewAccount(
  deps: PagesDeps,
  ctx: Context,
  { values, errors = {} }: { values?: { username: string; name: string }; errors?: Record<string, string> } = {},
): Promise<void> {
  const email = await invitedEmail({ ...deps, rules: deps.config.signUp }, String(ctx.params.secret));
  if (email === undefined) throw linkClosed();
  const view = { csrf: csrfToken(deps, ctx), action: ctx.path, email, errors };
  const status = Object.keys(errors).length > 0 ? 422 : 200;
  show(deps, ctx, 'new-account', { ...view, values: values ?? { username: usernameOf(email), name: '' } }, { status });
}

/** A suggested username: the part before the @, as far as usernames allow it. */
function usernameOf(email: string): string {
  return email
    .slice(0, email.lastIndexOf('@'))
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, 64);
}

/** Creates the account; on anything but success it has answered, and returns nothing. */
export async function judgeNewAccount(deps: PagesDeps, ctx: Context): Promise<Authentication | undefined> {
  checkCsrf(deps, ctx);
  const texts = textsFor(deps, ctx);
  const { values, typed, errors } = accountFields(SignUpInput, form(ctx), texts);
  if (!typed) {
    await showNewAccount(deps, ctx, { values, errors });
    return undefined;
  }
  let user: User;
  try {
    const secret = String(ctx.params.secret);
    user = await signUp({ ...deps, rules: deps.config.signUp }, requestOrigin(ctx), { ...typed, secret });
  } catch (error) {
    const refused = error instanceof Problem ? refusedFields(error, texts) : undefined;
    if (!refused) throw error instanceof Problem && error.type === 'not_found' ? linkClosed() : error;
    const named = 'form' in refused ? { username: texts.signUp.taken } : refused;
    await showNewAccount(deps, ctx, { values, errors: named });
    return undefined;
  }
  return { user_id: user.id, user_epoch: user.epoch, authenticated_at: deps.now(), amr: ['pwd'] };
}
