import type Router from '@koa/router';
import { form, Problem } from '../../platform/http/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import type { FieldErrors } from '../page-data.ts';
import type { PagesDeps } from '../pages.ts';
import type { RouteName } from './admin-calls.ts';
import type { ActPage, MadePage } from './console-pages.ts';
import { confirmPassword, isPasswordDue } from './password-again.ts';
import { administered, type Place, showInConsole } from './place.ts';

/** What an act's page says before it is done. */
export type Asked = Pick<
  ActPage,
  'section' | 'crumb' | 'heading' | 'name' | 'words' | 'deaths' | 'fields' | 'button' | 'danger' | 'back'
> & { version?: number; present?: ActPage['present'] };

/** The form as it came. Empty fields are left out, as they are in the API. */
export type Sent = {
  text: (name: string) => string | undefined;
  number: (name: string) => number | undefined;
  version: number | undefined;
};

/** Where to go after it, or the secret that it made. */
export type Done = { to: string; done: string } | { made: MadePage };

/** Something a person can do: a page that says what it does, and the form that does it. */
export type Act = {
  /** Below `/console`. */
  path: string;
  /** The route of the admin API that it uses: who may not use that may not do this. */
  does: RouteName;
  /** Ends something or shows a secret: the password is asked for again after a while. */
  isGrave: boolean;
  ask: (place: Place) => Promise<Asked>;
  perform: (place: Place, sent: Sent) => Promise<Done>;
};

type Typed = {
  values: Record<string, string>;
  /** What was wrong with the password. */
  password?: string;
  refused?: Problem;
  /** The password was given with this request. */
  isConfirmed: boolean;
  status: number;
};

export function actRoutes(router: Router, deps: PagesDeps, acts: readonly Act[]): void {
  for (const act of acts) {
    const path = `/console${act.path}`;
    router.get(
      path,
      administered(deps, async (place) => {
        await place.calls.mustBeAllowed(act.does);
        await showAct(place, act, { values: {}, isConfirmed: false, status: 200 });
      }),
    );
    router.post(
      path,
      administered(deps, async (place) => {
        checkCsrf(deps, place.ctx);
        await place.calls.mustBeAllowed(act.does);
        await submit(place, act);
      }),
    );
  }
}

async function submit(place: Place, act: Act): Promise<void> {
  const { deps, ctx, who } = place;
  const sent = form(ctx);
  const values = Object.fromEntries(sent);
  if (act.isGrave && isPasswordDue(deps, ctx, who)) {
    const password = await confirmPassword(deps, ctx, who, sent.get('password_again') ?? '');
    if (password) {
      await showAct(place, act, { values, password, isConfirmed: false, status: 422 });
      return;
    }
  }
  const outcome = await act.perform(place, sentIn(sent)).catch(refusal);
  if (outcome instanceof Problem) {
    await showAct(place, act, { values, refused: outcome, isConfirmed: true, status: outcome.status });
    return;
  }
  if ('made' in outcome) {
    showInConsole(place, 'console-made', outcome.made);
    return;
  }
  ctx.status = 303;
  ctx.redirect(`${outcome.to}${outcome.to.includes('?') ? '&' : '?'}done=${outcome.done}`);
}

const shownBeside = new Set([400, 403, 409, 412]);

function refusal(error: unknown): Problem {
  if (error instanceof Problem && shownBeside.has(error.status)) return error;
  throw error;
}

/** The page of an act, with whatever was typed. */
async function showAct(place: Place, act: Act, { values, password, refused, isConfirmed, status }: Typed) {
  const { deps, ctx, who } = place;
  const { fields, version, present, ...asked } = await act.ask(place);
  const isChanged = refused?.status === 412;
  const errors = {
    ...(password && { password_again: password }),
    ...(refused && errorsIn(refused, new Set(fields.map(({ name }) => name)))),
  };
  const page = {
    ...asked,
    csrf: csrfToken(deps, ctx),
    action: ctx.path,
    fields: fields.map((field) => ({ ...field, value: values[field.name] ?? field.value })),
    errors,
    version,
    present: isChanged ? (present ?? []) : [],
    password_of: act.isGrave && !isConfirmed && isPasswordDue(deps, ctx, who) ? who.user.username : undefined,
  };
  showInConsole(place, 'console-act', page, status);
}

/** A refusal beside the fields it names, and otherwise above the form. */
function errorsIn({ status, message, options }: Problem, fields: ReadonlySet<string>): FieldErrors {
  if (status === 412) return { form: changedMeanwhile };
  const { pointer = '', members } = options;
  const listed = members?.errors as { pointer: string; detail: string }[] | undefined;
  const wrong = listed ?? [{ pointer, detail: message }];
  const entries = wrong.map(({ pointer: at, detail }) => {
    const name = at.split('/').find((part) => fields.has(part));
    return name === undefined ? ['form', message] : [name, sentence(detail)];
  });
  return Object.fromEntries(entries);
}

const changedMeanwhile =
  'Somebody else changed this after you opened it, so nothing was done. What you typed is still here: look at what it is now, and send it again if you still want it.';

function sentence(detail: string): string {
  const first = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

function sentIn(sent: URLSearchParams): Sent {
  const text = (name: string) => (sent.get(name) ?? '').trim().replaceAll('\r\n', '\n') || undefined;
  const number = (name: string) => (text(name) === undefined ? undefined : Number(text(name)));
  return { text, number, version: number('version') };
}
