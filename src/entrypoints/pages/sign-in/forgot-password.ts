import type Router from '@koa/router';
import type { Context } from 'koa';
import { requestRecovery } from '../../../domain/users/index.ts';
import { form, requestOrigin } from '../../../platform/http/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { pagePaths } from '../page-data.ts';
import { type PagesDeps, show, textsFor } from '../pages.ts';
import { interactionAsked, pathOfInteraction } from './from-app.ts';
import { minutesToWait } from './throttled.ts';

const maxLogin = 254;

/** Requesting a link to choose another password. */
export function forgotPasswordRoutes(router: Router, deps: PagesDeps): void {
  router.get(pagePaths.forgotPassword, async (ctx: Context) => showForm(deps, ctx, {}));
  router.post(pagePaths.forgotPassword, async (ctx: Context) => {
    checkCsrf(deps, ctx);
    await submit(deps, ctx);
  });
}

type FormView = { login?: string; error?: string; blocked?: string; is_sent?: boolean };

function showForm(deps: PagesDeps, ctx: Context, { is_sent = false, ...typed }: FormView, status = 200): void {
  const interaction = interactionAsked(ctx);
  const view = { csrf: csrfToken(deps, ctx), login: '', ...typed };
  show(
    deps,
    ctx,
    'forgot-password',
    {
      ...view,
      action: pathOfInteraction(pagePaths.forgotPassword, interaction),
      sign_in: interaction ? `/interaction/${interaction}` : pagePaths.signIn,
      state: is_sent ? 'sent' : formState(deps),
    },
    { status },
  );
}

const formState = ({ config }: PagesDeps) => (config.mail ? 'form' : 'no-mail');

/** The same for every login: the response does not reveal which accounts exist. */
async function submit(deps: PagesDeps, ctx: Context): Promise<void> {
  const { forgotPassword: t } = textsFor(deps, ctx);
  const login = (form(ctx).get('login') ?? '').trim().slice(0, maxLogin);
  if (!deps.config.mail || !login) {
    showForm(deps, ctx, deps.config.mail ? { error: t.incomplete } : {}, 422);
    return;
  }
  const origin = requestOrigin(ctx);
  const wait = await deps.throttles.countRecoveryRequest(origin.address ?? '');
  if (wait !== undefined) {
    showForm(deps, ctx, { login, blocked: t.throttled({ minutes: minutesToWait(ctx, wait) }) }, 429);
    return;
  }
  await requestRecovery(deps, { login, origin });
  showForm(deps, ctx, { is_sent: true });
}
