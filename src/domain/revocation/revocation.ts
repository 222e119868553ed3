import { type Db, databaseTime, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, invalid, notFound } from '../../platform/http/index.ts';
import { findOwner, subjectNameOf } from '../access/index.ts';
import { countKeys, type KeyScope, keyScope, revokeKeysIn } from '../api-keys/index.ts';
import { appendEvent } from '../audit/index.ts';
import { grantKind } from '../consents/index.ts';
import { findResourceServer } from '../resource-servers/index.ts';
import { type SessionDeps, sessionKind } from '../sessions/index.ts';
import { reachOfToken, revokeToken } from '../tokens/index.ts';
import { deletePasswordLinks } from '../users/index.ts';
import { mustBeAllowedToRevoke } from './rights.ts';
import type { Handle } from './schemas.ts';
import { countLive, type LiveCredentials, markAllOwners, markOwner, type Owner, type Scope } from './store.ts';

export type RevocationDeps = Pick<SessionDeps, 'db' | 'now' | 'jobs'>;

/** The number of live credentials of each kind that a revocation revokes, or would revoke. */
export type RevocationImpact = LiveCredentials & { api_keys: number };

/**
 * Counts what revoking by this handle would revoke now.
 *
 * @throws Problem `not_found`: there is no such owner; `invalid`: not a token of this installation, or a time in the future
 */
export async function revocationImpact(
  { db, now }: Pick<RevocationDeps, 'db' | 'now'>,
  handle: Handle,
): Promise<RevocationImpact> {
  const plan = await planOf(db, handle);
  mustBePast(plan, await databaseTime(db));
  return countAll(db, plan, now());
}

function mustBePast({ tokens }: Plan, now: Date): void {
  if (tokens && 'before' in tokens && tokens.before > now)
    throw invalid(
      '/issued_before',
      'The time must not be in the future: tokens issued until then would be refused as soon as they are issued.',
    );
}

/** What a handle identifies: tokens, API keys, or both. */
type Plan = { tokens?: Scope; keys?: KeyScope };

async function countAll(db: Db, { tokens, keys }: Plan, now: Date): Promise<RevocationImpact> {
  const none = { sessions: 0, refresh_families: 0, access_tokens: 0 };
  const scope = tokens ?? (keys && { keys });
  const live = scope ? await countLive(db, scope, now) : none;
  return { ...live, api_keys: keys ? await countKeys(db, keys, now) : 0 };
}

/**
 * Revoking an API key also revokes the tokens exchanged for it. Revoking by user or client includes their API keys. Revoking by
 * time includes API keys only on request, because a service cannot obtain another one by itself.
 */
async function planOf(db: Db, handle: Handle): Promise<Plan> {
  if ('api_keys' in handle) return { keys: await keyScope(db, handle.api_keys) };
  const tokens = await scopeOf(db, handle);
  if ('issued_before' in handle && handle.include_api_keys)
    return { tokens, keys: { issued_before: handle.issued_before } };
  const isOwned = 'owner' in tokens && tokens.owner.kind !== 'resource_server';
  return isOwned ? { tokens, keys: { owner_id: tokens.owner.row } } : { tokens };
}

/**
 * Revokes what the handle identifies: one token (a refresh token with its family), a grant, a session, everything of a user,
 * client or API, API keys, or every token issued up to a time. Every node refuses it from the next request on; an API that
 * verifies JWT access tokens itself, from its next read of the status list. Owners stay enabled and keep their secrets and
 * passwords: tokens issued later are accepted.
 *
 * @throws Problem `not_found`; `invalid`; `forbidden`: the actor lacks a permission for a kind of credential that this revokes
 */
export async function revoke(
  deps: RevocationDeps,
  actor: Actor,
  handle: Handle,
): Promise<RevocationImpact & { revoked_at: Date }> {
  const { db, now } = deps;
  await mustBeAllowedToRevoke(db, actor, handle);
  return inTransaction(db, async (trx) => {
    const plan = await planOf(trx, handle);
    mustBePast(plan, await databaseTime(trx));
    const revoked_at = now();
    const impact = await countAll(trx, plan, revoked_at);
    if (plan.tokens)
      await revokeTokens({ ...deps, db: trx }, actor, { handle, scope: plan.tokens, impact, revoked_at });
    if (plan.keys) await revokeKeysIn(trx, actor, { scope: plan.keys, revoked_at });
    return { ...impact, revoked_at };
  });
}

type Planned = { handle: Handle; scope: Scope; impact: RevocationImpact; revoked_at: Date };

async function revokeTokens(
  deps: RevocationDeps & { db: Trx },
  actor: Actor,
  { handle, scope, impact, revoked_at }: Planned,
): Promise<void> {
  if ('token' in handle) {
    await revokeToken(deps, actor, handle.token);
    return;
  }
  if ('grant_id' in handle || 'session_id' in handle) {
    const { kind, id } = namedIn(handle);
    await kind.revoke.one(deps, actor, id);
    return;
  }
  const { db: trx } = deps;
  if ('owner' in scope) await markOwner(trx, scope.owner, revoked_at);
  if ('owner' in scope && scope.owner.kind === 'user') await deletePasswordLinks(trx, scope.owner.row);
  else if ('before' in scope) await markAllOwners(trx, scope.before);
  const target = 'owner' in scope ? { target: { kind: scope.owner.kind, id: scope.owner.id } } : {};
  const before = 'before' in scope ? { before: scope.before } : {};
  await appendEvent(trx, {
    actor,
    action: 'tokens.revoked',
    ...target,
    details: { ...before, ...impact },
    occurred_at: revoked_at,
  });
}

async function scopeOf(db: Db, handle: Exclude<Handle, { api_keys: unknown }>): Promise<Scope> {
  if ('token' in handle) return { reach: await reachOfToken(db, handle.token) };
  if ('grant_id' in handle || 'session_id' in handle) {
    const { kind, id } = namedIn(handle);
    return { reach: kind.reach(id) };
  }
  if ('issued_before' in handle) return { before: handle.issued_before };
  return { owner: await ownerIn(db, handle) };
}

/** The credential that a handle names by its id. */
function namedIn(handle: { grant_id: string } | { session_id: string }) {
  return 'grant_id' in handle ? { kind: grantKind, id: handle.grant_id } : { kind: sessionKind, id: handle.session_id };
}

type OwnerHandle = Extract<Handle, { user: string } | { client_id: string } | { resource_server: string }>;

/** @throws Problem `not_found` */
async function ownerIn(db: Db, handle: OwnerHandle): Promise<Owner> {
  if ('resource_server' in handle) {
    const id = handle.resource_server;
    if (!(await findResourceServer(db, id))) throw notFound('resource server', id);
    return { kind: 'resource_server', id, row: id };
  }
  const { kind, name } = subjectNameOf(handle);
  const row = await findOwner(db, handle);
  if (row === undefined) throw notFound(kind, name);
  return { kind, id: kind === 'user' ? row : name, row };
}
