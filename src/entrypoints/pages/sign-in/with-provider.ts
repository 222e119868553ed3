import type Router from '@koa/router';
import type { Context } from 'koa';
import {
  enterByProvider,
  type LoginTrust,
  logOutByProvider,
  ProviderRefusal,
  providerName,
  recordRefusal,
  type UpstreamAccount,
} from '../../../domain/identity-providers/index.ts';
import { carry } from '../../../domain/users/index.ts';
import { form, requestOrigin } from '../../../platform/http/index.ts';
import { type Authentication, isFirstUse } from '../../oauth/index.ts';
import { comeToAccount } from '../account/provider-answers.ts';
import { csrfToken } from '../csrf.ts';
import { type PagesDeps, textsFor, withMail } from '../pages.ts';
import { meetsPolicy, signInHere } from '../signed-in.ts';
import { noteProviderEntry } from './enrolling-by-provider.ts';
import { showEnrolmentRequired } from './enrolment.ts';
import { rememberBrowser } from './known-device.ts';
import type { SignInView } from './page-data.ts';
import { accountOf, carriedIn, type RoundTripStart, secondsForIt, sendToProvider } from './provider-round-trip.ts';
import { connectPurpose, findLoginTrust, findTrustOfLogin } from './providers.ts';
import { askSecondFactor } from './second-step.ts';
import { isRefusedDoubted, ownPath, showSignIn } from './sign-in.ts';

/** Signing in to the user's own pages with an identity provider, and the redirect URI of all providers. */
export function providerRoutes(router: Router, deps: PagesDeps): void {
  router.get('/sign-in/with/:trust_id', async (ctx: Context) => {
    const return_to = ownPath(ctx.query.return_to);
    const to = { interaction: null, return_to, is_fresh: false, own: null };
    await start(deps, ctx, { ...to, view: ownView(return_to) });
  });
  router.post('/sign-in/backchannel-logout/:trust_id', async (ctx: Context) => logOut(deps, ctx));
  router.get('/sign-in/callback/:trust_id', async (ctx: Context) => {
    const carried = carriedIn(deps, ctx);
    if (carried?.own) return comeToAccount(deps, ctx, { ...carried, own: carried.own });
    if (carried?.interaction) {
      // The cookie of the app's request is only sent to its own paths.
      ctx.status = 303;
      return ctx.redirect(`/interaction/${carried.interaction}/from/${carried.trust_id}${ctx.search}`);
    }
    const to = carried?.return_to ?? ownPath(undefined);
    const authentication = await finish(deps, ctx, ownView(to));
    if (authentication) await signInHere(deps, ctx, { ...authentication, to });
  });
}

/** Back-channel logout of a provider. No browser sends it: the signature of the token is the proof. */
async function logOut(deps: PagesDeps, ctx: Context): Promise<void> {
  ctx.set('Cache-Control', 'no-store');
  const trust = await findTrustOfLogin(deps.db, ctx.params.trust_id);
  const origin = requestOrigin(ctx);
  try {
    const logout_token = form(ctx).get('logout_token') ?? '';
    if (!trust) throw new ProviderRefusal('invalid', 'logout token: for no trust');
    const isFirst = (issuedBy: string, name: string, until: number) => isFirstUse(deps.db, issuedBy, name, until);
    await logOutByProvider({ ...deps, isFirstUse: isFirst }, { trust, logout_token, origin });
    ctx.status = 200;
    ctx.body = '';
  } catch (error) {
    if (!(error instanceof ProviderRefusal)) throw error;
    if (trust) await recordRefusal(deps, { trust, origin }, error.message);
    ctx.status = 400;
    ctx.body = { error: 'invalid_request' };
  }
}

const ownView = (return_to: string): SignInView => ({
  action: `/sign-in?return_to=${encodeURIComponent(return_to)}`,
});

/** Redirects the browser to the provider that the address names. */
export async function start(
  deps: PagesDeps,
  ctx: Context,
  { view, ...to }: RoundTripStart & { view: SignInView },
): Promise<void> {
  const trust = await findLoginTrust(deps, ctx.params.trust_id);
  if (!trust) return showUnknown(deps, ctx, view);
  await sendToProvider(deps, ctx, trust, to).catch((error: unknown) => refuse(deps, ctx, { trust, view, error }));
}

/** Checks the response of a provider; on anything but success it has answered, and returns nothing. */
export async function finish(deps: PagesDeps, ctx: Context, view: SignInView): Promise<Authentication | undefined> {
  const trust = await findLoginTrust(deps, ctx.params.trust_id);
  if (!trust) {
    await showUnknown(deps, ctx, view);
    return undefined;
  }
  const account = await accountOf(deps, ctx, trust).catch((error: unknown) =>
    refuse(deps, ctx, { trust, view, error }),
  );
  return account && enter(deps, ctx, { trust, account, view });
}

type Arrived = { trust: LoginTrust; account: UpstreamAccount; view: SignInView };

async function enter(
  deps: PagesDeps,
  ctx: Context,
  { trust, account, view }: Arrived,
): Promise<Authentication | undefined> {
  const outcome = await enterByProvider(withMail(deps), { trust, account, origin: requestOrigin(ctx) });
  if (outcome.kind === 'ok') {
    const { user, user_epoch, authenticated_at, amr, provider } = outcome;
    const authentication = { user_id: user.id, user_epoch, authenticated_at, amr, provider };
    if (await isRefusedDoubted(deps, ctx, { authentication, view })) return undefined;
    if (await askSecondFactor(deps, ctx, { authentication, view })) return undefined;
    if (await meetsPolicy(deps, authentication)) {
      await rememberBrowser(deps, ctx, user.id);
      return authentication;
    }
    noteProviderEntry(deps, ctx, authentication);
    await showEnrolmentRequired(deps, ctx, { user_id: user.id, view });
    return undefined;
  }
  const { providers: t } = textsFor(deps, ctx);
  const provider = providerName(trust);
  if (outcome.kind === 'connect') {
    const { email, user_id } = outcome;
    const pending = { trust_id: trust.id, subject: account.subject, user_id };
    const browser = csrfToken(deps, ctx);
    const connect = carry(deps, { purpose: connectPurpose, browser, seconds: secondsForIt }, pending);
    await showSignIn(deps, ctx, { ...view, login: email, connect, notice: t.connect({ email, provider }) });
    return undefined;
  }
  const words = {
    no_account: t.noAccount({ provider }),
    disabled: t.disabled,
    administrator: t.administrator({ provider }),
  };
  await showSignIn(deps, ctx, { ...view, blocked: words[outcome.kind] }, 422);
  return undefined;
}

type Refused = { trust: LoginTrust; view: SignInView; error: unknown };

/** Shows the reason, in words for the user, and records it in words for an administrator. */
async function refuse(deps: PagesDeps, ctx: Context, { trust, view, error }: Refused): Promise<undefined> {
  if (!(error instanceof ProviderRefusal)) throw error;
  await recordRefusal(deps, { trust, origin: requestOrigin(ctx) }, error.message);
  const { providers: t } = textsFor(deps, ctx);
  const provider = providerName(trust);
  const words = {
    cancelled: t.cancelled({ provider }),
    unavailable: t.unavailable({ provider }),
    invalid: t.invalid({ provider }),
    not_fresh: t.notFresh({ provider }),
    expired: t.expired,
  };
  await showSignIn(deps, ctx, { ...view, blocked: words[error.kind] }, 422);
  return undefined;
}

async function showUnknown(deps: PagesDeps, ctx: Context, view: SignInView): Promise<void> {
  await showSignIn(deps, ctx, { ...view, blocked: textsFor(deps, ctx).providers.unknown }, 404);
}
