import { randomInt } from 'node:crypto';
import { sql } from 'kysely';
import type { Db } from '../platform/database/index.ts';

const listSize = 131_072;
const blockSize = 1024;

export type StatusPlace = { status_list_id: number; status_index: number };

/**
 * Places in status lists for JWT access tokens. A node leases a block at a time and draws from it at random, so that
 * neighbouring indexes tell nothing about who was issued a token when (draft-ietf-oauth-status-list §12.5).
 */
export class StatusIndexes {
  readonly #db: Db;
  readonly #now: () => Date;
  #block: StatusPlace[] = [];
  #lease: Promise<void> | undefined;

  constructor(db: Db, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  /** A place nobody else gets; one query every 1024 tokens. */
  async draw(): Promise<StatusPlace> {
    while (this.#block.length === 0) {
      this.#lease ??= this.#leaseBlock().finally(() => {
        this.#lease = undefined;
      });
      await this.#lease;
    }
    const last = this.#block.pop() as StatusPlace;
    if (this.#block.length === 0) return last;
    const other = randomInt(this.#block.length + 1);
    if (other === this.#block.length) return last;
    const drawn = this.#block[other] as StatusPlace;
    this.#block[other] = last;
    return drawn;
  }

  async #leaseBlock(): Promise<void> {
    const { id, first } = await this.#db.transaction().execute(async (trx) => {
      await sql`select pg_advisory_xact_lock(hashtext('latchkey status lists'))`.execute(trx);
      const open = await trx
        .updateTable('status_lists')
        .set({ leased: sql`leased + ${blockSize}` })
        .where('leased', '<', sql<number>`size`)
        .returning(['id', 'leased'])
        .executeTakeFirst();
      if (open) return { id: open.id, first: open.leased - blockSize };
      const list = { size: listSize, leased: blockSize, created_at: this.#now() };
      const { id: made } = await trx.insertInto('status_lists').values(list).returning('id').executeTakeFirstOrThrow();
      return { id: made, first: 0 };
    });
    this.#block = Array.from({ length: blockSize }, (_, n) => ({ status_list_id: id, status_index: first + n }));
  }
}
