import type { Middleware } from 'koa';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { StoreDeps } from '../store/index.ts';
import { findPerson } from './claims.ts';
import { hiddenContext } from './library-seams.ts';

/**
 * Names the user of an introspected token (`username`, RFC 7662 §2.2), the same value as `preferred_username`. An API may know its caller;
 * a client that introspects its own token gets only what it was allowed to know.
 */
export function nameIntrospectedPerson(deps: Pick<StoreDeps, 'reader'>): Middleware {
  return async (ctx, next) => {
    await next();
    const { oidc } = hiddenContext(ctx);
    const answer = ctx.body as { active?: boolean; sub?: string } | null;
    if (oidc?.route !== 'introspection' || !answer?.active || !answer.sub || !mayKnow(oidc)) return;
    const person = await findPerson(deps, answer.sub);
    if (person) ctx.body = { ...answer, username: person.username };
  };
}

function mayKnow({ client, entities }: KoaContextWithOIDC['oidc']): boolean {
  const token = entities.AccessToken ?? entities.RefreshToken;
  if (token?.clientId !== client?.clientId) return true;
  const { Grant: grant } = entities;
  return (
    grant !== undefined &&
    (grant.getOIDCScope().split(' ').includes('profile') || grant.getOIDCClaims().includes('preferred_username'))
  );
}
