import { type Insertable, type Selectable, sql } from 'kysely';
import type { Database, SealKind } from '../../../db/schema.ts';
import type { Db, Trx } from '../../platform/database/index.ts';

export type SealRow = Selectable<Database['vault_seal']>;
export type TermRow = Selectable<Database['vault_terms']>;

/** What a node tells about its seal. */
export type SealState = {
  kind: SealKind;
  initialized: boolean;
  /** On this node. */
  sealed: boolean;
  shares: number;
  threshold: number;
  progress: number;
  nonce: string;
};

export async function findSeal(db: Db): Promise<SealRow | undefined> {
  return db.selectFrom('vault_seal').selectAll().executeTakeFirst();
}

/** Waits for transactions that create, seal or unseal the vault. */
export async function lockSeal(trx: Trx): Promise<SealRow | undefined> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey vault seal'))`.execute(trx);
  return trx.selectFrom('vault_seal').selectAll().forUpdate().executeTakeFirst();
}

/** Prevents sealing the vault until the transaction ends. */
export async function holdSeal(
  trx: Trx,
): Promise<(Pick<SealRow, 'generation' | 'sealed_at'> & { term: number }) | undefined> {
  return trx
    .selectFrom('vault_seal')
    .select(['generation', 'sealed_at', sql<number>`(select max(term) from vault_terms)`.as('term')])
    .forShare()
    .executeTakeFirst();
}

export async function insertSeal(trx: Trx, row: Insertable<Database['vault_seal']>): Promise<void> {
  await trx.insertInto('vault_seal').values(row).execute();
}

export async function markSealed(trx: Trx, sealed_at: Date | null, updated_at: Date): Promise<SealRow> {
  return trx
    .updateTable('vault_seal')
    .set((eb) => ({ sealed_at, updated_at, generation: sql<string>`${eb.ref('generation')} + 1` }))
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function listTerms(db: Db): Promise<TermRow[]> {
  return db.selectFrom('vault_terms').selectAll().orderBy('term').execute();
}

export async function insertTerm(trx: Trx, row: TermRow): Promise<void> {
  await trx.insertInto('vault_terms').values(row).execute();
}

/** Records that the key holders have the shares: they have unsealed the vault. */
export async function confirmSeal(trx: Trx, confirmed_at: Date): Promise<void> {
  await trx
    .updateTable('vault_seal')
    .set((eb) => ({ confirmed_at: eb.fn.coalesce('confirmed_at', eb.val(confirmed_at)) }))
    .execute();
}

/** A vault that was never opened contains nothing. */
export async function removeUnconfirmed(trx: Trx): Promise<void> {
  await trx.deleteFrom('vault_seal').where('confirmed_at', 'is', null).execute();
  await trx.deleteFrom('vault_terms').execute();
}
