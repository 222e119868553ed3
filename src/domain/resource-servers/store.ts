import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Page } from '../../platform/http/index.ts';
import {
  type ListOrders,
  type ListRequest,
  pageOfQuery,
  rowsWithWords,
  type Searched,
} from '../../platform/lists/index.ts';

export type Permission = Omit<Selectable<Database['permissions']>, 'resource_server_id'>;
export type ResourceServer = Selectable<Database['resource_servers']> & { permissions: Permission[] };

type Row = Selectable<Database['resource_servers']>;

// Only identifiers from before spellings were compared can have several.
const mostSpellings = 8;

export async function findResourceServer(db: Db, identifier: string): Promise<ResourceServer | undefined> {
  const row = await db
    .selectFrom('resource_servers')
    .selectAll()
    .where('identifier', '=', identifier)
    .executeTakeFirst();
  return row && withPermissions(db, row);
}

/** The resource servers with this identifier, or another spelling of it (`comparableIdentifier`). */
export async function findComparable(db: Db, comparable_identifier: string): Promise<ResourceServer[]> {
  const query = db.selectFrom('resource_servers').selectAll();
  const rows = await query.where('comparable_identifier', '=', comparable_identifier).limit(mostSpellings).execute();
  return eachWithPermissions(db, rows);
}

/** Every resource server that is not built in, with its scopes, by identifier. */
export async function listResourceServers(db: Db): Promise<ResourceServer[]> {
  const query = db.selectFrom('resource_servers').selectAll().where('built_in', '=', false);
  return eachWithPermissions(db, await query.orderBy('identifier').execute());
}

const searched: Searched = { table: 'resource_servers', text: sql`identifier || ' ' || name` };

const orders: ListOrders = {
  key: { by: sql`resource_servers.id`, type: 'uuid' },
  orders: {
    identifier: { by: sql`identifier collate "C"`, type: 'text' },
    name: { by: sql`lower(name) collate "C"`, type: 'text' },
    // UUIDv7 ids grow with time.
    created_at: 'key',
  },
};

/** A page of resource servers, searched by the words of their identifier and name. */
export async function listResourceServersFrom(
  db: Db,
  { q, ...request }: ListRequest & { q?: string | undefined },
): Promise<Page<ResourceServer>> {
  const found = db.selectFrom(rowsWithWords<Row>(searched, q).as('resource_servers')).selectAll();
  const page = await pageOfQuery(db, found, orders, request);
  return { ...page, items: await eachWithPermissions(db, page.items) };
}

export async function lockResourceServer(trx: Trx, identifier: string): Promise<ResourceServer | undefined> {
  const row = await trx
    .selectFrom('resource_servers')
    .selectAll()
    .where('identifier', '=', identifier)
    .forUpdate()
    .executeTakeFirst();
  return row && withPermissions(trx, row);
}

/** If two transactions register one identifier in two spellings, the second waits for the first. */
export async function lockSpelling(trx: Trx, comparable_identifier: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${`resource server ${comparable_identifier}`}))`.execute(trx);
}

async function withPermissions(db: Db, row: Row): Promise<ResourceServer> {
  const [found] = await eachWithPermissions(db, [row]);
  return found ?? { ...row, permissions: [] };
}

async function eachWithPermissions(db: Db, rows: readonly Row[]): Promise<ResourceServer[]> {
  if (rows.length === 0) return [];
  const permissions = await db
    .selectFrom('permissions')
    .select(['resource_server_id', 'name', 'description', 'is_default', 'is_optional', 'is_sensitive', 'is_open'])
    .where(
      'resource_server_id',
      'in',
      rows.map(({ id }) => id),
    )
    .orderBy('name')
    .execute();
  const of = Map.groupBy(permissions, ({ resource_server_id }) => resource_server_id);
  return rows.map((row) => ({
    ...row,
    permissions: (of.get(row.id) ?? []).map(({ resource_server_id: _, ...permission }) => permission),
  }));
}

export async function insertResourceServer(trx: Trx, row: Insertable<Database['resource_servers']>): Promise<Row> {
  return trx.insertInto('resource_servers').values(row).returningAll().executeTakeFirstOrThrow();
}

export async function updateResourceServer(
  trx: Trx,
  id: string,
  changes: Updateable<Database['resource_servers']>,
): Promise<Row> {
  return trx
    .updateTable('resource_servers')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Deletes a resource server and its scopes. */
export async function deleteResourceServer(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('resource_servers').where('id', '=', id).execute();
}

/** Identifiers of the built-in resource servers. */
export async function listBuiltInIdentifiers(db: Db): Promise<string[]> {
  const query = db.selectFrom('resource_servers').select('identifier').where('built_in', '=', true);
  return (await query.orderBy('updated_at', 'desc').execute()).map(({ identifier }) => identifier);
}

/** The scopes of the resource servers that are open to anyone, and whether clients that registered themselves may ask users for them. */
export async function listScopesOfOpenApis(db: Db): Promise<Pick<Permission, 'name' | 'is_open'>[]> {
  const scopes = db
    .selectFrom('resource_servers as r')
    .innerJoin('permissions as p', 'p.resource_server_id', 'r.id')
    .select(['p.name', 'p.is_open'])
    .distinct();
  // The same condition as in the index on open resource servers.
  const ofOpen = scopes.where('r.open_to', '<>', 'registered').where('r.open_to', '=', 'anyone');
  return ofOpen.where('r.enabled', '=', true).execute();
}

export async function replacePermissions(
  trx: Trx,
  resource_server_id: string,
  permissions: Permission[],
): Promise<void> {
  await trx.deleteFrom('permissions').where('resource_server_id', '=', resource_server_id).execute();
  if (permissions.length === 0) return;
  await trx
    .insertInto('permissions')
    .values(permissions.map((permission) => ({ ...permission, resource_server_id })))
    .execute();
}
