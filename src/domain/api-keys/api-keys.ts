import { v7 as uuidv7 } from 'uuid';
import { digest } from '../../platform/crypto/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, checked, conflict, invalid, mergePatch, mustBeAt, notFound } from '../../platform/http/index.ts';
import { isOfTrust, type Owner, subjectOf } from '../access/index.ts';
import { type AuditAction, appendEvent } from '../audit/index.ts';
import { askedExpiry, expiryOf, never } from './expiry.ts';
import { generateKey, shownOf } from './format.ts';
import { mustHoldAll, rolesOf } from './rights.ts';
import { KeyChanges, type KeyInput } from './schemas.ts';
import {
  type ApiKey,
  findKey,
  insertKey,
  insertVersion,
  type KeyRef,
  lockKey,
  replaceRolesAndTags,
  updateKey,
} from './store.ts';

export type ApiKeyDeps = {
  db: Db;
  now: () => Date;
  /** The environments of this installation, as in the prefix of keys. */
  environments: readonly string[];
};

/** `key` is shown once; only a digest is stored. */
export type CreatedKey = ApiKey & { key: string };

/**
 * Creates an API key for a client or user; by default for the caller.
 *
 * @throws Problem `invalid`: unknown owner, role or environment, or an invalid expiry; `forbidden`: the actor does not hold a
 *   permission of the key
 */
export async function createApiKey(deps: ApiKeyDeps, actor: Actor, input: KeyInput): Promise<CreatedKey> {
  const { environment, roles, tags } = input;
  if (!deps.environments.includes(environment))
    throw invalid('/environment', `The environments are ${deps.environments.join(', ')}.`);
  const now = deps.now();
  const expires_at = expiryOf(actor, input, now);
  return inTransaction(deps.db, async (trx) => {
    const owner_id = await ownerOf(trx, actor, input.owner);
    // Tokens of a trust are revoked when the trust changes; a key of its workload would stay active.
    if (await isOfTrust(trx, owner_id))
      throw conflict('A trust registered this client: it gets tokens with assertions, and cannot own keys.');
    await mustHoldAll(trx, actor, { owner_id, powers: [input], expires_at, now });
    const id = uuidv7();
    const roleIds = (await rolesOf(trx, roles)).map((role) => role.id);
    const times = { created_at: now, updated_at: now };
    await insertKey(trx, { id, environment, owner_id, ...columnsOf(input), expires_at, ...times }, { roleIds, tags });
    const key = await addVersion(trx, { id, environment, number: 1, issued_at: now });
    const made = await getKey(trx, { id });
    await record(trx, actor, { action: 'api_key.created', key: made, occurred_at: now });
    return { ...made, key };
  });
}

/** Creates the value of the newest version. @returns the value */
export async function addVersion(
  trx: Trx,
  { id, environment, number, issued_at }: { id: string; environment: string; number: number; issued_at: Date },
): Promise<string> {
  const key = generateKey(environment);
  await insertVersion(trx, { digest: digest(key), key_id: id, number, ...shownOf(key), issued_at, ends_at: null });
  return key;
}

async function ownerOf(db: Db, actor: Actor, owner: Owner | undefined): Promise<string> {
  if (owner !== undefined) return subjectOf(db, owner);
  if (actor.subject_id !== undefined) return actor.subject_id;
  throw invalid('/owner', 'Name the client or user that owns the key.');
}

/**
 * Updates a key with a JSON Merge Patch; without an expiry it never expires. Its value, owner and environment do not change.
 *
 * @throws Problem `not_found`; `conflict`: it is revoked; `invalid`; `precondition_failed`; `forbidden`: it has, or would get, a
 *   permission that the actor does not hold
 */
export async function changeApiKey(
  deps: ApiKeyDeps,
  actor: Actor,
  { patch, ifVersion, ...ref }: KeyRef & { patch: Record<string, unknown>; ifVersion: number | undefined },
): Promise<ApiKey> {
  const now = deps.now();
  return inTransaction(deps.db, async (trx) => {
    const before = await lockUsable(trx, ref);
    const { id } = before;
    mustBeAt(before.version, ifVersion);
    const input = checked(KeyChanges, mergePatch(asChanges(before), patch));
    const expires_at = changedExpiry(actor, before, input.expires_at, now);
    await mustHoldAll(trx, actor, { owner_id: before.owner_id, powers: [before, input], expires_at, now });
    const roleIds = (await rolesOf(trx, input.roles)).map((role) => role.id);
    await updateKey(trx, id, { ...columnsOf(input), expires_at, updated_at: now });
    await replaceRolesAndTags(trx, id, { roleIds, tags: input.tags });
    const after = await getKey(trx, { id });
    const details = { changed: Object.keys(patch) };
    await record(trx, actor, { action: 'api_key.updated', key: after, occurred_at: now, details });
    return after;
  });
}

function changedExpiry(actor: Actor, before: ApiKey, asked: Date | undefined, now: Date): Date | null {
  if (asked?.getTime() === before.expires_at?.getTime()) return before.expires_at;
  return askedExpiry(actor, { expires_at: asked }, now) ?? never(actor);
}

/** A key as a merge patch sees it, as JSON. */
export function asChanges(key: ApiKey): Record<string, unknown> {
  const { name, description, risk, permissions, roles, restrictions, tags, metadata, expires_at } = key;
  const said = {
    ...(description !== null && { description }),
    ...(expires_at && { expires_at: expires_at.toISOString() }),
  };
  return { name, risk, permissions, roles, restrictions, tags, metadata, ...said };
}

function columnsOf({ name, description, risk, permissions, restrictions, metadata }: KeyChanges) {
  return {
    name,
    description: description ?? null,
    risk,
    permissions: JSON.stringify(permissions),
    restrictions: JSON.stringify(restrictions),
    metadata: JSON.stringify(metadata),
  };
}

/** @throws Problem `not_found` */
export async function getKey(db: Db, ref: KeyRef): Promise<ApiKey> {
  const key = await findKey(db, ref);
  if (!key) throw notFound('API key', ref.id);
  return key;
}

/** @throws Problem `not_found`; `conflict`: it is revoked, which cannot be undone */
export async function lockUsable(trx: Trx, ref: KeyRef): Promise<ApiKey> {
  const key = await lockKey(trx, ref);
  if (!key) throw notFound('API key', ref.id);
  if (key.revoked_at) throw conflict('This key is revoked and cannot be enabled again: create another one.');
  return key;
}

export type KeyEvent = {
  action: Extract<AuditAction, `api_key.${string}`>;
  key: ApiKey;
  occurred_at: Date;
  details?: Record<string, unknown>;
};

/** Records an action. */
export async function record(trx: Trx, actor: Actor, { action, key, occurred_at, details }: KeyEvent): Promise<void> {
  const { id, name, environment, owner, permissions, roles, restrictions, expires_at } = key;
  const target = { kind: 'api_key', id };
  const said = { name, environment, owner, permissions, roles, restrictions, expires_at, ...details };
  await appendEvent(trx, { actor, action, target, details: said, occurred_at });
}
