import type Router from '@koa/router';
import type { Context } from 'koa';
import { provenanceOf } from '../../../domain/clients/index.ts';
import { findConnectedApp, impactOfConsent, listConnectedApps, revokeConsent } from '../../../domain/consents/index.ts';
import { changePassword, hasSecondFactor, passwordProblem, type User } from '../../../domain/users/index.ts';
import { form, notFound, Problem, person, requestOrigin } from '../../../platform/http/index.ts';
import { newSessionId } from '../../oauth/index.ts';
import { adminPermissionsOf } from '../admin-permissions.ts';
import { clientLogoPaths } from '../client-logos.ts';
import { describeScopes } from '../consent/scope-descriptions.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show, textsFor, withMail } from '../pages.ts';
import { noticeAmong } from '../records/notices.ts';
import { one, own, pageNumber, type SignedIn, sendRenewedId } from '../signed-in.ts';
import { askedProof, isStepUpDue, stepUp } from '../step-up.ts';
import { accountActivityRoutes } from './activity.ts';
import { emailLinkRoutes } from './email-links.ts';
import { mailLanguageRoutes } from './mail-language.ts';
import { ownAccountRoutes } from './own-account.ts';
import { accountDataRoutes } from './own-data.ts';
import { accountKeyRoutes } from './own-keys.ts';
import { accountSecurityRoutes } from './security.ts';
import { accountSessionRoutes } from './sessions.ts';

const perPage = 20;
const sorts = ['name', 'allowed_at', 'last_used_at'] as const;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The pages of a user's own account. */
export function accountRoutes(router: Router, deps: PagesDeps): void {
  router.get('/account', own(deps, showAccount));
  router.get('/account/apps', own(deps, showApps));
  router.get('/account/apps/:consent_id/revoke-access', own(deps, askRevokeAccess));
  router.post('/account/apps/:consent_id/revoke-access', own(deps, revokeAccess));
  // The address of earlier versions.
  router.get('/account/apps/:consent_id/take-back', (ctx: Context) =>
    ctx.redirect(pagePaths.revokeAccess(ctx.params.consent_id)),
  );
  router.get(
    '/account/password',
    own(deps, async (_, ctx, who) => showChangePassword(deps, ctx, who, {})),
  );
  router.post('/account/password', own(deps, submitPassword));
  accountSessionRoutes(router, deps);
  accountActivityRoutes(router, deps);
  accountDataRoutes(router, deps);
  accountKeyRoutes(router, deps);
  accountSecurityRoutes(router, deps);
  mailLanguageRoutes(router, deps);
  ownAccountRoutes(router, deps);
  emailLinkRoutes(router, deps);
}

async function showAccount(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  const administers = (await adminPermissionsOf(deps, user.id)).length > 0;
  show(
    deps,
    ctx,
    'account',
    {
      name: user.name ?? user.username,
      email: user.email ?? '',
      administers,
      notice: noticeAmong(textsFor(deps, ctx).ownAccount.notices, ctx),
    },
    { signed_in_as: accountName(user) },
  );
}

async function showApps(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  const q = one(ctx.query.q).slice(0, 100);
  const sort = sorts.find((each) => each === one(ctx.query.sort)) ?? 'allowed_at';
  const page = pageNumber(ctx.query.page);
  const found = await listConnectedApps(deps.db, user.id, { q, sort, offset: (page - 1) * perPage, limit: perPage });
  const texts = textsFor(deps, ctx);
  const logos = await clientLogoPaths(
    deps.db,
    found.apps.map(({ client_id }) => client_id),
  );
  const apps = await Promise.all(
    found.apps.map(async (app) => ({
      ...app,
      provenance: provenanceIn(app),
      logo: logos.get(app.client_id),
      groups: await describeScopes(deps.db, app.scopes, texts),
    })),
  );
  const pages = Math.max(1, Math.ceil(found.total / perPage));
  const notice = one(ctx.query.revoked) ? texts.apps.revoked : undefined;
  const data = { csrf: csrfToken(deps, ctx), apps, q, sort, page, pages, total: found.total, notice } as const;
  show(deps, ctx, 'connected-apps', data, { signed_in_as: accountName(user) });
}

async function askRevokeAccess(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  const app = await appOf(deps, ctx, user);
  const ending = await impactOfConsent(deps, app.consent_id);
  const action = pagePaths.revokeAccess(app.consent_id);
  const data = {
    csrf: csrfToken(deps, ctx),
    action,
    client_name: app.client_name,
    provenance: provenanceIn(app),
    ...ending,
  };
  show(deps, ctx, 'revoke-access', data, { signed_in_as: accountName(user) });
}

async function revokeAccess(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<void> {
  checkCsrf(deps, ctx);
  await revokeConsent(deps, person(user.id, requestOrigin(ctx)), idOf(ctx));
  ctx.status = 303;
  ctx.redirect(`${pagePaths.connectedApps}?revoked=1`);
}

type App = Pick<Awaited<ReturnType<typeof appOf>>, 'client_id' | 'registered_by' | 'redirect_uris'>;

const provenanceIn = ({ redirect_uris, ...app }: App) => provenanceOf({ ...app, metadata: { redirect_uris } });

async function appOf({ db }: PagesDeps, ctx: Context, user: User) {
  const id = idOf(ctx);
  const app = await findConnectedApp(db, user.id, id);
  if (!app) throw notFound('connected app', id);
  return app;
}

function idOf(ctx: Context): string {
  const id: string = ctx.params.consent_id;
  if (!uuid.test(id)) throw notFound('connected app', id.slice(0, 64));
  return id;
}

async function showChangePassword(
  deps: PagesDeps,
  ctx: Context,
  who: SignedIn,
  errors: Record<string, string>,
): Promise<void> {
  const { user } = who;
  const status = Object.keys(errors).length > 0 ? 422 : 200;
  const proof = (await needsFactor(deps, who)) ? await askedProof(deps, ctx, who) : undefined;
  const shown = { csrf: csrfToken(deps, ctx), action: pagePaths.changePassword, username: user.username };
  const data = { ...shown, errors, proof };
  show(deps, ctx, 'change-password', data, { status, signed_in_as: accountName(user) });
}

/** The password alone must not be enough to change it: a second factor of the user is required, too. */
async function needsFactor(deps: PagesDeps, who: SignedIn): Promise<boolean> {
  return (await hasSecondFactor(deps.db, who.user.id)) && isStepUpDue(deps, who);
}

async function submitPassword(deps: PagesDeps, ctx: Context, who: SignedIn): Promise<void> {
  checkCsrf(deps, ctx);
  const t = textsFor(deps, ctx).password;
  const sent = form(ctx);
  const password = sent.get('password') ?? '';
  if (password !== sent.get('password_repeated')) {
    await showChangePassword(deps, ctx, who, { password_repeated: t.differ });
    return;
  }
  const unproven = (await needsFactor(deps, who)) ? await stepUp(deps, ctx, who) : undefined;
  if (unproven) {
    await showChangePassword(deps, ctx, who, { code: unproven });
    return;
  }
  const { user, session_uid } = who;
  const wait = await deps.throttles.countAttempt({
    address: requestOrigin(ctx).address ?? '',
    account: user.id,
    device: session_uid,
  });
  if (wait !== undefined) {
    await showChangePassword(deps, ctx, who, { current_password: t.throttled });
    return;
  }
  const { id, stored: new_session_id } = newSessionId();
  const current = sent.get('current_password') ?? '';
  const input = { user_id: user.id, current, password, session_uid, new_session_id };
  const result = await changePassword(withMail(deps), person(user.id, requestOrigin(ctx)), input).catch(asFieldError);
  if (result.kind !== 'changed') {
    const problem = await passwordProblem(password, user);
    const errors =
      result.kind === 'wrong'
        ? { current_password: t.wrong }
        : { password: problem ? t.problems[problem] : result.detail };
    await showChangePassword(deps, ctx, who, errors);
    return;
  }
  sendRenewedId(deps, ctx, { id, expires_at: result.session_expires_at });
  const { ended_sessions, ended_grants: ended_apps } = result;
  show(deps, ctx, 'password-changed', { ended_sessions, ended_apps }, { signed_in_as: accountName(user) });
}

function asFieldError(error: unknown): { kind: 'weak'; detail: string } {
  if (error instanceof Problem && error.type === 'invalid') return { kind: 'weak', detail: error.message };
  throw error;
}
