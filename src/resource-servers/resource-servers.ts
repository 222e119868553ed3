import { isDeepStrictEqual } from 'node:util';
import { v7 as uuidv7 } from 'uuid';
import { appendEvent } from '../audit/index.ts';
import type { Db } from '../platform/database/index.ts';
import type { Actor } from '../platform/http/index.ts';
import type { ResourceServerInput } from './schemas.ts';
import {
  insertResourceServer,
  lockResourceServer,
  type Permission,
  type ResourceServer,
  replacePermissions,
  updateResourceServer,
} from './store.ts';

export type ResourceServerDeps = { db: Db; now: () => Date };
export type PutResourceServerResult = { identifier: string; change: 'created' | 'updated' | 'unchanged' };

/** Creates a resource server, or makes an existing one equal to the input. */
export async function putResourceServer(
  { db, now }: ResourceServerDeps,
  actor: Actor,
  input: ResourceServerInput,
): Promise<PutResourceServerResult> {
  const { identifier } = input;
  const { columns, permissions } = desiredState(input);
  return db.transaction().execute(async (trx) => {
    const existing = await lockResourceServer(trx, identifier);
    if (existing && isAsDesired(existing, columns, permissions)) return { identifier, change: 'unchanged' };
    const occurred_at = now();
    const { id } = existing
      ? await updateResourceServer(trx, existing.id, { ...columns, updated_at: occurred_at })
      : await insertResourceServer(trx, {
          id: uuidv7(),
          identifier,
          ...columns,
          created_at: occurred_at,
          updated_at: occurred_at,
        });
    await replacePermissions(trx, id, permissions);
    const change = existing ? 'updated' : 'created';
    const target = { kind: 'resource_server', id: identifier };
    await appendEvent(trx, {
      actor,
      action: `resource_server.${change}`,
      target,
      details: { scopes: permissions.length },
      occurred_at,
    });
    return { identifier, change };
  });
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
