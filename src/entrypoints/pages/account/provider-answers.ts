import type { Context } from 'koa';
import { methodsOf } from '../../../domain/assurance/index.ts';
import {
  connectAccount,
  isAccountOf,
  type LoginTrust,
  ProviderRefusal,
  recordRefusal,
} from '../../../domain/identity-providers/index.ts';
import { confirmSession } from '../../../domain/sessions/index.ts';
import { Problem, person, requestOrigin } from '../../../platform/http/index.ts';
import { newSessionId } from '../../oauth/index.ts';
import { pagePaths } from '../page-data.ts';
import { type PagesDeps, withMail } from '../pages.ts';
import { accountOf, type Carried } from '../sign-in/provider-round-trip.ts';
import { findLoginTrust } from '../sign-in/providers.ts';
import { type Here, sendRenewedId, whoIsHere } from '../signed-in.ts';

type Own = NonNullable<Carried['own']>;

/** Handles the return of a signed-in user from a provider, to connect an account there or to confirm an action. */
export async function comeToAccount(
  deps: PagesDeps,
  ctx: Context,
  { own, return_to }: Pick<Carried, 'return_to'> & { own: Own },
): Promise<void> {
  const trust = await findLoginTrust(deps, ctx.params.trust_id);
  const here = await whoIsHere(deps, ctx);
  const isSame = here?.user.id === own.user_id && here.session.uid === own.session_uid;
  const done = trust && here && isSame ? await answered(deps, ctx, { own, here, trust }) : 'provider-refused';
  ctx.status = 303;
  ctx.redirect(done === undefined ? return_to : `${pagePaths.security}?done=${done}`);
}

type Answer = { own: Own; here: Here; trust: LoginTrust };

/** @returns the message for the page of sign-in methods; undefined: the user returns to the previous page */
async function answered(deps: PagesDeps, ctx: Context, answer: Answer): Promise<string | undefined> {
  try {
    return await (answer.own.purpose === 'connect' ? connect : confirm)(deps, ctx, answer);
  } catch (error) {
    if (error instanceof ProviderRefusal) {
      await recordRefusal(deps, { trust: answer.trust, origin: requestOrigin(ctx) }, error.message);
      return error.kind === 'not_fresh' ? 'provider-not-fresh' : 'provider-refused';
    }
    if (error instanceof Problem && error.type === 'conflict') return 'provider-conflict';
    throw error;
  }
}

async function connect(deps: PagesDeps, ctx: Context, { here, trust }: Answer): Promise<string> {
  const { subject } = await accountOf(deps, ctx, trust);
  await connectAccount(withMail(deps), requestOrigin(ctx), { user_id: here.user.id, trust, subject });
  return 'provider-connected';
}

/** A new proof at the provider is accepted as one here, for ten minutes from then. */
async function confirm(deps: PagesDeps, ctx: Context, { here, trust }: Answer): Promise<undefined> {
  const account = await accountOf(deps, ctx, trust);
  const { authenticated_at: confirmed_at } = account;
  if (!confirmed_at || !(await isAccountOf(deps, { trust, account }, here.user.id)))
    throw new ProviderRefusal('invalid', 'the account of another user');
  const { id, stored } = newSessionId();
  const actor = person(here.user.id, requestOrigin(ctx));
  const renewal = { uid: here.session.uid, id: stored, confirmed_at, amr: methodsOf.provider };
  sendRenewedId(deps, ctx, { id, expires_at: await confirmSession(deps, actor, renewal) });
  return undefined;
}
