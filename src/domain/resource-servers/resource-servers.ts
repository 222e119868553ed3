import { v7 as uuidv7 } from 'uuid';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, checked, conflict, invalid, mergePatch, mustBeAt, notFound } from '../../platform/http/index.ts';
import { demandOf, mustBeReachable } from '../assurance/index.ts';
import { appendEvent } from '../audit/index.ts';
import { asInput, changesOf, desiredState, isAsDesired, tokenSettings } from './desired-state.ts';
import { comparableIdentifier } from './identifiers.ts';
import { mustBeAllowedToChange } from './rights.ts';
import { ResourceServerInput } from './schemas.ts';
import {
  findComparable,
  findResourceServer,
  insertResourceServer,
  lockResourceServer,
  lockSpelling,
  type ResourceServer,
  replacePermissions,
  updateResourceServer,
} from './store.ts';

export type ResourceServerDeps = { db: Db; now: () => Date };
export type PutResourceServerResult = { identifier: string; change: 'created' | 'updated' | 'unchanged' };

/**
 * Creates a resource server, or updates an existing one to equal the input, in the transaction of the verb that decides it. Latchkey
 * itself registers built-in ones and resets their changes; the operator chooses only the settings of their tokens.
 *
 * @throws Problem `conflict`: it is built in; `forbidden`: the change loosens it, and the actor does not hold what it protects;
 *   `invalid`: no one can reach the required class with the methods that it allows
 */
export async function putResourceServer(
  trx: Trx,
  { now }: Pick<ResourceServerDeps, 'now'>,
  actor: Actor,
  input: ResourceServerInput,
  { builtIn = false }: { builtIn?: boolean } = {},
): Promise<PutResourceServerResult> {
  const { identifier } = input;
  mustBeReachable(demandOf([input]));
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
  const allowed_factors = columns.allowed_factors && JSON.stringify(columns.allowed_factors);
  const row = { ...columns, allowed_factors, built_in: isBuiltIn, updated_at: occurred_at };
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

/** Disabling revokes the tokens issued until now; enabling it again does not restore them. */
function ended(existing: ResourceServer, { enabled }: { enabled: boolean }, at: Date): { tokens_valid_after?: Date } {
  return existing.enabled && !enabled ? { tokens_valid_after: at } : {};
}

/**
 * Registers a new resource server.
 *
 * @throws Problem `conflict`: the identifier is taken
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
 * Updates a resource server with a JSON Merge Patch of its configuration.
 *
 * @throws Problem `not_found`; `invalid`; `precondition_failed`; `conflict`: it is built in; `forbidden`: the change loosens it, and
 *   the actor does not hold what it protects, or may not disable it
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

/**
 * Disables a resource server: no more tokens are issued for it, and existing ones are refused from the next request on.
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
    // Without the admin API no one could enable it again.
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
