import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Context } from 'koa';
import { type App, Refusal } from './app.ts';

const cookie = 'web_app';

/** The session id of this browser; its first visit sets one. */
export function knownBrowser(app: App, ctx: Context): string {
  const name = ctx.cookies.get(cookie, { signed: false });
  return name && /^[\w-]{43}$/.test(name) ? name : nameBrowser(app, ctx);
}

/** Sets a new session id, so that an attacker who knows the one from before the sign-in does not share the session (fixation). */
export function nameBrowser({ url }: Pick<App, 'url'>, ctx: Context): string {
  const name = randomBytes(32).toString('base64url');
  const { pathname, protocol } = new URL(url);
  const secure = protocol === 'https:';
  // `lax`: sent when the issuer redirects back here, not with forms of other sites.
  ctx.cookies.set(cookie, name, { path: pathname, httpOnly: true, sameSite: 'lax', secure, signed: false });
  return name;
}

/** A token that only our forms contain: other sites do not know the session id. Nothing is stored for visitors who are not signed in. */
export function csrfToken({ csrfKey }: Pick<App, 'csrfKey'>, browser: string): string {
  return createHmac('sha256', csrfKey).update(browser).digest('base64url');
}

/**
 * Refuses a form of another site: by the origin that browsers send, and by the token.
 *
 * @throws Refusal 403
 */
export async function checkForm(app: App, ctx: Context, browser: string): Promise<void> {
  const origin = ctx.get('Origin');
  const isForeignOrigin = origin !== '' && origin !== new URL(app.url).origin;
  const isForeign = isForeignOrigin || !['', 'same-origin', 'none'].includes(ctx.get('Sec-Fetch-Site'));
  const token = (await app.readForm(ctx)).get('csrf') ?? '';
  if (isForeign || !isSame(token, csrfToken(app, browser))) {
    throw new Refusal(403, 'That form was not sent from this page, or the page was open for too long. Try again here.');
  }
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
