import { randomInt } from 'node:crypto';
import { type ChangeFeed, type Db, inTransaction } from '../../platform/database/index.ts';
import { leaseBlock } from './store.ts';

// The time to read a list grows with its live tokens (docs/architecture.md), and readers wait for it.
const listSize = 32_768;
const blockSize = 1024;

export type StatusPlace = { status_list_id: number; status_index: number };

/**
 * Allocates indexes in status lists for JWT access tokens. A node leases a block at a time and draws from it at random, so that
 * neighbouring indexes do not reveal who got a token when (draft-ietf-oauth-status-list §12.5).
 */
export class StatusIndexes {
  readonly #db: Db;
  readonly #now: () => Date;
  #block: StatusPlace[] = [];
  #lease: Promise<void> | undefined;

  /** @param changes `latchkey restore-check` closes the lists and rotates the signing keys: the leased block is then dropped */
  constructor(db: Db, now: () => Date, changes: Pick<ChangeFeed, 'on'>) {
    this.#db = db;
    this.#now = now;
    changes.on('signing_key', () => {
      this.#block = [];
    });
  }

  /** An index that no other token gets; one query every 1024 tokens. */
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
