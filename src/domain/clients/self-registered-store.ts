import { type Insertable, type Selectable, sql, type Updateable } from 'kysely';
import type { Database } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

type Row = Database['self_registered_clients'];
type SelfRegistered = Selectable<Row>;

/**
 * Locks the row of a metadata document; for a new one its address, because several nodes may read it at the same time. It is locked
 * before its client, in the same order as the removal of unused clients.
 *
 * @returns undefined: the document is not known
 */
export async function lockDocument(
  trx: Trx,
  client_id: string,
): Promise<Pick<SelfRegistered, 'is_recorded'> | undefined> {
  await sql`select pg_advisory_xact_lock(hashtext(${`client document ${client_id}`}))`.execute(trx);
  const { rows } = await sql<SelfRegistered>`select s.is_recorded from self_registered_clients s
    join clients c on c.id = s.client_id where c.client_id = ${client_id} for update of s`.execute(trx);
  return rows[0];
}

/** Marks a client as recorded in the audit log. @returns whether it was not recorded before */
export async function markRecorded(trx: Trx, client_id: string): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`update self_registered_clients s set is_recorded = true
    from clients c where c.id = s.client_id and c.client_id = ${client_id} and not s.is_recorded`.execute(trx);
  return numAffectedRows > 0n;
}

/** The stored state of a metadata document. @returns undefined: it describes no client */
export async function findStoredDocument(
  db: Db,
  client_id: string,
): Promise<
  (Pick<Selectable<Database['clients']>, 'metadata'> & Pick<SelfRegistered, 'fresh_until' | 'validators'>) | undefined
> {
  return db
    .selectFrom('self_registered_clients as s')
    .innerJoin('clients as c', 'c.id', 's.client_id')
    .select(['c.metadata', 's.fresh_until', 's.validators'])
    .where('c.client_id', '=', client_id)
    .where('c.registered_by', '=', 'document')
    .executeTakeFirst();
}

export async function insertSelfRegistered(trx: Trx, row: Insertable<Row>): Promise<void> {
  await trx.insertInto('self_registered_clients').values(row).execute();
}

export async function updateSelfRegistered(trx: Trx, client_id: string, changes: Updateable<Row>): Promise<void> {
  await trx.updateTable('self_registered_clients').set(changes).where('client_id', '=', client_id).execute();
}

/** Expires the cached document. @returns whether it had not expired already */
export async function markWithdrawn(trx: Trx, client_id: string): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`update self_registered_clients s set fresh_until = to_timestamp(0)
    from clients c where c.id = s.client_id and c.client_id = ${client_id} and c.registered_by = 'document'
      and s.fresh_until > to_timestamp(0)`.execute(trx);
  return numAffectedRows > 0n;
}
