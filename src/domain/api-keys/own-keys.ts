import { type Actor, conflict, invalid, notFound } from '../../platform/http/index.ts';
import { type ApiKeyDeps, type CreatedKey, changeApiKey, createApiKey, getKey } from './api-keys.ts';
import { disableApiKey, enableApiKey, revokeApiKey } from './ending.ts';
import { type KeysOfFilter, listKeyNamesOf, listKeysOf } from './list-store.ts';
import { type RotatedKey, rotateApiKey } from './rotation.ts';
import type { KeyInput, RotationInput } from './schemas.ts';
import { countLiveKeys } from './scope-store.ts';
import type { ApiKey, KeyRef } from './store.ts';
import { usageOf } from './usage.ts';

// Users need no permission for their own keys. Another user's key is unknown (404), whatever permissions the caller holds.

// Bounds programs that create keys and never revoke them. Two concurrent requests may exceed it by one, which is harmless.
const mostOwnKeys = 1000;

/** @throws Problem `not_found`: the actor is neither a user nor a client, and so cannot own keys */
function ownerIn(actor: Actor): string {
  if (actor.subject_id === undefined) throw notFound('owner', actor.kind);
  return actor.subject_id;
}

const own = (actor: Actor, id: string): KeyRef => ({ id, owner_id: ownerIn(actor) });

/** A page of the actor's own keys. */
export async function listOwnKeys(
  { db, now }: ApiKeyDeps,
  actor: Actor,
  filter: Omit<KeysOfFilter, 'owner_id'>,
): Promise<ApiKey[]> {
  return listKeysOf(db, { ...filter, owner_id: ownerIn(actor) }, now());
}

/** The names of all keys of the actor by id, revoked ones included. */
export async function listOwnKeyNames(
  { db }: Pick<ApiKeyDeps, 'db'>,
  actor: Actor,
): Promise<ReadonlyMap<string, string>> {
  return listKeyNamesOf(db, ownerIn(actor));
}

/** @throws Problem `not_found`: it does not exist, or belongs to another owner */
export async function getOwnKey({ db }: ApiKeyDeps, actor: Actor, id: string): Promise<ApiKey> {
  return getKey(db, own(actor, id));
}

/** @throws Problem `not_found` */
export async function usageOfOwnKey(deps: ApiKeyDeps, actor: Actor, { id, days }: { id: string; days: number }) {
  return usageOf(deps, { ...own(actor, id), days });
}

/**
 * Creates a key that the actor owns.
 *
 * @throws Problem as `createApiKey` does, and `invalid`: it names another owner, or has no permission; `conflict`: the actor has
 *   too many keys
 */
export async function createOwnKey(deps: ApiKeyDeps, actor: Actor, input: KeyInput): Promise<CreatedKey> {
  if (input.owner !== undefined) throw invalid('/owner', 'You own a personal key: leave "owner" out.');
  if (input.permissions.length + input.roles.length === 0)
    throw invalid('/permissions', 'Give the key at least one permission or role.');
  if ((await countLiveKeys(deps.db, { owner_id: ownerIn(actor) }, deps.now())) >= mostOwnKeys)
    throw conflict(`You have ${mostOwnKeys} active keys: revoke one that you no longer need first.`);
  return createApiKey(deps, actor, input);
}

/** @throws Problem `not_found`, and as `changeApiKey` does */
export async function changeOwnKey(
  deps: ApiKeyDeps,
  actor: Actor,
  { id, ...change }: { id: string; patch: Record<string, unknown>; ifVersion: number | undefined },
): Promise<ApiKey> {
  return changeApiKey(deps, actor, { ...own(actor, id), ...change });
}

/** @throws Problem `not_found`, and as `rotateApiKey` does */
export async function rotateOwnKey(
  deps: ApiKeyDeps,
  actor: Actor,
  { id, ...input }: RotationInput & { id: string },
): Promise<RotatedKey> {
  return rotateApiKey(deps, actor, { ...input, ...own(actor, id) });
}

/** @throws Problem `not_found`; `conflict`: it is revoked */
export async function disableOwnKey(deps: ApiKeyDeps, actor: Actor, id: string): Promise<ApiKey> {
  return disableApiKey(deps, actor, own(actor, id));
}

/** @throws Problem `not_found`; `conflict`: it is revoked, or another user disabled it */
export async function enableOwnKey(deps: ApiKeyDeps, actor: Actor, id: string): Promise<ApiKey> {
  return enableApiKey(deps, actor, own(actor, id));
}

/** @throws Problem `not_found` */
export async function revokeOwnKey(deps: ApiKeyDeps, actor: Actor, id: string): Promise<ApiKey> {
  return revokeApiKey(deps, actor, own(actor, id));
}
