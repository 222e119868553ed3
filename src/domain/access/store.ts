import { sql } from 'kysely';
import type { Db, Trx } from '../../platform/database/index.ts';
import type { Page, Place } from '../../platform/http/index.ts';
import { countRows, hasWords, type ListOrders, type ListRequest, readPage } from '../../platform/lists/index.ts';
import { isInArea, type ReservedArea } from './permissions.ts';
import { isUser } from './user-reference.ts';

/** Whether assignment `a` is in effect at `now`. */
export const notOver = (now: Date) => sql<boolean>`(a.until is null or a.until > ${now})`;

export async function lockOwners(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey owners'))`.execute(trx);
}

/** Whether an enabled user is assigned the built-in role `owner` without an expiry: until then the one-time link opens the setup page. */
export async function hasOwner(db: Db): Promise<boolean> {
  const owner = await db
    .selectFrom('role_assignments as a')
    .innerJoin('roles as r', 'r.id', 'a.role_id')
    .innerJoin('users as u', 'u.id', 'a.subject_id')
    .select('u.id')
    .where('r.name', '=', 'owner')
    .where('a.until', 'is', null)
    .where('u.enabled', '=', true)
    .limit(1)
    .executeTakeFirst();
  return owner !== undefined;
}

/** The permission patterns of a subject's current roles at a resource server. */
export async function permissionsAt(db: Db, subject_id: string, resource: string, now: Date): Promise<string[]> {
  const rows = await db
    .selectFrom('standing_role_assignments as a')
    .innerJoin('role_permissions as p', 'p.role_id', 'a.role_id')
    .select('p.pattern')
    .where('a.subject_id', '=', subject_id)
    .where(notOver(now))
    .where((eb) => eb.or([eb('p.resource', 'is', null), eb('p.resource', '=', resource)]))
    .execute();
  return rows.map(({ pattern }) => pattern);
}

/** A pattern at one API, or at every (`null`). */
export type Right = { resource: string | null; pattern: string };
/** With its source, in words. */
export type HeldRight = Right & { by: string };

/**
 * What client `c` may have for itself, as SQL text: `service_permissions`; by default, for services that act for no user, what they
 * may request from users.
 */
export const servicePermissions = `case when c.service_permissions::text = '{}' and c.type = 'service' then c.resources
  else c.service_permissions end`;

/** Whether resource server `r` is open to client `c`, which no operator registered. */
const isOpen = `r.enabled and not r.built_in and (r.open_to = 'anyone' or (r.open_to = 'documented' and c.registered_by = 'document'))`;
const openPatterns = `coalesce((select json_agg(p.name) from permissions p where p.resource_server_id = r.id and p.is_open), '[]'::json)`;
const isSelfRegistered = `c.registered_by in ('document', 'dynamic')`;

/**
 * What client \`c\` may request from users, per resource server, as SQL text: for a client that described itself, only the open scopes
 * of the resource servers that are open to it.
 */
export const clientResources = `case when ${isSelfRegistered} then coalesce((
    select json_object_agg(r.identifier, ${openPatterns}) from resource_servers r where r.open_to <> 'registered' and ${isOpen}
      and exists (select from permissions p where p.resource_server_id = r.id and p.is_open)
  ), '{}'::json) else c.resources end`;

/** The same at one resource server, whose identifier is \`identifier\` (SQL text). */
export const clientResourcesAt = (identifier: string) => `case when ${isSelfRegistered} then (
    select ${openPatterns} from resource_servers r where r.identifier = ${identifier} and r.open_to <> 'registered' and ${isOpen}
  ) else c.resources -> ${identifier} end`;

/** The permissions that a subject holds by its roles at `now`; for a client, also its own registered ones. */
export async function listHeldRights(db: Db, subject_id: string, now: Date): Promise<HeldRight[]> {
  const { rows } = await sql<HeldRight>`
    select p.resource, p.pattern, 'The role "' || r.name || '"' as by
      from standing_role_assignments a join roles r on r.id = a.role_id join role_permissions p on p.role_id = r.id
      where a.subject_id = ${subject_id} and ${notOver(now)}
    union all
    select own.key as resource, pattern, 'The client itself' as by
      from clients c, json_each(${sql.raw(servicePermissions)}) own, json_array_elements_text(own.value) pattern
      where c.id = ${subject_id}`.execute(db);
  return rows;
}

/** Whether a subject holds a permission in one of these areas by its roles; for a client, also by its own registered permissions. */
export async function holdsInAreas(
  db: Db,
  subject_id: string,
  { areas, now }: { areas: readonly ReservedArea[]; now: Date },
): Promise<boolean> {
  return (await listHeldRights(db, subject_id, now)).some(({ pattern }) => isInArea(pattern, areas));
}

export type Role = {
  id: string;
  name: string;
  description: string | null;
  built_in: boolean;
  exported_as: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
  permissions: Right[];
};

const roleColumns = sql<Role>`r.id, r.name, r.description, r.built_in, r.exported_as, r.version, r.created_at, r.updated_at,
  coalesce((select json_agg(json_build_object('resource', p.resource, 'pattern', p.pattern) order by p.resource nulls first, p.pattern)
    from role_permissions p where p.role_id = r.id), '[]'::json) as permissions`;

const roleOrders: ListOrders = {
  key: { by: sql`r.id`, type: 'uuid' },
  orders: {
    name: { by: sql`r.name collate "C"`, type: 'text' },
    created_at: { by: sql`r.created_at`, type: 'timestamptz' },
  },
};

/** A page of roles with their permissions, searched by the words of their name and description. */
export function listRolesFrom(
  db: Db,
  { q, ...request }: ListRequest & { q?: string | undefined },
): Promise<Page<Role>> {
  const condition = q ? hasWords(sql`r.name || ' ' || coalesce(r.description, '')`, q) : sql`true`;
  return readPage(request, roleOrders, {
    read: async ({ after, orderBy, place, limit }) => {
      const { rows } = await sql<Role & { place: Place }>`select ${roleColumns}, ${place} as place from roles r
        where ${condition} and ${after} order by ${orderBy} limit ${limit}`.execute(db);
      return rows;
    },
    count: (most) => countRows(db, sql`select from roles r where ${condition} limit ${most}`),
  });
}

/** Every role with its permissions, by name. */
export async function listRoles(db: Db): Promise<Role[]> {
  const { rows } = await sql<Role>`select ${roleColumns} from roles r order by r.name`.execute(db);
  return rows;
}

/** The existing roles with these names, by name. */
export async function listRolesNamed(db: Db, names: readonly string[]): Promise<Role[]> {
  const { rows } =
    await sql<Role>`select ${roleColumns} from roles r where r.name = any(${names}) order by r.name`.execute(db);
  return rows;
}

/** The existing roles with these ids, by name. */
export async function listRolesWithIds(db: Db, ids: readonly string[]): Promise<Role[]> {
  const { rows } =
    await sql<Role>`select ${roleColumns} from roles r where r.id = any(${ids}::uuid[]) order by r.name`.execute(db);
  return rows;
}

export async function findRoleByName(db: Db, name: string): Promise<Role | undefined> {
  const { rows } = await sql<Role>`select ${roleColumns} from roles r where r.name = ${name}`.execute(db);
  return rows[0];
}

export async function lockRole(trx: Trx, name: string): Promise<Role | undefined> {
  await trx.selectFrom('roles').select('id').where('name', '=', name).forUpdate().execute();
  return findRoleByName(trx, name);
}

export async function insertRole(
  trx: Trx,
  role: { id: string; name: string; description: string | null; exported_as: string | null; created_at: Date },
): Promise<void> {
  await trx
    .insertInto('roles')
    .values({ ...role, updated_at: role.created_at })
    .execute();
}

export async function updateRole(
  trx: Trx,
  id: string,
  changes: { description: string | null; exported_as: string | null; updated_at: Date },
): Promise<void> {
  await trx
    .updateTable('roles')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

export async function replaceRolePermissions(trx: Trx, role_id: string, permissions: readonly Right[]): Promise<void> {
  await trx.deleteFrom('role_permissions').where('role_id', '=', role_id).execute();
  const rows = permissions.map((right) => ({ role_id, ...right }));
  if (rows.length > 0) await trx.insertInto('role_permissions').values(rows).execute();
}

export async function deleteRole(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('roles').where('id', '=', id).execute();
}

/** Whether applications see a user in any group now. */
export async function isInGroup(db: Db, user_id: string, now: Date): Promise<boolean> {
  const found = await db
    .selectFrom('standing_role_assignments as a')
    .innerJoin('roles as r', 'r.id', 'a.role_id')
    .select('r.id')
    .where('a.subject_id', '=', user_id)
    .where('r.exported_as', 'is not', null)
    .where(notOver(now))
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/** How many groups applications see a user in now. */
export async function countGroups(db: Db, user_id: string, now: Date): Promise<number> {
  const { count } = await db
    .selectFrom('standing_role_assignments as a')
    .innerJoin('roles as r', 'r.id', 'a.role_id')
    .select((eb) => eb.fn.count<string>('r.id').distinct().as('count'))
    .where('a.subject_id', '=', user_id)
    .where('r.exported_as', 'is not', null)
    .where(notOver(now))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** The username of a user with this role, or of this subject, who is in more than `most` groups. */
export async function findOverfullMember(
  trx: Trx,
  { most, now, ...of }: ({ role_id: string } | { subject_id: string }) & { most: number; now: Date },
): Promise<string | undefined> {
  const members =
    'role_id' in of
      ? sql`select subject_id from standing_role_assignments where role_id = ${of.role_id}`
      : sql`select ${of.subject_id}::uuid`;
  const { rows } = await sql<{ username: string }>`
    select u.username from users u join standing_role_assignments a on a.subject_id = u.id join roles r on r.id = a.role_id
      where u.id in (${members}) and r.exported_as is not null and ${notOver(now)}
      group by u.username having count(distinct r.id) > ${most} limit 1`.execute(trx);
  return rows[0]?.username;
}

/** A user (`isUser`) or a client (its `client_id`), as input names it. */
export type SubjectName = { kind: 'user' | 'client'; name: string };

/**
 * The id of a user (`id:…`, `username:…`, `email:…`: see `isUser`) or of a client, which is named by its
 * `client_id` alone.
 */
export async function findSubject(db: Db, { kind, name }: SubjectName): Promise<string | undefined> {
  const { rows } =
    kind === 'user'
      ? await sql<{ id: string }>`select id from users where ${isUser(name)}`.execute(db)
      : await sql<{ id: string }>`select id from clients where client_id = ${name}`.execute(db);
  return rows[0]?.id;
}

/** Whether a trust registered the client with this id. */
export async function isOfTrust(db: Db, id: string): Promise<boolean> {
  const query = db.selectFrom('clients').select('id').where('id', '=', id).where('trust_id', 'is not', null);
  return (await query.executeTakeFirst()) !== undefined;
}
