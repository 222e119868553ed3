const largest = 2000;
const slowMs = 400;
const fastMs = 150;

/** The number of rows that are deleted at once: as many as the database deletes in a fraction of a second, however busy it is. */
export class BatchSize {
  static readonly smallest = 10;
  #rows = 500;

  get rows(): number {
    return this.#rows;
  }

  /** A slow batch halves the next one; a fast one doubles it, unless it had little to do. */
  took(ms: number, deleted: number): void {
    if (ms > slowMs) this.shrink();
    else if (ms < fastMs && deleted > this.#rows / 2) this.#rows = Math.min(largest, this.#rows * 2);
  }

  /** @returns false when there is no smaller size left to try */
  shrink(): boolean {
    if (this.#rows === BatchSize.smallest) return false;
    this.#rows = Math.max(BatchSize.smallest, Math.floor(this.#rows / 2));
    return true;
  }
}
