import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, checked, conflict, invalid, mergePatch, mustBeAt, notFound } from '../../platform/http/index.ts';
import { appendEvent, changesBetween } from '../audit/index.ts';
import { comparableIdentifier } from './identifiers.ts';
import { type DesiredState, mustBeAllowedToChange } from './rights.ts';
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
 * is built in is registered by Latchkey itself, whatever was made of it meanwhile; only how its tokens are is the operator's choice.
 *
 * @throws Problem `conflict`: it is built in; `forbidden`: it would be loosened by who does not hold what it protects
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
  const wanted = builtIn && existing ? { ...input, ...tokenSettings(asInput(existing)) } : input;
  const desired = desiredState(wanted);
  const { columns, permissions } = desired;
  const isBuiltIn = builtIn || existing?.built_in === true;
  if (existing && existing.built_in === isBuiltIn && isAsDesired(existing, columns, permissions))
    return { identifier, change: 'unchanged' };
  if (existing && !builtIn) await mustBeAllowedToChange(trx, { now, actor, existing, desired });
  const occurred_at = now();
  const row = { ...columns, built_in: isBuiltIn, updated_at: occurred_at };
  const { id } = existing
    ? await updateResourceServer(trx, existing.id, { ...row, ...ended(existing, columns, occurred_at) })
    : await insertResourceServer(trx, { id: uuidv7(), identifier, ...row, created_at: occurred_at });
  await replacePermissions(trx, id, permissions);
  const change = existing ? 'updated' : 'created';
  const changed = existing && { changed: changesOf(asInput(existing), wanted) };
  await record(trx, actor, change, { identifier, scopes: permissions.length, occurred_at, ...changed });
  return { identifier, change };
}

/** @throws Problem `conflict`: requests could not tell the two apart */
async function refuseOtherSpelling(trx: Trx, identifier: string): Promise<void> {
  const comparable = comparableIdentifier(identifier);
  await lockSpelling(trx, comparable);
  const [other] = await findComparable(trx, comparable);
  if (other)
    throw conflict(
      `The resource server "${other.identifier}" has the same identifier in another spelling: use that one.`,
    );
}

/** What of a resource server says how its access tokens are. */
function tokenSettings({ access_token_format, dpop_required, ...input }: ResourceServerInput) {
  const { access_token_signing_alg, access_token_ttl_seconds } = input;
  return {
    access_token_format,
    dpop_required,
    ...(access_token_signing_alg && { access_token_signing_alg }),
    ...(access_token_ttl_seconds && { access_token_ttl_seconds }),
  };
}

/** Of the scopes, which can be many, those that differ. */
function changesOf(before: ResourceServerInput, after: ResourceServerInput) {
  const without = (those: ResourceServerInput) => (scope: ResourceServerInput['scopes'][number]) =>
    !those.scopes.some((other) => isDeepStrictEqual(other, scope));
  const scopes = { old: before.scopes.filter(without(after)), new: after.scopes.filter(without(before)) };
  const { scopes: _, ...changed } = changesBetween(before, after);
  return scopes.old.length + scopes.new.length > 0 ? { ...changed, scopes } : changed;
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
  return inTransaction(deps.db, async (trx) => {
    if (await findResourceServer(trx, input.identifier))
      throw conflict(`A resource server with the identifier "${input.identifier}" already exists.`);
    await putResourceServer(trx, deps, actor, input);
    return getResourceServer(trx, input.identifier);
  });
}

/**
 * Changes a resource server by a JSON Merge Patch of how configuration names it.
 *
 * @throws Problem `not_found`; `invalid`; `precondition_failed`; `conflict`: it is built in; `forbidden`: it would be loosened by who
 *   does not hold what it protects, or disabled by who may not
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
  return inTransaction(deps.db, async (trx) => {
    const existing = await lockResourceServer(trx, identifier);
    if (!existing) throw notFound('resource server', identifier);
    mustBeAt(existing.version, ifVersion);
    const input = checked(ResourceServerInput, mergePatch(asInput(existing), patch));
    if (input.identifier !== identifier)
      throw invalid('/identifier', 'The identifier of a resource server cannot be changed.');
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
  const { assignment_required, dpop_required, open_to, enabled, permissions } = server;
  return {
    identifier,
    name,
    access_token_format,
    ...(access_token_signing_alg && { access_token_signing_alg: access_token_signing_alg as 'ES256' }),
    ...(access_token_ttl_seconds && { access_token_ttl_seconds }),
    assignment_required,
    dpop_required,
    open_to,
    enabled,
    scopes: permissions.map(scopeOf),
  };
}

function scopeOf({ name, description, is_default, is_optional, is_sensitive, is_open }: Permission) {
  return {
    name,
    ...(description && { description }),
    default: is_default,
    optional: is_optional,
    sensitive: is_sensitive,
    open: is_open,
  };
}

/**
 * Stops a resource server: no token for it is issued any more, and none works from the next request on.
 *
 * @throws Problem `not_found`; `conflict`: it is built in
 */
export async function disableResourceServer(
  { db, now }: ResourceServerDeps,
  actor: Actor,
  identifier: string,
): Promise<ResourceServer> {
  return inTransaction(db, async (trx) => {
    const existing = await lockResourceServer(trx, identifier);
    if (!existing) throw notFound('resource server', identifier);
    // Without the admin API nobody could enable it again.
    if (existing.built_in) throw conflict(`The resource server "${identifier}" is built in: it cannot be disabled.`);
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

type Recorded = { identifier: string; scopes: number; occurred_at: Date; changed?: ReturnType<typeof changesOf> };

async function record(
  trx: Trx,
  actor: Actor,
  what: 'created' | 'updated' | 'disabled',
  { identifier, scopes, occurred_at, changed }: Recorded,
): Promise<void> {
  const target = { kind: 'resource_server', id: identifier };
  await appendEvent(trx, {
    actor,
    action: `resource_server.${what}`,
    target,
    details: { scopes, changed },
    occurred_at,
  });
}

function desiredState({
  identifier: _,
  scopes,
  access_token_signing_alg,
  access_token_ttl_seconds,
  ...rest
}: ResourceServerInput): DesiredState {
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
        is_open: scope.open,
      }),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { columns, permissions };
}

function isAsDesired(existing: ResourceServer, columns: DesiredState['columns'], permissions: Permission[]): boolean {
  const present = [...existing.permissions].sort((a, b) => (a.name < b.name ? -1 : 1));
  const hasColumns = Object.entries(columns).every(([name, value]) =>
    isDeepStrictEqual(existing[name as keyof ResourceServer], value),
  );
  return hasColumns && isDeepStrictEqual(present, permissions);
}
