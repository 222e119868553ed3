import type Router from '@koa/router';
import type { Context } from 'koa';
import { form, Problem, sendLines } from '../../../platform/http/index.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { refusalIn } from '../languages/api-words.ts';
import type { Catalogue } from '../languages/en.ts';
import { type PagesDeps, textsFor } from '../pages.ts';
import type { Here } from '../signed-in.ts';
import { askedProof, isStepUpDue, mayAddFirstFactor, stepUp } from '../step-up.ts';
import { type FormInput, formInput } from './form-input.ts';
import type { ActionPage, FieldErrors, MadePage, Summary } from './page-shapes.ts';

export type { FormInput } from './form-input.ts';

/** One request of a signed-in user. */
export type RequestContext = { deps: PagesDeps; ctx: Context; who: Here; params: Record<string, string> };

/** The text of an action's page before it is done. */
export type ActionDescription = Pick<
  ActionPage,
  'crumb' | 'heading' | 'name' | 'words' | 'impact' | 'fields' | 'button' | 'danger' | 'back'
> & { version?: number; present?: ActionPage['present'] } & Partial<
    Pick<ActionPage, 'hidden' | 'passkey' | 'picture' | 'impact_heading'>
  >;

/** The address after it, the secret that it created, or a file of JSON lines. */
export type ActionResult =
  | { to: string; done: string }
  | { made: MadePage }
  | { download: { name: string; lines: AsyncIterable<string> } };

/**
 * An action of a user: a page that describes it, and its form. Each action grants or removes permissions, changes how someone signs in, or
 * shows a secret. Therefore it requires a fresh proof once the sign-in is old.
 */
export type Action<At extends RequestContext> = {
  /** Below the path of its host. */
  path: string;
  /** Requires the proof on a separate page, before the form. */
  confirmsFirst?: true;
  /** Adds a factor: the first one of a user without any needs no proof right after the sign-in. */
  addsFactor?: true;
  describe: (context: At) => Promise<ActionDescription>;
  perform: (context: At, sent: FormInput) => Promise<ActionResult>;
  /** The result of the form in its present state, in words. */
  summarize?: (context: At, fields: ActionPage['fields']) => Summary;
};

/** The part of the pages that serves actions: its path, its permission check, and its page frame. */
export type ActionHost<At extends RequestContext, A extends Action<At> = Action<At>> = {
  path: string;
  enter: (handle: (context: At) => Promise<void>) => (ctx: Context) => Promise<void>;
  /** @throws Problem: the user may not do this */
  admit: (context: At, action: A) => Promise<void>;
  showAction: (context: At, page: ActionPage, status: number) => void;
  showMade: (context: At, page: MadePage) => void;
};

type TypedForm = {
  /** The submitted form; undefined: it is shown for the first time. */
  sent?: URLSearchParams;
  /** The error of the proof. */
  unproven?: string;
  refused?: Problem;
  /** The proof was given with this request. */
  isConfirmed: boolean;
  status: number;
};

/** Serves the pages of actions, and handles their forms. */
export function actionRoutes<At extends RequestContext, A extends Action<At>>(
  router: Router,
  host: ActionHost<At, A>,
  actions: readonly A[],
): void {
  for (const action of actions) {
    const path = `${host.path}${action.path}`;
    router.get(
      path,
      host.enter(async (context) => {
        await host.admit(context, action);
        await showAction(host, context, { action, typed: { isConfirmed: false, status: 200 } });
      }),
    );
    router.post(
      path,
      host.enter(async (context) => {
        checkCsrf(context.deps, context.ctx);
        await host.admit(context, action);
        await submit(host, context, action);
      }),
    );
  }
}

async function submit<At extends RequestContext, A extends Action<At>>(
  host: ActionHost<At, A>,
  context: At,
  action: A,
): Promise<void> {
  const { deps, ctx, who } = context;
  const sent = form(ctx);
  if (sent.has('preview')) {
    await showAction(host, context, { action, typed: { sent, isConfirmed: false, status: 200 } });
    return;
  }
  if (await isProofDue(context, action)) {
    const unproven = await stepUp(deps, ctx, who);
    if (unproven) {
      await showAction(host, context, { action, typed: { sent, unproven, isConfirmed: false, status: 422 } });
      return;
    }
  }
  if (sent.has('confirm')) {
    await showAction(host, context, { action, typed: { isConfirmed: true, status: 200 } });
    return;
  }
  const outcome = await action.perform(context, formInput(sent)).catch(refusal);
  if (outcome instanceof Problem) {
    const typed = { sent, refused: outcome, isConfirmed: true, status: outcome.status };
    await showAction(host, context, { action, typed });
    return;
  }
  if ('made' in outcome) {
    host.showMade(context, outcome.made);
    return;
  }
  if ('download' in outcome) {
    ctx.set('Cache-Control', 'no-store');
    ctx.set('Content-Disposition', `attachment; filename="${outcome.download.name}"`);
    sendLines(ctx, outcome.download.lines);
    return;
  }
  ctx.status = 303;
  ctx.redirect(`${outcome.to}${outcome.to.includes('?') ? '&' : '?'}done=${outcome.done}`);
}

async function isProofDue({ deps, who }: RequestContext, { addsFactor }: { addsFactor?: true }): Promise<boolean> {
  if (!(await isStepUpDue(deps, who))) return false;
  return !(addsFactor && (await mayAddFirstFactor(deps, who)));
}

const shownBeside = new Set([400, 403, 409, 412]);

function refusal(error: unknown): Problem {
  if (error instanceof Problem && shownBeside.has(error.status)) return error;
  throw error;
}

/** The page of an action, with the typed values. */
async function showAction<At extends RequestContext, A extends Action<At>>(
  host: ActionHost<At, A>,
  context: At,
  { action, typed }: { action: A; typed: TypedForm },
): Promise<void> {
  const { deps, ctx, who } = context;
  const { sent, unproven, refused, isConfirmed, status } = typed;
  const described = await action.describe(context);
  const isDue = described.button !== undefined && !isConfirmed && (await isProofDue(context, action));
  const proof = isDue ? await askedProof(deps, ctx, who) : undefined;
  const description = proof && action.confirmsFirst ? confirmation(described, textsFor(deps, ctx)) : described;
  const { version, present } = description;
  const texts = textsFor(deps, ctx);
  const fields = description.fields.map((field) => ({ ...field, value: valueIn(sent, field) }));
  const isChanged = refused?.status === 412;
  const errors = {
    ...(unproven && { [proof?.kind === 'factor' ? 'code' : 'password_again']: unproven }),
    ...(refused && errorsIn(refused, new Set(fields.map(({ name }) => name)), texts)),
  };
  const page = {
    ...description,
    csrf: csrfToken(deps, ctx),
    action: ctx.path,
    fields,
    errors,
    version,
    present: isChanged ? (present ?? []) : [],
    summary: action.summarize?.(context, fields),
    hidden: description.hidden ?? {},
    proof,
  };
  host.showAction(context, page, status);
}

/** The page before a form that begins with the proof. */
function confirmation(
  { crumb, heading, name, back }: ActionDescription,
  { common, security }: Catalogue,
): ActionDescription {
  const nothing = { impact: [], fields: [], danger: false };
  const hidden = { confirm: '1' };
  return { crumb, heading, name, back, words: [security.confirm], button: common.continue, hidden, ...nothing };
}

/** The submitted values of a field, one a line. Browsers send nothing for choices of which none is selected. */
function valueIn(sent: URLSearchParams | undefined, field: ActionPage['fields'][number]): string {
  const { name, type, value, is_secret = false } = field;
  if (is_secret) return '';
  if (!sent || !(sent.has(name) || type === 'choices')) return value;
  return sent.getAll(name).join('\n');
}

/** An error beside the fields it names, and otherwise above the form. */
function errorsIn({ status, message, options }: Problem, fields: ReadonlySet<string>, texts: Catalogue): FieldErrors {
  if (status === 412) return { form: texts.records.changedMeanwhile };
  const { pointer = '', members } = options;
  const listed = members?.errors as { pointer: string; detail: string }[] | undefined;
  const wrong = listed ?? [{ pointer, detail: message }];
  const entries = wrong.map(({ pointer: at, detail }) => {
    const name = at.split('/').find((part) => fields.has(part));
    return name === undefined
      ? ['form', refusalIn(texts, 'form', message)]
      : [name, refusalIn(texts, name, sentence(detail))];
  });
  return Object.fromEntries(entries);
}

function sentence(detail: string): string {
  const first = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
