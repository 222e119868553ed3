import type { Context } from 'koa';
import { z } from 'zod';
import { carriedState, carry, proveSignInCode, requestSignInCode } from '../../../domain/users/index.ts';
import { form, requestOrigin } from '../../../platform/http/index.ts';
import type { Authentication } from '../../oauth/index.ts';
import { csrfToken } from '../csrf.ts';
import { type PagesDeps, show, textsFor } from '../pages.ts';
import { isOffered } from './offered.ts';
import type { SignInView } from './page-data.ts';
import { minutesToWait } from './throttled.ts';

const purpose = 'mailed code';
const secondsForIt = 10 * 60;
const longestLogin = 254;
const longestCode = 64;

const Asked = z.object({ id: z.uuid() });

/** Whether users may sign in with a code that is mailed to them. */
export async function mailsCodes(deps: PagesDeps, view: SignInView): Promise<boolean> {
  return deps.config.mail !== undefined && isOffered(deps, view, 'email_code');
}

/** The result of a submitted form; `again`: it starts again on the sign-in page, with this message. */
export type EmailCodeStep =
  | { authentication: Authentication }
  | { again: Pick<SignInView, 'login' | 'error' | 'blocked'>; status: number }
  | 'answered';

/** Mails a code to the named user, or checks one, which is accepted only in the browser that requested it. */
export async function judgeEmailCode(deps: PagesDeps, ctx: Context, view: SignInView): Promise<EmailCodeStep> {
  if (!(await mailsCodes(deps, view))) return { again: {}, status: 422 };
  return form(ctx).has('mailed') ? judgeCode(deps, ctx, view) : askForCode(deps, ctx, view);
}

/** The same for every login: the response does not reveal which accounts exist. */
async function askForCode(deps: PagesDeps, ctx: Context, view: SignInView): Promise<EmailCodeStep> {
  const { emailCode: t } = textsFor(deps, ctx);
  const login = (form(ctx).get('login') ?? '').trim().slice(0, longestLogin);
  if (!login) return { again: { error: t.incomplete }, status: 422 };
  const origin = requestOrigin(ctx);
  const wait = await deps.throttles.countRecoveryRequest(origin.address ?? '');
  if (wait !== undefined) {
    const blocked = t.throttled({ minutes: minutesToWait(ctx, wait) });
    return { again: { login, blocked }, status: 429 };
  }
  const id = await requestSignInCode(deps, { login, origin });
  const browser = csrfToken(deps, ctx);
  const mailed = carry(deps, { purpose, browser, seconds: secondsForIt }, { id });
  showCode(deps, ctx, { view, mailed });
  return 'answered';
}

type Shown = { view: SignInView; mailed: string; error?: string; blocked?: string };

function showCode(deps: PagesDeps, ctx: Context, { view, mailed, ...problem }: Shown): void {
  const { action, client_name, cancel } = view;
  const csrf = csrfToken(deps, ctx);
  const failed = problem.error ? 422 : 200;
  const data = { csrf, action, client_name, cancel, mailed, again: action, ...problem };
  show(deps, ctx, 'email-code', data, { status: problem.blocked ? 429 : failed });
}

async function judgeCode(deps: PagesDeps, ctx: Context, view: SignInView): Promise<EmailCodeStep> {
  const { emailCode: t } = textsFor(deps, ctx);
  const mailed = form(ctx).get('mailed') ?? '';
  const asked = Asked.safeParse(carriedState(deps, { purpose, browser: csrfToken(deps, ctx) }, mailed)).data;
  if (!asked) return { again: { error: t.expired }, status: 422 };
  const code = (form(ctx).get('code') ?? '').slice(0, longestCode);
  const outcome = await proveSignInCode(deps, { id: asked.id, code, origin: requestOrigin(ctx) });
  if (outcome.kind === 'ok') {
    const { user, user_epoch, authenticated_at, amr } = outcome;
    return { authentication: { user_id: user.id, user_epoch, authenticated_at, amr } };
  }
  const wait = outcome.kind === 'throttled' ? minutesToWait(ctx, outcome.retryAfterSeconds) : undefined;
  const problem = wait === undefined ? { error: t.wrong } : { blocked: t.throttled({ minutes: wait }) };
  showCode(deps, ctx, { view, mailed, ...problem });
  return 'answered';
}
