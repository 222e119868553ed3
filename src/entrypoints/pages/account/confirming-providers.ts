import type { Context } from 'koa';
import { isAllowed } from '../../../domain/assurance/index.ts';
import { listIdentities } from '../../../domain/identities/index.ts';
import { isLogin, type LoginTrust, providerName } from '../../../domain/identity-providers/index.ts';
import { listLoginTrusts } from '../../../domain/trusts/index.ts';
import { hasPassword } from '../../../domain/users/index.ts';
import { pagePaths } from '../page-data.ts';
import { type PagesDeps, textsFor } from '../pages.ts';
import type { Here } from '../signed-in.ts';

type Connected = { id: string; trust: LoginTrust; created_at: Date };

/** The providers that the user has connected, and the others. */
export async function connections(
  { db, policy }: PagesDeps,
  user_id: string,
): Promise<{ connected: Connected[]; others: LoginTrust[] }> {
  const isOffered = isAllowed(await policy.current(), 'provider');
  const trusts = isOffered ? (await listLoginTrusts(db)).filter(isLogin) : [];
  const connected = (await listIdentities(db, user_id)).flatMap(({ id, issuer, created_at }) => {
    const trust = trusts.find((each) => each.issuer === issuer);
    return trust ? [{ id, trust, created_at }] : [];
  });
  const others = trusts.filter((trust) => !connected.some((each) => each.trust === trust));
  return { connected, others };
}

/** The providers that a user without a password or factor confirms with; undefined: the user has one. */
export async function confirmingProviders(deps: PagesDeps, ctx: Context, { user }: Here) {
  if (await hasPassword(deps.db, user.id)) return undefined;
  const { connected } = await connections(deps, user.id);
  const { providers: t } = textsFor(deps, ctx);
  const query = new URLSearchParams({ return_to: ctx.path });
  return connected.map(({ trust }) => ({
    label: t.confirmWith({ provider: providerName(trust) }),
    href: `${pagePaths.security}/confirm/${trust.id}?${query}`,
  }));
}
