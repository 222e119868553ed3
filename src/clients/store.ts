import type { Insertable, Selectable, Updateable } from 'kysely';
import type { Database } from '../../db/schema.ts';
import type { Db, Trx } from '../platform/database/index.ts';

export type Client = Selectable<Database['clients']>;
export type ClientSecret = Selectable<Database['client_secrets']>;

export async function findClient(db: Db, client_id: string): Promise<Client | undefined> {
  return db.selectFrom('clients').selectAll().where('client_id', '=', client_id).executeTakeFirst();
}

/** Every client, for `latchkey export`. */
export async function listEveryClient(db: Db): Promise<Client[]> {
  return db.selectFrom('clients').selectAll().orderBy('client_id').execute();
}

// Of an administrator and a token commit the first to lock wins: commits hold the row `for share`.
export async function lockClient(trx: Trx, client_id: string): Promise<Client | undefined> {
  return trx.selectFrom('clients').selectAll().where('client_id', '=', client_id).forUpdate().executeTakeFirst();
}

export async function insertClient(trx: Trx, client: Insertable<Database['clients']>): Promise<Client> {
  await trx.insertInto('subjects').values({ id: client.id, kind: 'client' }).execute();
  return trx.insertInto('clients').values(client).returningAll().executeTakeFirstOrThrow();
}

export async function updateClient(trx: Trx, id: string, changes: Updateable<Database['clients']>): Promise<Client> {
  return trx
    .updateTable('clients')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function insertSecret(trx: Trx, secret: Insertable<Database['client_secrets']>): Promise<void> {
  await trx.insertInto('client_secrets').values(secret).execute();
}

/** Secrets that still authenticate. */
export async function liveSecrets(db: Db, client_id: string, now: Date): Promise<ClientSecret[]> {
  return db
    .selectFrom('client_secrets')
    .selectAll()
    .where('client_id', '=', client_id)
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .orderBy('created_at')
    .execute();
}

export async function revokeSecrets(trx: Trx, ids: string[], revoked_at: Date): Promise<void> {
  if (ids.length > 0) await trx.updateTable('client_secrets').set({ revoked_at }).where('id', 'in', ids).execute();
}
