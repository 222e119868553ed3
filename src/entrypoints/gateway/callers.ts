import { type AccessDeps, allows, effectivePermissions, forbiddenBecause } from '../../domain/access/index.ts';
import {
  type Asked,
  type KeyEntry,
  type KeyVerdict,
  type KeyVerifier,
  keyCodeKinds,
} from '../../domain/api-keys/index.ts';
import { forbidden, Problem, tooMany } from '../../platform/http/index.ts';
import type { Bearer, BearerRequest } from '../oauth/index.ts';
import { callerCredentialOf } from './credentials.ts';
import type { GatewayRequest, HeaderSource } from './gateway-request.ts';

const verifyPermission = 'latchkey:verify';

export type CallerDeps = AccessDeps & {
  keys: KeyVerifier;
  /** The identifier of Latchkey's own API. */
  audience: string;
  bearerOf: (request: BearerRequest, audience: string) => Promise<Bearer>;
};

/** The caller, by the id that is used for counting, and whether it was authenticated from the cache. */
export type Caller = { id: string; isFromMemory: boolean };

/**
 * Callers that verify credentials need `latchkey:verify`, in a key of their own (which needs no database lookup) or an access token for
 * Latchkey's own API.
 *
 * @throws Problem 401, 403, 429
 */
export async function callerOf(deps: CallerDeps, request: GatewayRequest): Promise<Caller> {
  const { keys, audience: resource } = deps;
  const credential = callerCredentialOf(request);
  if (credential && 'key' in credential) {
    const asked = askedOfCaller(resource, request.ip);
    const verdict = await keys.verify(credential.key, asked, keys.senderAt(request.ip));
    return { id: admitted(verdict).id, isFromMemory: false };
  }
  const { subject_id, scopes } = await deps.bearerOf(request, resource);
  const permissions = await effectivePermissions(deps, { subject_id, limits: [], resource, scopes });
  if (!allows(permissions, verifyPermission))
    throw await forbiddenBecause(deps, { subject_id, scopes, resource, permission: verifyPermission });
  return { id: subject_id, isFromMemory: false };
}

/**
 * The same from the cache alone; undefined if that does not suffice.
 *
 * @throws Problem 400, 401, 403, 429
 */
export function cachedCallerOf({ keys, audience }: CallerDeps, request: GatewayRequest): Caller | undefined {
  const credential = callerCredentialOf(request);
  if (!credential || !('key' in credential)) return undefined;
  const verdict = keys.verifyCached(credential.key, askedOfCaller(audience, request.ip));
  return verdict && { id: admitted(verdict).id, isFromMemory: true };
}

/** The check of a service's own key when it verifies others. */
function askedOfCaller(resource: string, ip: string): Asked {
  const needed = { needs: verifyPermission, permissions: [verifyPermission] };
  return { ...needed, resource, ip, origin: undefined, cost: 1, parameters: {} };
}

/**
 * The caller of Latchkey's own API with an API key instead of an access token (for tokens: `bearerOf`); the permission for each call is
 * checked later. Undefined: there was no key.
 *
 * @throws Problem 401, 403, 429
 */
export async function keyBearerOf(
  { keys, audience }: Pick<CallerDeps, 'audience' | 'keys'>,
  request: HeaderSource & { ip: string },
): Promise<Bearer | undefined> {
  const credential = callerCredentialOf(request);
  if (!credential || !('key' in credential)) return undefined;
  const asked = { ...askedOfCaller(audience, request.ip), needs: undefined, permissions: [] };
  const verdict = await keys.verify(credential.key, asked, keys.senderAt(request.ip));
  const { id, number, owner, permissionsAt } = admitted(verdict);
  const whose = { kind: owner.kind, id: owner.kind === 'user' ? owner.id : owner.name, subject_id: owner.id };
  return {
    ...whose,
    client_id: owner.name,
    api_key: { id, number },
    isKey: true,
    scopes: [...permissionsAt(audience)],
  };
}

function admitted({ code, reason, entry, retry_after_seconds }: KeyVerdict): KeyEntry {
  const kind = keyCodeKinds[code];
  if (kind === 'good' && entry) return entry;
  if (kind === 'limited') throw tooMany(reason, retry_after_seconds ?? 1);
  if (code === 'insufficient_permissions')
    throw forbidden(verifyPermission, `This needs "${verifyPermission}". ${reason}`);
  if (kind === 'refused') throw new Problem(403, code, { title: 'Not allowed', detail: reason });
  const headers = { 'WWW-Authenticate': 'Bearer realm="latchkey", error="invalid_token"' };
  throw new Problem(401, 'unauthenticated', { title: 'Not authenticated', detail: reason, headers });
}
