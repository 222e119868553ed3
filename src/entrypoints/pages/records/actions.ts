import type Router from '@koa/router';
import type { Context } from 'koa';
import { form, Problem } from '../../../platform/http/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import type { PagesDeps } from '../pages.ts';
import type { Here } from '../signed-in.ts';
import { isStepUpDue, stepUp } from '../step-up.ts';
import type { ActPage, FieldErrors, MadePage } from './page-shapes.ts';
import { linesIn } from './rights-lines.ts';

/** One request of somebody who is signed in. */
export type Place = { deps: PagesDeps; ctx: Context; who: Here; params: Record<string, string> };

/** What an act's page says before it is done. */
export type Asked = Pick<
  ActPage,
  'crumb' | 'heading' | 'name' | 'words' | 'deaths' | 'fields' | 'button' | 'danger' | 'back'
> & { version?: number; present?: ActPage['present'] };

/** The form as it came. Empty fields are left out, as they are in the API. */
export type Sent = {
  text: (name: string) => string | undefined;
  number: (name: string) => number | undefined;
  /** The lines of a field, or all that is ticked of it. */
  lines: (name: string) => string[];
  version: number | undefined;
};

/** Where to go after it, or the secret that it made. `Where` is what pages of that part of the house need besides. */
export type Done<Where = unknown> = { to: string; done: string } | { made: MadePage & Where };

/**
 * Something a person can do: a page that says what it does, and the form that does it. Each of them gives rights, takes
 * something away, changes how somebody gets in, or shows a secret: after a while the person has to prove again that it is them.
 */
export type Act<At extends Place, Where = unknown> = {
  /** Below where its part of the house begins. */
  path: string;
  ask: (place: At) => Promise<Asked & Where>;
  perform: (place: At, sent: Sent) => Promise<Done<Where>>;
};

/** Where acts are: who may be there, and how their pages look there. */
export type Stage<At extends Place, Where, Doing extends Act<At, Where> = Act<At, Where>> = {
  path: string;
  enter: (handle: (place: At) => Promise<void>) => (ctx: Context) => Promise<void>;
  /** @throws Problem: this is not theirs to do */
  admit: (place: At, act: Doing) => Promise<void>;
  showAct: (place: At, page: ActPage & Where, status: number) => void;
  showMade: (place: At, page: MadePage & Where) => void;
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

/** Serves acts: their pages, and what their forms do. */
export function actRoutes<At extends Place, Where, Doing extends Act<At, Where>>(
  router: Router,
  stage: Stage<At, Where, Doing>,
  acts: readonly Doing[],
): void {
  for (const act of acts) {
    const path = `${stage.path}${act.path}`;
    router.get(
      path,
      stage.enter(async (place) => {
        await stage.admit(place, act);
        await showAct(stage, place, { act, typed: { values: {}, isConfirmed: false, status: 200 } });
      }),
    );
    router.post(
      path,
      stage.enter(async (place) => {
        checkCsrf(place.deps, place.ctx);
        await stage.admit(place, act);
        await submit(stage, place, act);
      }),
    );
  }
}

async function submit<At extends Place, Where, Doing extends Act<At, Where>>(
  stage: Stage<At, Where, Doing>,
  place: At,
  act: Doing,
): Promise<void> {
  const { deps, ctx, who } = place;
  const sent = form(ctx);
  const values = Object.fromEntries([...new Set(sent.keys())].map((name) => [name, sent.getAll(name).join('\n')]));
  if (await isStepUpDue(deps, who)) {
    const proof = { kind: 'password', password: sent.get('password_again') ?? '' } as const;
    const password = await stepUp(deps, ctx, who, proof);
    if (password) {
      await showAct(stage, place, { act, typed: { values, password, isConfirmed: false, status: 422 } });
      return;
    }
  }
  const outcome = await act.perform(place, sentIn(sent)).catch(refusal);
  if (outcome instanceof Problem) {
    const typed = { values, refused: outcome, isConfirmed: true, status: outcome.status };
    await showAct(stage, place, { act, typed });
    return;
  }
  if ('made' in outcome) {
    stage.showMade(place, outcome.made);
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
async function showAct<At extends Place, Where, Doing extends Act<At, Where>>(
  stage: Stage<At, Where, Doing>,
  place: At,
  { act, typed }: { act: Doing; typed: Typed },
): Promise<void> {
  const { deps, ctx, who } = place;
  const { values, password, refused, isConfirmed, status } = typed;
  const asked = await act.ask(place);
  const { fields, version, present } = asked;
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
    password_of: !isConfirmed && (await isStepUpDue(deps, who)) ? who.user.username : undefined,
  };
  stage.showAct(place, page, status);
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
  const lines = (name: string) => sent.getAll(name).flatMap(linesIn);
  return { text, number, lines, version: number('version') };
}
