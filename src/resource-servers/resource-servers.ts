import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { appendEvent } from '../audit/index.ts';
import { announceChange, type Db, type Trx } from '../platform/database/index.ts';
import { type Actor, checked, conflict, invalid, mergePatch, mustBeAt, notFound } from '../platform/http/index.ts';
import { comparableIdentifier } from './identifiers.ts';
import { ResourceServerInput } from './schemas.ts';
import {
  findComparable,
  findResourceServer,
  insertResourceServer,
  lockResourceServer,
  lockSpelling,
  type Permission,
  type ResourceServer,
  replacePermissions,
  updateResourceServer,
} from './store.ts';

export type ResourceServerDeps = { db: Db; now: () => Date };
export type PutResourceServerResult = { identifier: string; change: 'created' | 'updated' | 'unchanged' };

/**
 * Creates a resource server, or makes an existing one equal to the input, in the transaction of the verb that decides it. What
 * is built in is registered by Latchkey itself: of one that is there only the scopes are renewed.
 */
export async function putResourceServer(
  trx: Trx,
  { now }: Pick<ResourceServerDeps, 'now'>,
  actor: Actor,
  input: ResourceServerInput,
  { builtIn = false }: { builtIn?: boolean } = {},
): Promise<PutResourceServerResult> {
  const { identifier } = input;
  const existing = await lockResourceServer(trx, identifier);
  if (!existing) await refuseOtherSpelling(trx, identifier);
  const renewed = builtIn && existing ? { ...asInput(existing), scopes: input.scopes } : input;
  const { columns, permissions } = desiredState(renewed);
  if (existing && isAsDesired(existing, columns, permissions)) return { identifier, change: 'unchanged' };
  const occurred_at = now();
  const { id } = existing
    ? await updateResourceServer(trx, existing.id, {
        ...columns,
        ...ended(existing, columns, occurred_at),
        updated_at: occurred_at,
      })
    : await insertResourceServer(trx, {
        id: uuidv7(),
        identifier,
        ...columns,
        built_in: builtIn,
        created_at: occurred_at,
        updated_at: occurred_at,
      });
  await replacePermissions(trx, id, permissions);
  const change = existing ? 'updated' : 'created';
  await record(trx, actor, change, { identifier, scopes: permissions.length, occurred_at });
  return { identifier, change };
}

/** @throws Problem `conflict`: requests could not tell the two apart */
async function refuseOtherSpelling(trx: Trx, identifier: string): Promise<void> {
  const comparable = comparableIdentifier(identifier);
  await lockSpelling(trx, comparable);
  const [other] = await findComparable(trx, comparable);
  if (other)
    throw conflict(`The resource server "${other.identifier}" is this one in another spelling: use that identifier.`);
}

/** Disabled now: tokens from before stay dead when it is enabled again. */
function ended(existing: ResourceServer, { enabled }: { enabled: boolean }, at: Date): { tokens_valid_after?: Date } {
  return existing.enabled && !enabled ? { tokens_valid_after: at } : {};
}

/**
 * Registers a resource server that must be new.
 *
 * @throws Problem `conflict`: there is one with this identifier
 */
export async function createResourceServer(
  deps: ResourceServerDeps,
  actor: Actor,
  input: ResourceServerInput,
): Promise<ResourceServer> {
  return deps.db.transaction().execute(async (trx) => {
    if (await findResourceServer(trx, input.identifier))
      throw conflict(`There is a resource server "${input.identifier}" already.`);
    await putResourceServer(trx, deps, actor, input);
    return getResourceServer(trx, input.identifier);
  });
}

/**
 * Changes a resource server by a JSON Merge Patch of how configuration names it.
 *
 * @throws Problem `not_found`; `invalid`; `precondition_failed`
 */
export async function changeResourceServer(
  deps: ResourceServerDeps,
  actor: Actor,
  {
    identifier,
    patch,
    ifVersion,
  }: { identifier: string; patch: Record<string, unknown>; ifVersion: number | undefined },
): Promise<ResourceServer> {
  return deps.db.transaction().execute(async (trx) => {
    const existing = await lockResourceServer(trx, identifier);
    if (!existing) throw notFound('resource server', identifier);
    mustBeAt(existing.version, ifVersion);
    const input = checked(ResourceServerInput, mergePatch(asInput(existing), patch));
    if (input.identifier !== identifier) throw invalid('/identifier', 'A resource server keeps its identifier.');
    await putResourceServer(trx, deps, actor, input);
    return getResourceServer(trx, identifier);
  });
}

/** @throws Problem `not_found` */
export async function getResourceServer(db: Db, identifier: string): Promise<ResourceServer> {
  const server = await findResourceServer(db, identifier);
  if (!server) throw notFound('resource server', identifier);
  return server;
}

/** A resource server as configuration names it. */
export function asInput(server: ResourceServer): ResourceServerInput {
  const { identifier, name, access_token_format, access_token_signing_alg, access_token_ttl_seconds } = server;
  const { assignment_required, dpop_required, enabled, permissions } = server;
  return {
    identifier,
    name,
    access_token_format,
    ...(access_token_signing_alg && { access_token_signing_alg: access_token_signing_alg as 'ES256' }),
    ...(access_token_ttl_seconds && { access_token_ttl_seconds }),
    assignment_required,
    dpop_required,
    enabled,
    scopes: permissions.map(scopeOf),
  };
}

function scopeOf({ name, description, is_default, is_optional, is_sensitive }: Permission) {
  return {
    name,
    ...(description && { description }),
    default: is_default,
    optional: is_optional,
    sensitive: is_sensitive,
  };
}

/**
 * Stops a resource server: no token for it is issued any more, and none works from the next request on.
 *
 * @throws Problem `not_found`
 */
export async function disableResourceServer(
  { db, now }: ResourceServerDeps,
  actor: Actor,
  identifier: string,
): Promise<ResourceServer> {
  return db.transaction().execute(async (trx) => {
    const existing = await lockResourceServer(trx, identifier);
    if (!existing) throw notFound('resource server', identifier);
    if (!existing.enabled) return existing;
    const occurred_at = now();
    await updateResourceServer(trx, existing.id, {
      enabled: false,
      tokens_valid_after: occurred_at,
      updated_at: occurred_at,
    });
    await record(trx, actor, 'disabled', { identifier, scopes: existing.permissions.length, occurred_at });
    return getResourceServer(trx, identifier);
  });
}

type Recorded = { identifier: string; scopes: number; occurred_at: Date };

async function record(
  trx: Trx,
  actor: Actor,
  what: 'created' | 'updated' | 'disabled',
  { identifier, scopes, occurred_at }: Recorded,
): Promise<void> {
  const target = { kind: 'resource_server', id: identifier };
  await appendEvent(trx, { actor, action: `resource_server.${what}`, target, details: { scopes }, occurred_at });
  await announceChange(trx, { kind: 'resource_server', key: identifier, occurred_at });
}

function desiredState({
  identifier: _,
  scopes,
  access_token_signing_alg,
  access_token_ttl_seconds,
  ...rest
}: ResourceServerInput) {
  const columns = {
    ...rest,
    access_token_signing_alg: access_token_signing_alg ?? null,
    access_token_ttl_seconds: access_token_ttl_seconds ?? null,
  };
  const permissions = scopes
    .map(
      (scope): Permission => ({
        name: scope.name,
        description: scope.description ?? null,
        is_default: scope.default,
        is_optional: scope.optional,
        is_sensitive: scope.sensitive,
      }),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { columns, permissions };
}

function isAsDesired(existing: ResourceServer, columns: Record<string, unknown>, permissions: Permission[]): boolean {
  const present = [...existing.permissions].sort((a, b) => (a.name < b.name ? -1 : 1));
  const hasColumns = Object.entries(columns).every(([name, value]) =>
    isDeepStrictEqual(existing[name as keyof ResourceServer], value),
  );
  return hasColumns && isDeepStrictEqual(present, permissions);
}
