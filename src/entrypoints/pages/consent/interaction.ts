import type Router from '@koa/router';
import type { Context } from 'koa';
import { assuranceOf, meets } from '../../../domain/assurance/index.ts';
import { findUserById, noteBrowserLanguage } from '../../../domain/users/index.ts';
import { contentSecurityPolicy, form, Problem } from '../../../platform/http/index.ts';
import {
  type Authentication,
  finishSelection,
  finishSignIn,
  type PendingInteraction,
  pendingInteraction,
} from '../../oauth/index.ts';
import { clientLogoPath } from '../client-logos.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { pagePaths } from '../page-data.ts';
import { accountName, chosenLanguage, type PagesDeps, show, textsFor } from '../pages.ts';
import type { SignInView } from '../sign-in/page-data.ts';
import { judgeSignIn, showSignIn } from '../sign-in/sign-in.ts';
import { judgeNewAccount, showNewAccount, showSignUp } from '../sign-in/sign-up.ts';
import { finish, start } from '../sign-in/with-provider.ts';
import { goOn, nameOf, refuse } from './answers.ts';
import { showConsent, submitConsent } from './consent.ts';

/** Signing in and consenting on the way from and to an app. All paths are below that of the interaction cookie. */
export function interactionRoutes(router: Router, deps: PagesDeps): void {
  const pending = (handle: Handle) => async (ctx: Context) => {
    const interaction = await pendingInteraction(deps.provider().current(), deps, ctx);
    ctx.state.ui_locales = interaction.ui_locales;
    ctx.set('Content-Security-Policy', contentSecurityPolicy(["'self'", ...formTargets(interaction.redirect_uri)]));
    await handle(deps, ctx, interaction);
  };
  router.get('/interaction/:uid', pending(showInteraction));
  router.get('/interaction/:uid/sign-in', pending(showSignInOf));
  router.post('/interaction/:uid/sign-in', pending(submitSignIn));
  if (deps.config.signUp) {
    const here = orElsewhere(pending);
    router.get(
      '/interaction/:uid/sign-up/:secret',
      here((_, ctx) => showNewAccount(deps, ctx)),
    );
    router.post('/interaction/:uid/sign-up/:secret', here(submitNewAccount));
  }
  router.get('/interaction/:uid/with/:trust_id', pending(startWithProvider));
  router.get('/interaction/:uid/from/:trust_id', pending(comeFromProvider));
  router.post('/interaction/:uid/select-account', pending(selectAccount));
  router.post('/interaction/:uid/switch-account', pending(switchAccount));
  router.post('/interaction/:uid/consent', pending(submitConsent));
}

type Handle = (deps: PagesDeps, ctx: Context, interaction: PendingInteraction) => Promise<void>;

/** For mailed links: one that is opened in another browser, or after the request expired, continues to no app. */
function orElsewhere(pending: (handle: Handle) => (ctx: Context) => Promise<void>) {
  return (handle: Handle) => {
    const onTheWay = pending(handle);
    return async (ctx: Context) => {
      try {
        await onTheWay(ctx);
      } catch (error) {
        const isElsewhere = error instanceof Problem && ['interaction_expired', 'cookies_blocked'].includes(error.type);
        if (!isElsewhere || ctx.method !== 'GET') throw error;
        ctx.redirect(`${pagePaths.signUp}/${encodeURIComponent(String(ctx.params.secret))}`);
      }
    };
  };
}

/** The CSP source that allows the form's redirect to the client; CSP has no syntax for an IPv6 address (CSP §2.3.1). */
function formTargets(redirect_uri: string | undefined): string[] {
  if (!redirect_uri) return [];
  const { protocol, origin, hostname } = new URL(redirect_uri);
  const isNameable = (protocol === 'http:' || protocol === 'https:') && !hostname.startsWith('[');
  return [isNameable ? origin : protocol];
}

async function showInteraction(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  if (interaction.prompt === 'consent') await showConsent(deps, ctx, interaction);
  else if (interaction.prompt === 'select_account' && interaction.user_id) await showAccounts(deps, ctx, interaction);
  else if (interaction.prompt === 'create') showSignUp(deps, ctx, { interaction: interaction.uid });
  else await showSignInOf(deps, ctx, interaction);
}

async function showSignInOf(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  await showSignIn(deps, ctx, await firstView(deps, ctx, interaction));
}

/** A signed-in user is told why another sign-in is required. */
async function firstView(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<SignInView> {
  const { login_hint: login = '', demand, user_id } = interaction;
  const t = textsFor(deps, ctx).secondStep;
  const app = nameOf(interaction);
  const required = demand.required_acr ? t.required({ app }) : undefined;
  // If passwords are accepted, the page itself offers the accepted methods.
  const isTold = user_id !== undefined || demand.allowed_factors?.includes('password') === false;
  const notice = isTold ? (methodsSentence(deps, ctx, interaction) ?? required) : undefined;
  return { ...signInView(deps, interaction), login, ...(notice && { notice }) };
}

/** The methods that the app, or an API, accepts; undefined: all that the sign-in policy allows. */
function methodsSentence(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): string | undefined {
  const { allowed_factors } = interaction.demand;
  const { secondStep: t } = textsFor(deps, ctx);
  return allowed_factors === null
    ? undefined
    : t.accepts({ app: nameOf(interaction), methods: allowed_factors.map((kind) => t.methods[kind]).join(', ') });
}

function signInView({ db }: PagesDeps, interaction: PendingInteraction): SignInView {
  const clientLogo = () => clientLogoPath(db, interaction.client.id);
  const action = `/interaction/${interaction.uid}/sign-in`;
  const { demand, user_id } = interaction;
  const asksAll = demand.required_acr !== undefined || user_id !== undefined;
  return { action, client_name: nameOf(interaction), clientLogo, cancel: true, asksAll, demand };
}

/** Continue with the account that is signed in, or another one. */
async function showAccounts(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  const { uid, user_id = '' } = interaction;
  const user = await findUserById(deps.db, user_id);
  show(deps, ctx, 'select-account', {
    csrf: csrfToken(deps, ctx),
    action: `/interaction/${uid}/select-account`,
    switch_account_action: `/interaction/${uid}/switch-account`,
    client_name: nameOf(interaction),
    account: user ? { name: user.name ?? user.username, login: accountName(user) } : undefined,
  });
}

async function selectAccount(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  checkCsrf(deps, ctx);
  const isChosen = form(ctx).get('decision') === 'continue' && interaction.user_id !== undefined;
  if (!isChosen) return refuse(deps, ctx, interaction);
  goOn(ctx, await finishSelection(deps.provider().current(), ctx));
}

async function switchAccount(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  checkCsrf(deps, ctx);
  const notice = textsFor(deps, ctx).signIn.otherAccount;
  const view = signInView(deps, interaction);
  await showSignIn(deps, ctx, { ...view, login: interaction.login_hint ?? '', notice });
}

async function submitSignIn(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  if (form(ctx).get('decision') === 'cancel') {
    checkCsrf(deps, ctx);
    await refuse(deps, ctx, interaction);
    return;
  }
  const authentication = await judgeSignIn(deps, ctx, signInView(deps, interaction));
  if (authentication) await goOnSignedIn(deps, ctx, { interaction, authentication });
}

async function submitNewAccount(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  const authentication = await judgeNewAccount(deps, ctx);
  if (authentication) await goOnSignedIn(deps, ctx, { interaction, authentication });
}

/** A signed-in user needs a fresh proof, also at the provider. */
async function startWithProvider(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  const { uid, login_hint, user_id } = interaction;
  const view = signInView(deps, interaction);
  await start(deps, ctx, {
    interaction: uid,
    return_to: '',
    is_fresh: user_id !== undefined,
    own: null,
    login_hint,
    view,
  });
}

async function comeFromProvider(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  const authentication = await finish(deps, ctx, signInView(deps, interaction));
  if (authentication) await goOnSignedIn(deps, ctx, { interaction, authentication });
}

/** Resumes the request, unless it requires more than the user proved. */
async function goOnSignedIn(
  deps: PagesDeps,
  ctx: Context,
  { interaction, authentication }: { interaction: PendingInteraction; authentication: Authentication },
): Promise<void> {
  const { amr } = authentication;
  if (!meets({ acr: assuranceOf(amr), amr }, interaction.demand)) {
    const t = textsFor(deps, ctx).secondStep;
    const unmet = interaction.demand.required_acr === 'phr' ? t.unmetPasskey : t.unmet;
    const error = methodsSentence(deps, ctx, interaction) ?? unmet({ app: nameOf(interaction) });
    await showSignIn(deps, ctx, { ...signInView(deps, interaction), error }, 422);
    return;
  }
  await noteBrowserLanguage(deps.db, authentication.user_id, chosenLanguage(deps, ctx));
  goOn(ctx, await finishSignIn(deps.provider().current(), ctx, authentication));
}
