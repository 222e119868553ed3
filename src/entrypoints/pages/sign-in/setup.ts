import type Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { createEnrolmentLink, isSetupOpen, setUpFirstAdministrator, UserInput } from '../../../domain/users/index.ts';
import { anonymous, form, Problem, requestOrigin, system } from '../../../platform/http/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import type { Catalogue } from '../languages/en.ts';
import { pagePaths } from '../page-data.ts';
import { type PagesDeps, show, textsFor } from '../pages.ts';
import { meetsPolicy, signInHere } from '../signed-in.ts';
import { accountFields, refusedFields } from './account-fields.ts';

const SetupForm = UserInput.pick({ username: true, email: true, name: true }).extend({ password: z.string() });

/** Creating the first administrator, with the one-time link. */
export function setupRoutes(router: Router, deps: PagesDeps): void {
  router.get('/setup/:secret', async (ctx: Context) => {
    await checkLink(deps, ctx);
    showSetup(deps, ctx, {}, {});
  });
  router.post('/setup/:secret', async (ctx: Context) => {
    checkCsrf(deps, ctx);
    await checkLink(deps, ctx);
    await submit(deps, ctx);
  });
}

async function checkLink(deps: PagesDeps, ctx: Context): Promise<void> {
  if (!(await isSetupOpen(deps, ctx.params.secret))) throw closed(textsFor(deps, ctx));
}

function closed({ setup }: Catalogue): Problem {
  const detail = setup.closedNote({ command: 'latchkey setup-link' });
  return new Problem(404, 'setup_closed', { title: setup.closed, detail });
}

type Values = { username?: string; email?: string; name?: string };

function showSetup(deps: PagesDeps, ctx: Context, values: Values, errors: Record<string, string>): void {
  const status = Object.keys(errors).length > 0 ? 422 : 200;
  show(deps, ctx, 'setup', { csrf: csrfToken(deps, ctx), action: ctx.path, values, errors }, { status });
}

async function submit(deps: PagesDeps, ctx: Context): Promise<void> {
  const texts = textsFor(deps, ctx);
  const { values, typed, errors } = accountFields(SetupForm, form(ctx), texts);
  if (!typed) {
    showSetup(deps, ctx, values, errors);
    return;
  }
  try {
    const input = { ...typed, enabled: true, secret: ctx.params.secret as string };
    const user = await setUpFirstAdministrator(deps, anonymous(requestOrigin(ctx)), input);
    const { id: user_id, epoch: user_epoch } = user;
    const authentication = { user_id, user_epoch, authenticated_at: deps.now(), amr: ['pwd'] };
    if (await meetsPolicy(deps, authentication)) {
      await signInHere(deps, ctx, { ...authentication, to: pagePaths.console });
      return;
    }
    // The operator of the machine created the link to this page, which proves as much as a link to add a second factor.
    const { url } = await createEnrolmentLink(deps, system, user_id);
    ctx.status = 303;
    ctx.redirect(new URL(url).pathname);
  } catch (error) {
    showSetup(deps, ctx, values, asErrors(error, texts));
  }
}

function asErrors(error: unknown, texts: Catalogue): Record<string, string> {
  if (!(error instanceof Problem)) throw error;
  const errors = refusedFields(error, texts);
  if (errors) return errors;
  throw error.type === 'not_found' ? closed(texts) : error;
}
