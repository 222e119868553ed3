import { CompiledQuery, sql } from 'kysely';
import type { Db, Trx } from '../platform/database/index.ts';
import { accessTokenOwners, accessTokenStands } from '../tokens/index.ts';

export type Block = { status_list_id: number; first: number };

/** The next block of indexes of the list that still has some; a list is begun where none has. */
export async function leaseBlock(
  trx: Trx,
  { listSize, blockSize, leased_at }: { listSize: number; blockSize: number; leased_at: Date },
): Promise<Block> {
  // Two nodes that find no list with room would each begin one.
  await sql`select pg_advisory_xact_lock(hashtext('latchkey status lists'))`.execute(trx);
  const open = await trx
    .updateTable('status_lists')
    .set({ leased: sql`leased + ${blockSize}` })
    .where('leased', '<', sql<number>`size`)
    .returning(['id', 'leased'])
    .executeTakeFirst();
  if (open) return { status_list_id: open.id, first: open.leased - blockSize };
  const list = { size: listSize, leased: blockSize, created_at: leased_at };
  const { id } = await trx.insertInto('status_lists').values(list).returning('id').executeTakeFirstOrThrow();
  return { status_list_id: id, first: 0 };
}

/** How many places a list has, and which of them hold tokens that are refused for another reason than their expiry. */
export type ListContent = { size: number; refused: number[] };

const readList = `select l.size, array(select t.status_index from jwt_access_tokens t
    ${accessTokenOwners}
  where t.status_list_id = l.id and (${accessTokenStands}) is not true) as refused
  from status_lists l where l.id = $1`;

export async function findListContent(db: Db, id: number, now: Date): Promise<ListContent | undefined> {
  const { rows } = await db.executeQuery<ListContent>(CompiledQuery.raw(readList, [id, now]));
  return rows[0];
}

/** The lists that tokens of today may have a place in, oldest first. */
export async function listListIds(db: Db): Promise<number[]> {
  const rows = await db
    .selectFrom('status_lists as l')
    .select('l.id')
    .where(({ exists, selectFrom }) =>
      exists(selectFrom('jwt_access_tokens as t').select('t.jti').whereRef('t.status_list_id', '=', 'l.id')),
    )
    .orderBy('l.id')
    .execute();
  return rows.map(({ id }) => id);
}
