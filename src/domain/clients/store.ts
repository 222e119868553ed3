import { type Insertable, type RawBuilder, type Selectable, sql, type Updateable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Digest } from '../../platform/crypto/index.ts';
import type { Db, Trx } from '../../platform/database/index.ts';
import { conflict, type Page } from '../../platform/http/index.ts';
import { type ListOrders, type ListRequest, pageOfSearch, type Searched } from '../../platform/lists/index.ts';
import { type Owner, ownerReference } from '../access/index.ts';
import type { Risk } from '../credentials/index.ts';

/** The client of tokens that were exchanged for users' API keys. */
export const builtInClientId = 'latchkey-api-keys';

/** A client with its owner. */
export type Client = Selectable<Database['clients']> & { owner: Owner | null };
export type ClientSecret = Selectable<Database['client_secrets']>;

const owner = ownerReference('clients.owner_id').as('owner');
const clients = (db: Db) => db.selectFrom('clients').selectAll('clients').select(owner);

export async function findClient(db: Db, client_id: string): Promise<Client | undefined> {
  return clients(db).where('client_id', '=', client_id).executeTakeFirst();
}

/** Every client that an operator registered, for `latchkey export`. */
export async function listEveryClient(db: Db): Promise<Client[]> {
  const query = clients(db).where('built_in', '=', false).where('registered_by', '=', 'operator');
  return query.orderBy('client_id').execute();
}

/** The names of these clients by `client_id`; one that is not registered is missing. */
export async function listClientNames(db: Db, client_ids: readonly string[]): Promise<Map<string, string>> {
  if (client_ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('clients')
    .select(['client_id', sql<string>`coalesce(metadata ->> 'client_name', client_id)`.as('name')])
    .where('client_id', 'in', client_ids)
    .execute();
  return new Map(rows.map(({ client_id, name }) => [client_id, name]));
}

// Token commits hold the row `for share`: if an administrator changes the client at the same time, the first to lock wins.
export async function lockClient(trx: Trx, client_id: string): Promise<Client | undefined> {
  return clients(trx).where('client_id', '=', client_id).forUpdate().executeTakeFirst();
}

/** @throws Problem `conflict`: the `client_id` is the id of a user, client or API key (RFC 9068 §5: `sub` must not collide) */
export async function insertClient(trx: Trx, client: Insertable<Database['clients']>): Promise<Client> {
  await trx.insertInto('subjects').values({ id: client.id, kind: 'client' }).execute();
  return trx
    .insertInto('clients')
    .values(client)
    .returningAll()
    .returning(owner)
    .executeTakeFirstOrThrow()
    .catch((error: unknown) => refuseTakenId(error, client.client_id));
}

function refuseTakenId(error: unknown, client_id: string): never {
  const isTaken = error instanceof Error && 'constraint' in error && error.constraint === 'taken_identifiers_pkey';
  throw isTaken
    ? conflict(`The client_id "${client_id}" is already the id of another record. Choose another one.`)
    : error;
}

export async function updateClient(trx: Trx, id: string, changes: Updateable<Database['clients']>): Promise<Client> {
  return trx
    .updateTable('clients')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returningAll()
    .returning(owner)
    .executeTakeFirstOrThrow();
}

/** Stores a secret. @returns its number */
export async function insertSecret(trx: Trx, secret: Insertable<Database['client_secrets']>): Promise<number> {
  return (await trx.insertInto('client_secrets').values(secret).returning('number').executeTakeFirstOrThrow()).number;
}

/** Stores when secrets were last used; a later time from another node is kept. */
export async function noteSecretUses(db: Db, uses: ReadonlyMap<string, Date>): Promise<void> {
  await sql`update client_secrets s set last_used_at = greatest(s.last_used_at, used.at)
    from unnest(${[...uses.keys()]}::uuid[], ${[...uses.values()]}::timestamptz[]) as used(id, at) where s.id = used.id`.execute(
    db,
  );
}

/** Secrets that still authenticate. */
export async function liveSecrets(db: Db, client_id: string, now: Date): Promise<ClientSecret[]> {
  return db
    .selectFrom('client_secrets')
    .selectAll()
    .where('client_id', '=', client_id)
    .where('id', 'in', (eb) => eb.selectFrom('standing_client_secrets').select('id').where('ends_at', '>', now))
    .orderBy('created_at')
    .execute();
}

export async function findSecretByDigest(db: Db, digests: readonly Digest[], now: Date): Promise<string | undefined> {
  const found = await db
    .selectFrom('standing_client_secrets as s')
    .select('s.id')
    .where('s.digest', 'in', digests)
    .where('s.ends_at', '>', now)
    .executeTakeFirst();
  return found?.id;
}

/** The `client_id` of the client that a secret belongs to; undefined also for an invalid id. */
export async function findClientOfSecret(db: Db, id: string): Promise<string | undefined> {
  const { rows } = await sql<{
    client_id: string;
  }>`select c.client_id from client_secrets s join clients c on c.id = s.client_id
    where s.id = identifier_as_id(${id})`.execute(db);
  return rows[0]?.client_id;
}

export async function revokeSecrets(trx: Trx, ids: string[], revoked_at: Date): Promise<void> {
  if (ids.length > 0) await trx.updateTable('client_secrets').set({ revoked_at }).where('id', 'in', ids).execute();
}

/** Every secret that a client has or had, newest first. */
export async function listSecrets(db: Db, client_id: string): Promise<ClientSecret[]> {
  return db.selectFrom('client_secrets').selectAll().where('client_id', '=', client_id).orderBy('id', 'desc').execute();
}

/** Sets the expiry of secrets, unless they expire earlier. */
export async function expireSecretsAt(trx: Trx, client_id: string, at: Date, ids?: readonly string[]): Promise<number> {
  const { numUpdatedRows } = await trx
    .updateTable('client_secrets')
    .set({ expires_at: at })
    .where('client_id', '=', client_id)
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]))
    .$if(ids !== undefined, (query) => query.where(sql<boolean>`id = any(${ids}::uuid[])`))
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

export type ClientsQuery = ListRequest & {
  q?: string | undefined;
  type?: Client['type'] | undefined;
  registered_by?: Client['registered_by'] | undefined;
  enabled?: boolean | undefined;
};

const clientName = sql`coalesce(clients.metadata ->> 'client_name', clients.client_id)`;

const searched: Searched = {
  table: 'clients',
  text: sql`client_id || ' ' || coalesce(metadata ->> 'client_name', '')`,
};

const orders: ListOrders = {
  key: { by: sql`clients.id`, type: 'uuid' },
  orders: {
    client_id: { by: sql`clients.client_id collate "C"`, type: 'text' },
    name: { by: sql`lower(${clientName}) collate "C"`, type: 'text' },
    type: { by: sql`clients.type collate "C"`, type: 'text' },
    last_used_at: { by: sql`coalesce(clients.last_used_at, '-infinity'::timestamptz)`, type: 'timestamptz' },
    // UUIDv7 ids grow with time.
    created_at: 'key',
  },
};

/** Registered clients, searched by the words of their id and name, filtered and sorted. */
export function listClients(
  db: Db,
  { q, type, registered_by, enabled, ...request }: ClientsQuery,
): Promise<Page<Client>> {
  const listed = (from: RawBuilder<Selectable<Database['clients']>>) =>
    db
      .selectFrom(from.as('clients'))
      .selectAll('clients')
      .select(owner)
      .where('built_in', '=', false)
      .$if(type !== undefined, (query) => query.where('type', '=', type ?? 'web'))
      .$if(registered_by !== undefined, (query) => query.where('registered_by', '=', registered_by ?? 'operator'))
      .$if(enabled !== undefined, (query) => query.where('enabled', '=', enabled ?? true));
  return pageOfSearch(db, { searched, q }, listed, { orders, request });
}

export type OverdueSecrets = {
  /** A thousand at most. */
  count: number;
  /** The oldest of them. */
  first: { client_id: string; created_at: Date; risk: Risk } | undefined;
};

/** Secrets of enabled clients that are older than the risk of their client allows. */
export async function findOverdueSecrets(db: Db, now: Date): Promise<OverdueSecrets> {
  const { rows } = await sql<{ client_id: string; created_at: Date; risk: Risk; count: number }>`
    select client_id, created_at, risk, (count(*) over ())::int as count
      from (select c.client_id, s.created_at, c.risk from client_secrets s join clients c on c.id = s.client_id
        where s.revoked_at is null and s.due_at <= ${now} and (s.expires_at is null or s.expires_at > ${now})
          and c.enabled and c.risk is not null
        order by s.due_at limit 1000) s
      order by created_at limit 1`.execute(db);
  const [first] = rows;
  return { count: first?.count ?? 0, first };
}
