import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { appendEvent } from '../audit/index.ts';
import { announceChange, type Db, type Trx } from '../platform/database/index.ts';
import { type Actor, conflict, notFound } from '../platform/http/index.ts';
import type { ResourceServerInput } from './schemas.ts';
import {
  findResourceServer,
  insertResourceServer,
  lockResourceServer,
  type Permission,
  type ResourceServer,
  replacePermissions,
  updateResourceServer,
} from './store.ts';

export type ResourceServerDeps = { db: Db; now: () => Date };
export type PutResourceServerResult = { identifier: string; change: 'created' | 'updated' | 'unchanged' };

/** Creates a resource server, or makes an existing one equal to the input, in the transaction of the verb that decides it. */
export async function putResourceServer(
  trx: Trx,
  { now }: Pick<ResourceServerDeps, 'now'>,
  actor: Actor,
  input: ResourceServerInput,
): Promise<PutResourceServerResult> {
  const { identifier } = input;
  const { columns, permissions } = desiredState(input);
  const existing = await lockResourceServer(trx, identifier);
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
        created_at: occurred_at,
        updated_at: occurred_at,
      });
  await replacePermissions(trx, id, permissions);
  const change = existing ? 'updated' : 'created';
  await record(trx, actor, change, { identifier, scopes: permissions.length, occurred_at });
  return { identifier, change };
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
): Promise<void> {
  await deps.db.transaction().execute(async (trx) => {
    if (await findResourceServer(trx, input.identifier))
      throw conflict(`There is a resource server "${input.identifier}" already.`);
    await putResourceServer(trx, deps, actor, input);
  });
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
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const existing = await lockResourceServer(trx, identifier);
    if (!existing) throw notFound('resource server', identifier);
    if (!existing.enabled) return;
    const occurred_at = now();
    await updateResourceServer(trx, existing.id, {
      enabled: false,
      tokens_valid_after: occurred_at,
      updated_at: occurred_at,
    });
    await record(trx, actor, 'disabled', { identifier, scopes: existing.permissions.length, occurred_at });
  });
}

type Recorded = { identifier: string; scopes: number; occurred_at: Date };

async function record(
  trx: Trx,
  actor: Actor,
  what: string,
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
