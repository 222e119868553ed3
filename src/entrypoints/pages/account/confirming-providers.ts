import type { Context } from 'koa';
import { isAllowed } from '../../../domain/assurance/index.ts';
import { listIdentities } from '../../../domain/identities/index.ts';
import { isLogin, type LoginTrust, providerName } from '../../../domain/identity-providers/index.ts';
import { listLoginTrusts } from '../../../domain/trusts/index.ts';
import { hasPassword } from '../../../domain/users/index.ts';
import { pagePaths } from '../page-data.ts';
import { type PagesDeps, textsFor } from '../pages.ts';
import type { Here } from '../signed-in.ts';

/** An account at an issuer, and the trusts that sign in with it: there can be several for one issuer. */
type Connected = { id: string; trusts: LoginTrust[]; created_at: Date };

/**
 * The providers that the user has connected, and the others that they can connect. If an issuer has several trusts, a user can have an
 * account for each, because an issuer may give each of its clients another `sub` (OpenID Connect Core §8.1).
 */
export async function connections(
  { db, policy }: PagesDeps,
  user_id: string,
): Promise<{ connected: Connected[]; others: LoginTrust[] }> {
  const isOffered = isAllowed(await policy.current(), 'provider');
  const trusts = isOffered ? (await listLoginTrusts(db)).filter(isLogin) : [];
  const at = (issuer: string) => trusts.filter((trust) => trust.issuer === issuer);
  const identities = await listIdentities(db, user_id);
  const connected = identities
    .map(({ id, issuer, created_at }) => ({ id, trusts: at(issuer), created_at }))
    .filter((each) => each.trusts.length > 0);
  const others = trusts.filter(
    ({ issuer }) => identities.filter((identity) => identity.issuer === issuer).length < at(issuer).length,
  );
  return { connected, others };
}

/** The names of the providers that a connected account signs in with. */
export function namesOf({ trusts }: Connected): string {
  return [...new Set(trusts.map(providerName))].join(', ');
}

/** The providers that a user without a password or factor confirms with; undefined: the user has one. */
export async function confirmingProviders(deps: PagesDeps, ctx: Context, { user }: Here) {
  if (await hasPassword(deps.db, user.id)) return undefined;
  const { connected } = await connections(deps, user.id);
  const { providers: t } = textsFor(deps, ctx);
  const query = new URLSearchParams({ return_to: ctx.path });
  const trusts = new Set(connected.flatMap((each) => each.trusts));
  return [...trusts].map((trust) => ({
    label: t.confirmWith({ provider: providerName(trust) }),
    href: `${pagePaths.security}/confirm/${trust.id}?${query}`,
  }));
}
