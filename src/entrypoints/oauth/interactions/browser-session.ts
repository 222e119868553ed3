import { randomBytes } from 'node:crypto';
import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import { assuranceOf } from '../../../domain/assurance/index.ts';
import { type Digest, digest } from '../../../platform/crypto/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';
import type { Authentication } from './interaction.ts';

export type BrowserSession = { uid: string; user_id: string; acr: string | undefined };

type SessionModel = InstanceType<Provider['Session']> & {
  new?: boolean;
  loginAccount: (details: { accountId: string; acr: string; amr: string[]; loginTs: number }) => void;
  resetIdentifier: () => void;
  save: (ttl: number) => Promise<string>;
  destroy: () => Promise<void>;
};

/** The session and user of this browser; undefined: no user is signed in. */
export async function browserSession(provider: Provider, ctx: Context): Promise<BrowserSession | undefined> {
  const session = await provider.Session.get(ctx as never);
  if (!session.accountId) return undefined;
  return { uid: session.uid, user_id: session.accountId, acr: session.acr };
}

/** Whether this browser has a session at all, signed in or not. */
export async function hasSession(provider: Provider, ctx: Context): Promise<boolean> {
  const session = (await provider.Session.get(ctx as never)) as SessionModel;
  return !session.new;
}

export type SignInOptions = Authentication & { sessionSeconds: number; secure: boolean };

/** Signs a user in with this browser, without a request of a client; another user's session is ended first. */
export async function startBrowserSession(
  provider: Provider,
  ctx: Context,
  { user_id, user_epoch, authenticated_at, amr, provider: by, sessionSeconds, secure }: SignInOptions,
): Promise<void> {
  let session = (await provider.Session.get(ctx as never)) as SessionModel;
  if (session.accountId && session.accountId !== user_id) {
    await session.destroy();
    session = new provider.Session() as SessionModel;
  }
  currentUnit().authenticated = { user_id, user_epoch, at: authenticated_at, by };
  const acr = assuranceOf(amr);
  session.loginAccount({ accountId: user_id, acr, amr, loginTs: Math.floor(authenticated_at.getTime() / 1000) });
  if (!session.new) session.resetIdentifier();
  await session.save(sessionSeconds);
  sendSessionId(provider, ctx, { id: session.jti, maxAgeSeconds: sessionSeconds, secure });
}

/** The id of a session, and its stored data. */
export function newSessionId(): { id: string; stored: Digest } {
  const id = randomBytes(32).toString('base64url');
  return { id, stored: digest(id) };
}

/** Sets the session cookie, as the library would. */
export function sendSessionId(
  provider: Provider,
  ctx: Context,
  { id, maxAgeSeconds, secure }: { id: string; maxAgeSeconds: number; secure: boolean },
): void {
  // One request may renew a session twice: only the last id counts.
  const options = { httpOnly: true, sameSite: 'lax', signed: true, secure, path: '/', overwrite: true } as const;
  ctx.cookies.set(provider.cookieName('session'), id, { ...options, maxAge: maxAgeSeconds * 1000 });
}
