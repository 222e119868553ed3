import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { Database, TrustKind } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { conflict, type Page } from '../../platform/http/index.ts';
import { hasWords, type ListOrders, type ListRequest, pageOfQuery } from '../../platform/lists/index.ts';
import { assertingKinds } from './kinds.ts';

export type Trust = Selectable<Database['trusts']>;
export type Workload = { client_id: string; subject: string; enabled: boolean; created_at: Date };

export async function findTrust(db: Db, id: string): Promise<Trust | undefined> {
  return db.selectFrom('trusts').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function lockTrust(trx: Trx, id: string): Promise<Trust | undefined> {
  return trx.selectFrom('trusts').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

/** Names must differ in more than case. */
export async function lockTrustNamed(trx: Trx, name: string): Promise<Trust | undefined> {
  const query = trx.selectFrom('trusts').selectAll();
  return query.where(sql`lower(name)`, '=', name.toLowerCase()).forUpdate().executeTakeFirst();
}

/** The enabled trusts of an issuer whose tokens are accepted; the oldest first. Kinds of a newer version are left out. */
export async function listTrustsOf(db: Db, issuer: string): Promise<Trust[]> {
  const query = db.selectFrom('trusts').selectAll().where('issuer', '=', issuer).where('enabled', '=', true);
  return query.where('kind', 'in', assertingKinds).orderBy('id').execute();
}

/** The enabled trusts by which users sign in, by name. */
export async function listLoginTrusts(db: Db): Promise<Trust[]> {
  const query = db.selectFrom('trusts').selectAll().where('kind', '=', 'login').where('enabled', '=', true);
  return query.orderBy(sql`lower(name)`).execute();
}

/** The users with roles who have an account at an issuer. */
export async function listRoledUsersAt(db: Db, issuer: string): Promise<string[]> {
  const rows = await db
    .selectFrom('identities as i')
    .select('i.user_id')
    .distinct()
    .where('i.issuer', '=', issuer)
    .where((eb) =>
      eb.exists(eb.selectFrom('standing_role_assignments as a').where('a.subject_id', '=', eb.ref('i.user_id'))),
    )
    .execute();
  return rows.map(({ user_id }) => user_id);
}

/** There are a thousand at most. */
export async function listEveryTrust(db: Db): Promise<Trust[]> {
  return db.selectFrom('trusts').selectAll().orderBy('name').execute();
}

export async function countTrusts(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('trusts')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** @throws Problem `conflict`: the name is taken */
export async function insertTrust(trx: Trx, trust: Insertable<Database['trusts']>): Promise<Trust> {
  return trx
    .insertInto('trusts')
    .values(trust)
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch((error: unknown) => refuseTakenName(error, trust.name));
}

/** @throws Problem `conflict`: the name is taken */
export async function updateTrust(trx: Trx, id: string, changes: Updateable<Database['trusts']>): Promise<Trust> {
  return trx
    .updateTable('trusts')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
    .catch((error: unknown) => refuseTakenName(error, String(changes.name)));
}

function refuseTakenName(error: unknown, name: string): never {
  const isTaken = error instanceof Error && 'constraint' in error && error.constraint === 'trusts_name';
  throw isTaken ? conflict(`A trust with the name "${name}" already exists.`) : error;
}

// There are a thousand at most: sorting and searching them takes no index.
const orders: ListOrders = {
  key: { by: sql`trusts.id`, type: 'uuid' },
  orders: {
    name: { by: sql`lower(trusts.name) collate "C"`, type: 'text' },
    issuer: { by: sql`trusts.issuer collate "C"`, type: 'text' },
    created_at: 'key',
  },
};

export type TrustsRequest = ListRequest & {
  q?: string | undefined;
  kind?: TrustKind | undefined;
  enabled?: boolean | undefined;
};

export function listTrusts(db: Db, { q, kind, enabled, ...request }: TrustsRequest): Promise<Page<Trust>> {
  const found = db
    .selectFrom('trusts')
    .selectAll()
    .$if(Boolean(q), (query) => query.where(hasWords(sql`trusts.name || ' ' || trusts.issuer`, q ?? '')))
    .$if(kind !== undefined, (query) => query.where('kind', '=', kind ?? 'workload'))
    .$if(enabled !== undefined, (query) => query.where('enabled', '=', enabled ?? true));
  return pageOfQuery(db, found, orders, request);
}

const workloadOrders: ListOrders = {
  key: { by: sql`clients.id`, type: 'uuid' },
  orders: { created_at: 'key' },
};

/** The clients that a trust registered. */
export function listWorkloads(db: Db, trust_id: string, request: ListRequest): Promise<Page<Workload>> {
  const subject = sql<string>`coalesce(clients.metadata ->> 'client_name', clients.client_id)`.as('subject');
  const found = db
    .selectFrom('clients')
    .select(['clients.client_id', subject, 'clients.enabled', 'clients.created_at'])
    .where('trust_id', '=', trust_id);
  return pageOfQuery(db, found, workloadOrders, request);
}

export async function countWorkloads(db: Db, trust_id: string): Promise<number> {
  const { count } = await db
    .selectFrom('clients')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('trust_id', '=', trust_id)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** The trust that registered the client of this `client_id`; undefined: there is no such client. */
export async function findRegistration(db: Db, client_id: string): Promise<{ trust_id: string | null } | undefined> {
  return db.selectFrom('clients').select('trust_id').where('client_id', '=', client_id).executeTakeFirst();
}

/** Registers the client of a workload, which is deleted after a time unless it is kept. */
export async function insertWorkload(
  trx: Trx,
  client: Insertable<Database['clients']>,
  kept_until: Date,
): Promise<void> {
  await trx.insertInto('subjects').values({ id: client.id, kind: 'client' }).execute();
  await trx.insertInto('clients').values(client).execute();
  await trx.insertInto('self_registered_clients').values({ client_id: client.id, kept_until }).execute();
}

/** Keeps the client of a workload until then, or longer. */
export async function keepWorkload(db: Db, client_id: string, kept_until: Date): Promise<void> {
  await sql`update self_registered_clients s set kept_until = greatest(s.kept_until, ${kept_until}::timestamptz)
    from clients c where c.client_id = ${client_id} and s.client_id = c.id`.execute(db);
}

export type WorkloadState = { id: string; enabled: boolean; subject: string };

/** The client of a workload of this trust, and how long it is kept: that row is locked before the client, as elsewhere. */
export async function lockWorkload(trx: Trx, trust_id: string, client_id: string): Promise<WorkloadState | undefined> {
  const { rows } =
    await sql<WorkloadState>`select c.id, c.enabled, coalesce(c.metadata ->> 'client_name', c.client_id) as subject
    from self_registered_clients s join clients c on c.id = s.client_id
    where c.trust_id = ${trust_id} and c.client_id = ${client_id} for update of s`.execute(trx);
  return rows[0];
}

/** The enabled workload of a trust that has requested no token for the longest time, of those that are kept no longer than until then. */
export async function lockUnusedWorkload(
  trx: Trx,
  trust_id: string,
  kept_until: Date,
): Promise<(WorkloadState & { client_id: string }) | undefined> {
  const { rows } = await sql<WorkloadState & { client_id: string }>`
    select c.id, c.client_id, c.enabled, coalesce(c.metadata ->> 'client_name', c.client_id) as subject
    from self_registered_clients s join clients c on c.id = s.client_id
    where c.trust_id = ${trust_id} and c.enabled and s.kept_until < ${kept_until} and ${ownsNothing}
    order by s.kept_until limit 1 for update of s skip locked`.execute(trx);
  return rows[0];
}

const ownsNothing = sql`not exists (select from clients o where o.owner_id = c.id)`;

/** Deletes the client of a workload, which revokes its tokens. @returns whether it owned nothing, and is deleted */
export async function deleteWorkload(trx: Trx, id: string): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`delete from self_registered_clients s using clients c
    where s.client_id = ${id} and c.id = s.client_id and ${ownsNothing}`.execute(trx);
  return numAffectedRows > 0n;
}

export type WorkloadRights = { permissions: string; lifetimes: string; updated_at: Date };

/** Gives every workload of a trust the trust's present permissions. */
export async function updateWorkloads(
  trx: Trx,
  trust_id: string,
  { permissions, lifetimes, updated_at }: WorkloadRights,
): Promise<void> {
  await sql`update clients set service_permissions = ${permissions}::json, lifetimes = ${lifetimes}::json,
      updated_at = ${updated_at}, version = version + 1
    where trust_id = ${trust_id} and (service_permissions::text <> ${permissions} or lifetimes::text <> ${lifetimes})`.execute(
    trx,
  );
}

/** Gives the workloads of a trust, or one of them, the roles that the trust names, and no other. */
export async function setWorkloadRoles(
  trx: Trx,
  { id, roles }: Pick<Trust, 'id' | 'roles'>,
  { client_id = null, at }: { client_id?: string | null; at: Date },
): Promise<void> {
  const isMeant = sql`c.trust_id = ${id} and (${client_id}::uuid is null or c.id = ${client_id}::uuid)`;
  await sql`delete from role_assignments a using clients c, roles r
    where ${isMeant} and a.subject_id = c.id and r.id = a.role_id and r.name <> all(${roles}::text[])`.execute(trx);
  await sql`insert into role_assignments (role_id, subject_id, granted_by_kind, granted_by, created_at)
    select r.id, c.id, 'trust', ${id}::text, ${at} from clients c cross join roles r
    where ${isMeant} and r.name = any(${roles}::text[]) on conflict do nothing`.execute(trx);
}

/** Revokes all tokens of a trust's workloads. */
export async function endWorkloadTokens(trx: Trx, trust_id: string, at: Date): Promise<void> {
  await trx
    .updateTable('clients')
    .set((eb) => ({ tokens_valid_after: at, epoch: eb('epoch', '+', 1) }))
    .where('trust_id', '=', trust_id)
    .execute();
}

/** Disables the workloads of a trust, which revokes their tokens. */
export async function disableWorkloads(trx: Trx, trust_id: string, at: Date): Promise<void> {
  await sql`update clients set enabled = false, disabled_with_trust = true, tokens_valid_after = ${at}, updated_at = ${at},
      version = version + 1
    where trust_id = ${trust_id} and enabled`.execute(trx);
}

/** Enables the workloads that were disabled with their trust, and no other. */
export async function enableWorkloads(trx: Trx, trust_id: string, at: Date): Promise<void> {
  await sql`update clients set enabled = true, disabled_with_trust = false, updated_at = ${at}, version = version + 1
    where trust_id = ${trust_id} and disabled_with_trust`.execute(trx);
}
