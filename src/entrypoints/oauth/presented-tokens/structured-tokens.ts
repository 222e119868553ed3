import type { Context, Middleware, Next } from 'koa';
import type { AccessToken, ClientCredentials } from 'oidc-provider';
import type { SigningKey } from '../../../domain/signing-keys/index.ts';
import { type StatusIndexes, statusListUri } from '../../../domain/status-lists/index.ts';
import { form, replaceForm } from '../../../platform/http/index.ts';
import { routes } from '../endpoints.ts';
import { newAccessToken, type Payload, type StoreDeps } from '../store/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';
import { verifiedId } from './bearer.ts';

const jwtShape = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
const unverified = 'unverified-token';
const tokenEndpoints = new Set<string>([routes.introspection, routes.revocation]);
const takesToken = new Set<string>([...tokenEndpoints, routes.userinfo]);

/**
 * oidc-provider neither stores, introspects nor revokes JWT access tokens. Here a presented one is verified, and its row found by its
 * `jti`, so that the library treats it like any other token. Introspection and revocation refuse JWTs, so a reference replaces it there; at
 * userinfo it stays, because a DPoP proof contains the hash of the JWT (RFC 9449 §7).
 */
export function resolveStructuredTokens(issuer: string, keys: () => readonly SigningKey[]): Middleware {
  return async (ctx: Context, next: Next) => {
    if (!takesToken.has(ctx.path)) return next();
    const presented = presentedToken(ctx);
    if (presented && jwtShape.test(presented)) {
      const jti = await verifiedId(presented, issuer, keys());
      const isReplaced = tokenEndpoints.has(ctx.path);
      const reference = isReplaced ? `structured:${jti}` : presented;
      if (jti) currentUnit().structured = { reference, jti };
      if (isReplaced) replaceToken(ctx, jti ? reference : unverified);
    }
    await next();
    return nameTheToken(ctx);
  };
}

/** The library takes the reference for the token itself, and so names no `jti` (RFC 7662 §2.2). */
function nameTheToken(ctx: Context): void {
  const { structured } = currentUnit();
  const answer = ctx.body as { active?: boolean } | null;
  if (structured && ctx.path === routes.introspection && answer?.active) ctx.body = { ...answer, jti: structured.jti };
}

function presentedToken(ctx: Context): string | undefined {
  if (tokenEndpoints.has(ctx.path)) {
    const tokens = form(ctx).getAll('token');
    return tokens.length === 1 ? tokens[0] : undefined;
  }
  return /^(?:bearer|dpop) ([^ ]+)$/i.exec(ctx.get('Authorization'))?.[1] ?? form(ctx).get('access_token') ?? undefined;
}

function replaceToken(ctx: Context, reference: string): void {
  const parameters = form(ctx);
  parameters.set('token', reference);
  replaceForm(ctx, parameters);
}

type IssuedToken = AccessToken | ClientCredentials;

/**
 * Gives a JWT access token its index in a status list, which it names in `status` (draft-ietf-oauth-status-list §6.1), and
 * records it in the unit that issues it (DESIGN.md §4).
 */
export function recordStructuredToken(deps: StoreDeps & { issuer: string; statusIndexes: StatusIndexes }) {
  return async (
    _ctx: unknown,
    token: IssuedToken,
    { payload }: { payload: Record<string, unknown> },
  ): Promise<void> => {
    const place = await deps.statusIndexes.draw();
    const { status_index: idx, status_list_id } = place;
    payload.status = { status_list: { idx, uri: statusListUri(deps.issuer, status_list_id) } };
    const { kind, clientId, scope, aud, extra, jkt, 'x5t#S256': x5t } = token;
    const personal =
      'accountId' in token
        ? { accountId: token.accountId, grantId: token.grantId, gty: token.gty, sid: token.sid }
        : {};
    const stored = {
      kind,
      clientId,
      scope,
      aud,
      extra,
      jkt,
      'x5t#S256': x5t,
      ...personal,
      exp: payload.exp,
      iat: payload.iat,
    } as Payload;
    currentUnit().writes.access_token = newAccessToken(deps, { jti: String(payload.jti), ...place }, stored);
  };
}
