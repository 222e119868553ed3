import { areFirstStepsHidden, type hideFirstSteps } from '../../../../domain/overview/index.ts';
import type { AdminAnswer } from '../../../admin/index.ts';
import { checkCsrf, csrfToken } from '../../csrf.ts';
import type { RouteName } from '../admin-client.ts';
import type { RequestContext } from '../request-context.ts';
import type { FirstStepLine, FirstStepsCard } from './page-data.ts';

type Step = AdminAnswer<'GET /first-steps'>['items'][number]['step'];

type Words = { what: string; detail: string; text: string; href: string; needs?: RouteName };

const words: Record<Step, Words> = {
  api: {
    what: 'Register an API',
    detail: 'With the permissions that tokens and keys can have',
    ...{ text: 'Register API', href: '/console/new-api', needs: 'POST /resource-servers' },
  },
  client: {
    what: 'Register a client',
    detail: 'An application or a service that gets tokens',
    ...{ text: 'Register client', href: '/console/new-client', needs: 'POST /clients' },
  },
  route: {
    what: 'Protect a route',
    detail: 'Let your API verify a key or token with Latchkey',
    ...{ text: 'Open API reference', href: '/admin/docs' },
  },
  colleague: {
    what: 'Invite a colleague',
    detail: 'A second owner prevents lockout',
    ...{ text: 'Add user', href: '/console/new-user', needs: 'POST /users' },
  },
  email: {
    what: 'Set up e-mail',
    detail: 'For invitations and password resets: set LATCHKEY_SMTP_URL and LATCHKEY_MAIL_FROM',
    ...{ text: '', href: '' },
  },
};

/** The first steps after setup; undefined once all are done. */
export async function firstStepsFor(context: RequestContext): Promise<FirstStepsCard | undefined> {
  const { api, ctx, deps, who } = context;
  const { items } = await api.call('GET /first-steps');
  if (items.every(({ is_done }) => is_done)) return undefined;
  const isHidden = await areFirstStepsHidden(deps.db, who.user.id);
  const lines = items.map(({ step, is_done: isDone }): FirstStepLine => {
    const { what, detail, text, href, needs } = words[step];
    const isOpen = !isDone && href !== '' && (needs === undefined || api.may(needs));
    return { what, detail, isDone, link: isOpen ? { text, href } : undefined };
  });
  return { isHidden, lines, done: lines.filter((line) => line.isDone).length, csrf: csrfToken(deps, ctx) };
}

/** Handles the form that hides the list for the user, or shows it again. */
export function postTo(change: typeof hideFirstSteps): (context: RequestContext) => Promise<void> {
  return async ({ ctx, deps, who }) => {
    checkCsrf(deps, ctx);
    await change(deps, who.user.id);
    ctx.redirect('/console');
    ctx.status = 303;
  };
}
