import type Router from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { createEnrolmentLink, isSetupOpen, setUpFirstAdministrator, UserInput } from '../../../domain/users/index.ts';
import { anonymous, form, Problem, requestOrigin, system, validationWords } from '../../../platform/http/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import type { Catalogue } from '../languages/en.ts';
import { pagePaths } from '../page-data.ts';
import { type PagesDeps, show, textsFor } from '../pages.ts';
import { signInHere } from '../signed-in.ts';
import { fieldErrors, refusedFields } from './account-fields.ts';
import { mustEnrol } from './sign-in.ts';

const SetupForm = UserInput.pick({ username: true, email: true, name: true }).extend({ password: z.string() });

/** Making the first administrator, with the one-time link. */
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
  const sent = form(ctx);
  const texts = textsFor(deps, ctx);
  const text = (name: string) => (sent.get(name) ?? '').trim();
  const values = { username: text('username'), email: text('email'), name: text('name') };
  const password = sent.get('password') ?? '';
  const given = Object.fromEntries(Object.entries({ ...values, password }).filter(([, value]) => value !== ''));
  const parsed = SetupForm.safeParse(given, { error: validationWords });
  const errors = parsed.success ? {} : fieldErrors(parsed.error, texts);
  if (password && password !== sent.get('password_repeated')) errors.password_repeated = texts.password.differ;
  if (!parsed.success || Object.keys(errors).length > 0) {
    showSetup(deps, ctx, values, errors);
    return;
  }
  try {
    const input = { ...parsed.data, enabled: true, secret: ctx.params.secret as string };
    const user = await setUpFirstAdministrator(deps, anonymous(requestOrigin(ctx)), input);
    const { id: user_id, epoch: user_epoch } = user;
    const authentication = { user_id, user_epoch, authenticated_at: deps.now(), amr: ['pwd'] };
    if (!(await mustEnrol(deps, authentication))) {
      await signInHere(deps, ctx, { ...authentication, to: pagePaths.console });
      return;
    }
    // The operator of the machine made the link to this page, which proves as much as a link to add a second factor.
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
