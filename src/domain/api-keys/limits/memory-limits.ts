import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../../platform/caching/index.ts';
import { Batched, type Db, Keyed } from '../../../platform/database/index.ts';
import type { Logger } from '../../../platform/logging/index.ts';
import { type Counter, type Limits, move, type Taken } from './counters.ts';
import { addToCounters, findCounters } from './store.ts';

export type MemoryLimitsDeps = { db: Db; log: Logger };

const most = 200_000;
const everyMs = 1000;
const mostAtOnce = 5000;

type Added = { key: string; value: number; expires_at: Date };

/**
 * Limits that this node counts by itself, exactly and without a query. Several nodes each admit the whole rate. Quotas are shared
 * once a second through the database, where they also survive a restart, so nodes together exceed one by at most the uses of a second.
 */
export class MemoryLimits implements Limits {
  readonly #deps: MemoryLimitsDeps;
  readonly #values = new LRUCache<string, number>(atMostEntries(most));
  /** Uses of quotas since the last write. */
  readonly #added: Batched<Added, Keyed<Added>>;

  constructor(deps: MemoryLimitsDeps) {
    this.#deps = deps;
    this.#added = new Batched({
      ...{ log: deps.log, what: 'uses of quotas', everyMs, mostHeld: most, mostAtOnce },
      collect: () =>
        new Keyed(
          ({ key }) => key,
          (earlier, later) => ({ ...later, value: earlier.value + later.value }),
        ),
      write: (added) => this.#write(added),
      usesOf: ({ value }) => value,
    });
  }

  takeNow(counters: readonly Counter[]): Taken | undefined {
    return this.#unknown(counters).length > 0 ? undefined : this.#take(counters);
  }

  async take(counters: readonly Counter[]): Promise<Taken> {
    const keys = this.#unknown(counters);
    const found = await findCounters(this.#deps.db, keys);
    // Another request may have counted meanwhile.
    for (const key of keys)
      if (!this.#values.has(key))
        this.#values.set(key, (found.get(key) ?? 0) + (this.#added.held.find(key)?.value ?? 0));
    return this.#take(counters);
  }

  close(): Promise<void> {
    return this.#added.close();
  }

  #unknown(counters: readonly Counter[]): string[] {
    return counters.map(({ key }) => key).filter((key) => isQuota(key) && !this.#values.has(key));
  }

  #take(counters: readonly Counter[]): Taken {
    const taken = move(counters, (key) => this.#values.get(key));
    if (taken.refusing !== undefined) return taken;
    for (const [n, { key, increment, expires_at }] of counters.entries()) {
      this.#values.set(key, taken.values[n] ?? 0);
      if (isQuota(key) && increment > 0) this.#added.add({ key, value: increment, expires_at });
    }
    return taken;
  }

  /** A write with an unknown result is repeated: this can only count too much. */
  async #write(added: readonly Added[]): Promise<void> {
    const together = await addToCounters(this.#deps.db, added);
    for (const [key, value] of together) this.#values.set(key, value + (this.#added.held.find(key)?.value ?? 0));
  }
}

const isQuota = (key: string) => key.startsWith('quota ');
