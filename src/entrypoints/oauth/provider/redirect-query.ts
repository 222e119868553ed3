import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { hiddenContext } from './library-seams.ts';

/**
 * Redirects browsers to the registered address, byte for byte, with the parameters of the response appended (RFC 6749 §3.1.2: the query
 * component must be retained). The library parses the query and serializes it again: `%20` becomes `+`, `~` becomes `%7E`, a name without
 * `=` gets one.
 */
export const retainRedirectQuery: Middleware = async (ctx, next) => {
  await next();
  const location = ctx.response.get('Location');
  if (ctx.status !== 303 || !location) return;
  for (const registered of redirectTargets(hiddenContext(ctx))) {
    const retained = retainedIn(location, registered);
    if (retained !== undefined) {
      ctx.set('Location', retained);
      return;
    }
  }
};

/** Where this request may send a browser: the address that it names first, then the client's others. */
function redirectTargets({ oidc }: KoaContextWithOIDC): string[] {
  const named = oidc?.params?.redirect_uri;
  const { redirectUris = [], postLogoutRedirectUris = [] } = oidc?.client ?? {};
  return [...(typeof named === 'string' ? [named] : []), ...redirectUris, ...postLogoutRedirectUris];
}

/**
 * The location with the registered address in its own spelling; undefined: it has another target, or a parameter of the response replaced
 * one of the address.
 */
function retainedIn(location: string, registered: string): string | undefined {
  const url = URL.parse(registered);
  if (!url?.search) return undefined;
  const inFragment = `${url.href}#`;
  if (location.startsWith(inFragment)) return `${registered}#${location.slice(inFragment.length)}`;
  const { search, href } = url;
  const rewritten = `${href.slice(0, href.length - search.length)}?${url.searchParams}`;
  if (location === rewritten || location === href) return registered;
  return location.startsWith(`${rewritten}&`) ? `${registered}${location.slice(rewritten.length)}` : undefined;
}
