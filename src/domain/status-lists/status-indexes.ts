import { randomInt } from 'node:crypto';
import { type ChangeFeed, type Db, inTransaction } from '../../platform/database/index.ts';
import { leaseBlock } from './store.ts';

// Reading a list whose every token lives takes PostgreSQL time in proportion (docs/architecture.md), and its readers wait.
const listSize = 32_768;
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

  /** @param changes `latchkey restore-check` abandons the lists and rotates the signing keys: the leased block is dropped then */
  constructor(db: Db, now: () => Date, changes: Pick<ChangeFeed, 'on'>) {
    this.#db = db;
    this.#now = now;
    changes.on('signing_key', () => {
      this.#block = [];
    });
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
    const wanted = { listSize, blockSize, leased_at: this.#now() };
    const { status_list_id, first } = await inTransaction(this.#db, (trx) => leaseBlock(trx, wanted));
    this.#block = Array.from({ length: blockSize }, (_, n) => ({ status_list_id, status_index: first + n }));
  }
}
