import { sql } from 'kysely';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import type { ResourceServerDeps } from './resource-servers.ts';
import {
  deleteResourceServer,
  findResourceServer,
  listBuiltInIdentifiers,
  lockResourceServer,
  updateResourceServer,
} from './store.ts';

type Lists = Record<string, string[]>;

/**
 * Gives a resource server another identifier, and changes it wherever clients, roles and keys name it. Only for what follows the
 * issuer: others keep their identifier for ever. Where the new identifier is registered already, the two become one. Tokens and
 * consents for the old identifier are not changed: nobody accepts them any more.
 */
export async function moveResourceServer(
  trx: Trx,
  { now }: Pick<ResourceServerDeps, 'now'>,
  actor: Actor,
  { from, to }: { from: string; to: string },
): Promise<void> {
  const server = await lockResourceServer(trx, from);
  if (!server || from === to) return;
  const occurred_at = now();
  await renameInClients(trx, from, to);
  await renameInPermissions(trx, from, to);
  if (await findResourceServer(trx, to)) await deleteResourceServer(trx, server.id);
  else await updateResourceServer(trx, server.id, { identifier: to, updated_at: occurred_at });
  const target = { kind: 'resource_server', id: to };
  await appendEvent(trx, {
    actor,
    action: 'resource_server.updated',
    target,
    details: { moved_from: from },
    occurred_at,
  });
}

/** The issuer as which a server last served this installation: the admin API is named after it. Undefined before the first. */
export async function findIssuer(db: Db): Promise<string | undefined> {
  const [identifier] = await listBuiltInIdentifiers(db);
  return identifier && new URL(identifier).origin;
}

async function renameInClients(trx: Trx, from: string, to: string): Promise<void> {
  const named = sql<boolean>`position(${JSON.stringify(from)} in concat(resources, service_permissions, introspects)) > 0`;
  const columns = ['id', 'resources', 'service_permissions', 'introspects'] as const;
  const clients = await trx.selectFrom('clients').select(columns).where(named).orderBy('id').forUpdate().execute();
  for (const { id, resources, service_permissions, introspects } of clients) {
    const renamed = {
      resources: JSON.stringify(renamedKey(resources, from, to)),
      service_permissions: JSON.stringify(renamedKey(service_permissions, from, to)),
      introspects: JSON.stringify([...new Set(introspects.map((each) => (each === from ? to : each)))]),
    };
    await trx.updateTable('clients').set(renamed).where('id', '=', id).execute();
  }
}

function renamedKey(lists: Lists, from: string, to: string): Lists {
  const { [from]: moved, ...rest } = lists;
  return moved ? { ...rest, [to]: [...new Set([...(rest[to] ?? []), ...moved])] } : rest;
}

async function renameInPermissions(trx: Trx, from: string, to: string): Promise<void> {
  await sql`
    with moved as (delete from role_permissions where resource = ${from} returning role_id, pattern)
    insert into role_permissions (role_id, resource, pattern) select role_id, ${to}, pattern from moved
    on conflict do nothing`.execute(trx);
  const [before, after] = [from, to].map((identifier) => JSON.stringify(identifier));
  await sql`
    update api_keys set permissions = replace(permissions::text, ${before}, ${after})::json
    where position(${before} in permissions::text) > 0`.execute(trx);
}
