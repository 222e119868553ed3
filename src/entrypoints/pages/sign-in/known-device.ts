import { randomUUID } from 'node:crypto';
import type { Context } from 'koa';
import { noteNewBrowser } from '../../../domain/users/index.ts';
import { digest } from '../../../platform/crypto/index.ts';
import { requestOrigin } from '../../../platform/http/index.ts';
import { ownCookie } from '../own-cookie.ts';
import { type PagesDeps, textsFor, withMail } from '../pages.ts';
import { deviceName } from '../records/devices.ts';

const maxAccounts = 8;
const yearMs = 365 * 24 * 60 * 60 * 1000;

/** The browser's id, if it has signed in with this account before. */
export function knownDevice({ issuer }: PagesDeps, ctx: Context, account: string): string | undefined {
  const { name, options } = ownCookie('latchkey_device', issuer);
  const [id, ...accounts] = (ctx.cookies.get(name, options) ?? '').split('.');
  return id && accounts.includes(accountMark(account)) ? id : undefined;
}

/** Records in the browser that it signed in with this account; if it is new, the user is notified. */
export async function rememberBrowser(deps: PagesDeps, ctx: Context, user_id: string): Promise<void> {
  if (!knownDevice(deps, ctx, user_id)) {
    const browser = deviceName(ctx.get('User-Agent') || null, textsFor(deps, ctx));
    const notifying = deps.config.mailsNewBrowsers ? withMail(deps) : deps;
    await noteNewBrowser(notifying, requestOrigin(ctx), { user_id, browser });
  }
  rememberDevice(deps, ctx, user_id);
}

function rememberDevice({ issuer }: PagesDeps, ctx: Context, account: string): void {
  const { name, options } = ownCookie('latchkey_device', issuer);
  const [id = '', ...accounts] = (ctx.cookies.get(name, options) ?? '').split('.');
  const mark = accountMark(account);
  const kept = [mark, ...accounts.filter((known) => known !== mark)].slice(0, maxAccounts);
  ctx.cookies.set(name, [id || randomUUID(), ...kept].join('.'), { ...options, maxAge: yearMs });
}

function accountMark(account: string): string {
  return digest(account).toString('base64url').slice(0, 16);
}
