import type { Context } from 'koa';
import { z } from 'zod';
import { isAllowed } from '../../../domain/assurance/index.ts';
import {
  isLogin,
  type LoginTrust,
  type ProviderSession,
  providerName,
} from '../../../domain/identity-providers/index.ts';
import { findTrust, listLoginTrusts } from '../../../domain/trusts/index.ts';
import { carriedState, domainOf } from '../../../domain/users/index.ts';
import type { Db } from '../../../platform/database/index.ts';
import { csrfToken } from '../csrf.ts';
import { type PagesDeps, textsFor } from '../pages.ts';
import { interactionOf } from './from-app.ts';
import { isOffered } from './offered.ts';
import type { OfferedProvider, SignInView } from './page-data.ts';

const uuid = z.uuid();

/** The trust that a button or a response names; undefined: users cannot sign in with it any more. */
export async function findLoginTrust({ db, policy }: PagesDeps, id: unknown): Promise<LoginTrust | undefined> {
  return isAllowed(await policy.current(), 'provider') ? findTrustOfLogin(db, id) : undefined;
}

/** The same, whether or not users may sign in with providers. */
export async function findTrustOfLogin(db: Db, id: unknown): Promise<LoginTrust | undefined> {
  const trust = uuid.safeParse(id).success ? await findTrust(db, String(id)) : undefined;
  return isLogin(trust) ? trust : undefined;
}

/** The sign-in methods of a page beside the password. */
export type Offered = {
  providers: OfferedProvider[];
  /** Whether some users have no password: by their address alone they are shown their provider. */
  has_home_realms: boolean;
  notice?: string;
};

/** The providers to sign in with; first the one for the address, if any. */
export async function offeredProviders(deps: PagesDeps, ctx: Context, view: SignInView): Promise<Offered> {
  if (view.connect) return { providers: [], has_home_realms: false };
  const { providers: t } = textsFor(deps, ctx);
  const trusts = (await isOffered(deps, view, 'provider')) ? (await listLoginTrusts(deps.db)).filter(isLogin) : [];
  const { login = '' } = view;
  const domain = login.includes('@') ? domainOf(login) : undefined;
  const isHome = (trust: LoginTrust) => domain !== undefined && trust.login.email_domains.includes(domain);
  const home = trusts.find(isHome);
  const ordered = home ? [home, ...trusts.filter((trust) => trust !== home)] : trusts;
  const offered = ordered.map((trust) => ({
    label: t.continueWith({ provider: providerName(trust) }),
    href: startAddress(view.action, trust, isHome(trust) ? login : undefined),
  }));
  const has_home_realms = trusts.some((trust) => trust.login.email_domains.length > 0);
  const notice = home && domain && t.homeRealm({ domain, provider: providerName(home) });
  return { providers: offered, has_home_realms, ...(notice && { notice }) };
}

/** The address to start a sign-in with a provider, from the sign-in page with this form. */
function startAddress(signInAction: string, { id }: LoginTrust, login_hint: string | undefined): string {
  const uid = interactionOf(signInAction);
  const return_to = new URL(signInAction, 'http://localhost').searchParams.get('return_to');
  const query = new URLSearchParams({ ...(return_to && { return_to }), ...(login_hint && { login_hint }) });
  const path = uid ? `/interaction/${uid}/with/${id}` : `/sign-in/with/${id}`;
  return query.size > 0 ? `${path}?${query}` : path;
}

export const connectPurpose = 'connect an account';

/** An account at a provider that waits for its user to sign in to the one here. */
const Pending = z.object({ trust_id: z.uuid(), subject: z.string(), user_id: z.uuid() });
export type PendingConnection = z.infer<typeof Pending>;

/** The account in the state of a form; undefined: it was changed, belongs to another browser, or is too old. */
export function pendingConnection(deps: PagesDeps, ctx: Context, text: string): PendingConnection | undefined {
  return Pending.safeParse(carriedState(deps, { purpose: connectPurpose, browser: csrfToken(deps, ctx) }, text)).data;
}

/** The provider's data that a browser keeps until the second factor is proven, too. */
export const CarriedProvider = z.object({
  trust_id: z.uuid(),
  trust_epoch: z.int(),
  identity_id: z.uuid(),
  upstream_sid: z.string().nullable(),
  proven_at: z.iso
    .datetime()
    .nullable()
    .transform((text) => (text === null ? null : new Date(text))),
}) satisfies z.ZodType<ProviderSession>;
