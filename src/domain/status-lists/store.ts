import { CompiledQuery, sql } from 'kysely';
import type { Db, Trx } from '../../platform/database/index.ts';

export type Block = { status_list_id: number; first: number };

/** The next block of indexes of a list with room; if there is none, of a new list. */
export async function leaseBlock(
  trx: Trx,
  { listSize, blockSize, leased_at }: { listSize: number; blockSize: number; leased_at: Date },
): Promise<Block> {
  // Otherwise two nodes that find no list with room would each create one.
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

// More lists than a week creates at 5,000 tokens a second; each statement stays far below the time limit.
const skippedNumbers = 200_000;
const skippedAtOnce = 20_000;

/**
 * Closes all lists permanently: they are no longer published, and new lists skip the numbers that lists may have got after the backup
 * from which this database was restored. Verifiers refuse a token whose list they cannot get.
 */
export async function abandonLists(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('latchkey status lists'))`.execute(trx);
  await sql`delete from status_lists`.execute(trx);
  // The role that serves requests may draw numbers but not set the sequence.
  for (let skipped = 0; skipped < skippedNumbers; skipped += skippedAtOnce)
    await sql`select count(nextval(pg_get_serial_sequence('status_lists', 'id'))) from generate_series(1, ${skippedAtOnce})`.execute(
      trx,
    );
}

/** The size of a list, and the indexes of tokens that are refused for another reason than their expiry. */
export type ListContent = { size: number; refused: number[] };

const readList = `select l.size, array(
    select status_index from jwt_access_tokens where status_list_id = l.id
    except select t.status_index from standing_jwt_access_tokens t where t.status_list_id = l.id and t.ends_at > $2) as refused
  from status_lists l where l.id = $1`;

export async function findListContent(db: Db, id: number, now: Date): Promise<ListContent | undefined> {
  const { rows } = await db.executeQuery<ListContent>(CompiledQuery.raw(readList, [id, now]));
  return rows[0];
}

/** The lists that contain tokens, oldest first; one index lookup per list, however many tokens and empty lists there are. */
export async function listListIds(db: Db): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    with recursive lists as (
      (select status_list_id as id from jwt_access_tokens order by status_list_id limit 1)
      union all
      select (select t.status_list_id from jwt_access_tokens t where t.status_list_id > lists.id order by t.status_list_id limit 1)
      from lists where lists.id is not null
    ) select id from lists where exists (select from status_lists l where l.id = lists.id) order by id`.execute(db);
  return rows.map(({ id }) => id);
}
