import type { Context } from 'koa';
import type Provider from 'oidc-provider';

/** `login_at`: when the password was last given for it. */
export type BrowserSession = { uid: string; user_id: string; login_at: Date };

type SessionModel = InstanceType<Provider['Session']> & {
  new?: boolean;
  loginAccount: (details: { accountId: string; amr: string[] }) => void;
  resetIdentifier: () => void;
  save: (ttl: number) => Promise<string>;
  destroy: () => Promise<void>;
};

/** Who is signed in with this browser; undefined for nobody. */
export async function browserSession(provider: Provider, ctx: Context): Promise<BrowserSession | undefined> {
  const session = await provider.Session.get(ctx as never);
  if (!session.accountId) return undefined;
  return { uid: session.uid, user_id: session.accountId, login_at: new Date((session.loginTs ?? 0) * 1000) };
}

/** Whether this browser has a session at all, signed in or not. */
export async function hasSession(provider: Provider, ctx: Context): Promise<boolean> {
  const session = (await provider.Session.get(ctx as never)) as SessionModel;
  return !session.new;
}

export type SignInOptions = { user_id: string; sessionSeconds: number; secure: boolean };

/** Signs a person in with this browser, outside of any client's request; another person's session ends first. */
export async function startBrowserSession(
  provider: Provider,
  ctx: Context,
  { user_id, sessionSeconds, secure }: SignInOptions,
): Promise<void> {
  let session = (await provider.Session.get(ctx as never)) as SessionModel;
  if (session.accountId && session.accountId !== user_id) {
    await session.destroy();
    session = new provider.Session() as SessionModel;
  }
  session.loginAccount({ accountId: user_id, amr: ['pwd'] });
  if (!session.new) session.resetIdentifier();
  await session.save(sessionSeconds);
  const name = provider.cookieName('session');
  const maxAge = sessionSeconds * 1000;
  ctx.cookies.set(name, session.jti, { httpOnly: true, sameSite: 'lax', signed: true, secure, path: '/', maxAge });
}
