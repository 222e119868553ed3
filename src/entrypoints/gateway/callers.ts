import type { Context } from 'koa';
import { type AccessDeps, allows, effectivePermissions, forbiddenBecause } from '../../domain/access/index.ts';
import { type Asked, type KeyEntry, type KeyUse, type KeyVerifier, keyCodeKinds } from '../../domain/api-keys/index.ts';
import { forbidden, Problem, tooMany } from '../../platform/http/index.ts';
import type { Bearer } from '../oauth/index.ts';
import { callerCredentialOf } from './credentials.ts';
import type { Inquiry } from './gateway-request.ts';

const verifyPermission = 'latchkey:verify';

export type CallerDeps = AccessDeps & {
  keys: KeyVerifier;
  /** Of Latchkey's own API. */
  audience: string;
  bearerOf: (ctx: Context, audience: string) => Promise<Bearer>;
};

/**
 * Who asks whether a credential is good must hold `latchkey:verify`, in a key of their own (which costs no look at the
 * database) or an access token for Latchkey's own API.
 *
 * @returns by what they are counted
 * @throws Problem 401, 403, 429
 */
export async function callerOf(deps: CallerDeps, ctx: Context): Promise<string> {
  const credential = callerCredentialOf(ctx);
  if (credential && 'key' in credential) return keyCaller(deps, ctx, credential.key);
  const { audience: resource } = deps;
  const { subject_id, scopes } = await deps.bearerOf(ctx, resource);
  const permissions = await effectivePermissions(deps, { subject_id, limits: [], resource, scopes });
  if (!allows(permissions, verifyPermission))
    throw await forbiddenBecause(deps, { subject_id, scopes, resource, permission: verifyPermission });
  return subject_id;
}

/** What is asked of the key of a service that asks about others. */
export function callerAsked(audience: string, { ip }: Inquiry): Asked {
  const needed = { needs: verifyPermission, permissions: [verifyPermission] };
  return { ...needed, resource: audience, ip, origin: undefined, cost: 1, parameters: {} };
}

async function keyCaller({ keys, audience }: CallerDeps, ctx: Context, key: string): Promise<string> {
  return (await admitted(keys, ctx, { key, asked: callerAsked(audience, ctx) })).id;
}

/**
 * Whoever calls Latchkey's own API with an API key in place of an access token, as `bearerOf` tells of the others; what each call
 * needs is judged later. Undefined: no key came.
 *
 * @throws Problem 401, 403, 429
 */
export async function keyBearerOf(
  { keys, audience }: Pick<CallerDeps, 'audience' | 'keys'>,
  ctx: Context,
): Promise<Bearer | undefined> {
  const credential = callerCredentialOf(ctx);
  if (!credential || !('key' in credential)) return undefined;
  const asked = { ...callerAsked(audience, ctx), needs: undefined, permissions: [] };
  const { id, number, owner, permissionsAt } = await admitted(keys, ctx, { key: credential.key, asked });
  const whose = { kind: owner.kind, id: owner.kind === 'user' ? owner.id : owner.name, subject_id: owner.id };
  return {
    ...whose,
    client_id: owner.name,
    api_key: { id, number },
    isKey: true,
    scopes: [...permissionsAt(audience)],
  };
}

async function admitted(keys: KeyVerifier, ctx: Context, { key, asked }: KeyUse): Promise<KeyEntry> {
  const { code, reason, entry, retry_after_seconds } = await keys.verify(key, asked, keys.senderAt(ctx.ip));
  const kind = keyCodeKinds[code];
  if (kind === 'good' && entry) return entry;
  if (kind === 'limited') throw tooMany(reason, retry_after_seconds ?? 1);
  if (code === 'insufficient_permissions')
    throw forbidden(verifyPermission, `This needs "${verifyPermission}". ${reason}`);
  if (kind === 'refused') throw new Problem(403, code, { title: 'Not allowed', detail: reason });
  const headers = { 'WWW-Authenticate': 'Bearer realm="latchkey", error="invalid_token"' };
  throw new Problem(401, 'unauthenticated', { title: 'Not authenticated', detail: reason, headers });
}
