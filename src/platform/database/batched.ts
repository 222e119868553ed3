import type { Logger } from 'pino';
import { isOutage } from './unavailable.ts';

/** What is collected until it is written. */
export type Collection<Item> = {
  readonly size: number;
  /** Merges an item into a waiting one; false: there is none. */
  merge: (item: Item) => boolean;
  add: (item: Item) => void;
  items: () => Item[];
};

/** A collection in which items of one key are one. */
export class Keyed<Item> implements Collection<Item> {
  readonly #items = new Map<string, Item>();
  readonly #keyOf: (item: Item) => string;
  readonly #merged: (earlier: Item, later: Item) => Item;

  constructor(keyOf: (item: Item) => string, merged: (earlier: Item, later: Item) => Item) {
    this.#keyOf = keyOf;
    this.#merged = merged;
  }

  get size(): number {
    return this.#items.size;
  }

  find(key: string): Item | undefined {
    return this.#items.get(key);
  }

  merge(item: Item): boolean {
    const key = this.#keyOf(item);
    const earlier = this.#items.get(key);
    if (earlier !== undefined) this.#items.set(key, this.#merged(earlier, item));
    return earlier !== undefined;
  }

  add(item: Item): void {
    this.#items.set(this.#keyOf(item), item);
  }

  items(): Item[] {
    return [...this.#items.values()];
  }
}

export type BatchedOptions<Item, Held extends Collection<Item>> = {
  log: Logger;
  /** What the items are, for the log: `access records`. */
  what: string;
  everyMs: number;
  /** Most items that wait. Further ones are dropped, and counted in the log. */
  mostHeld: number;
  /** Most items of one `write`. */
  mostAtOnce: number;
  /** An empty collection. */
  collect: () => Held;
  /** Writes all of them, or none and throws. If the response is lost the outcome is unknown: then they are written again. */
  write: (items: readonly Item[]) => Promise<unknown>;
  /** Whether an item may be written before the writer is closed; by default all may. */
  isDue?: (item: Item) => boolean;
  /** How many uses an item counts, for the log of lost uses. */
  usesOf?: (item: Item) => number;
};

/**
 * Collects in memory the items of many requests, and writes them together: the requests do not wait for it, and a crash loses what was
 * added since the last write. While the database is unavailable the items wait, up to a limit. If the database refuses an item, only that
 * item is lost.
 */
export class Batched<Item, Held extends Collection<Item>> {
  readonly #options: BatchedOptions<Item, Held>;
  #held: Held;
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: BatchedOptions<Item, Held>) {
    this.#options = options;
    this.#held = options.collect();
  }

  /** Waiting items by key, so that a use can be merged into one. */
  get held(): Held {
    return this.#held;
  }

  add(item: Item): void {
    this.#keep(item);
    this.#schedule();
  }

  /** Writes what is due. Resolves also when the write failed: the items wait for the next one. */
  flush(): Promise<void> {
    this.#writing ??= this.#writeHeld(this.#options.isDue ?? (() => true)).finally(() => {
      this.#writing = undefined;
      if (this.#held.size > 0) this.#schedule();
    });
    return this.#writing;
  }

  /** Writes all waiting items, and logs the loss if it cannot. */
  async close(): Promise<void> {
    const { log, what } = this.#options;
    await this.#writing;
    await this.#writeHeld(() => true);
    clearTimeout(this.#timer);
    const lost = this.#held.items().reduce((sum, item) => sum + this.#usesOf(item), this.#lost);
    if (lost > 0) log.error({ lost }, `${what} were lost: they could not be recorded before the server stopped`);
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, this.#options.everyMs).unref();
  }

  #keep(item: Item): void {
    if (this.#held.merge(item)) return;
    if (this.#held.size < this.#options.mostHeld) this.#held.add(item);
    else this.#lost += this.#usesOf(item);
  }

  #usesOf(item: Item): number {
    return this.#options.usesOf?.(item) ?? 1;
  }

  async #writeHeld(isDue: (item: Item) => boolean): Promise<void> {
    const { log, what, mostAtOnce, collect } = this.#options;
    const all = this.#held.items();
    const due = all.filter(isDue);
    this.#held = collect();
    for (const item of all) if (!isDue(item)) this.#held.add(item);
    try {
      while (due.length > 0) {
        await this.#write(due.slice(0, mostAtOnce));
        due.splice(0, mostAtOnce);
      }
      if (this.#lost > 0) log.error({ lost: this.#lost }, `${what} were lost`);
      this.#lost = 0;
    } catch (error) {
      log.warn({ err: error }, `${what} wait for the database`);
      const since = this.#held.items();
      this.#held = collect();
      for (const item of [...due, ...since]) this.#keep(item);
    }
  }

  /** @throws what an outage throws */
  async #write(items: readonly Item[]): Promise<void> {
    const { log, what, write } = this.#options;
    try {
      await write(items);
    } catch (error) {
      if (isOutage(error)) throw error;
      const [only] = items;
      if (only !== undefined && items.length === 1) {
        this.#lost += this.#usesOf(only);
        log.error({ err: error }, `one of ${what} cannot be recorded`);
        return;
      }
      const middle = Math.ceil(items.length / 2);
      await this.#write(items.slice(0, middle));
      await this.#write(items.slice(middle));
    }
  }
}
