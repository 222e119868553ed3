import { sql } from 'kysely';
import type { Trx } from '../../platform/database/index.ts';

type Lists = Record<string, string[]>;

/** Replaces the identifier of a resource server in all clients; the lists of both are merged. */
export async function renameInClients(trx: Trx, from: string, to: string): Promise<void> {
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

/** The same in roles and API keys. */
export async function renameInPermissions(trx: Trx, from: string, to: string): Promise<void> {
  await sql`
    with moved as (delete from role_permissions where resource = ${from} returning role_id, pattern)
    insert into role_permissions (role_id, resource, pattern) select role_id, ${to}, pattern from moved
    on conflict do nothing`.execute(trx);
  const [before, after] = [from, to].map((identifier) => JSON.stringify(identifier));
  await sql`
    update api_keys set version = version + 1,
      permissions = replace(permissions::text, ${before}, ${after})::json,
      restrictions = replace(restrictions::text, ${before}, ${after})::json
    where position(${before} in concat(permissions, restrictions)) > 0`.execute(trx);
}
