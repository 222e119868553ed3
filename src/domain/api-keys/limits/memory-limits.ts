import { LRUCache } from 'lru-cache';
import { type Db, isOutage } from '../../../platform/database/index.ts';
import type { Logger } from '../../../platform/logging/index.ts';
import { type Counter, type Limits, move, type Taken } from './counters.ts';
import { addToCounters, findCounters } from './store.ts';

export type MemoryLimitsDeps = { db: Db; log: Logger };

const most = 200_000;
const writeMs = 1000;

type Added = { key: string; value: number; expires_at: Date };

/**
 * Limits that this node counts by itself, at once and exactly. Several nodes admit a rate each; a quota they tell each other of
 * once a second through the database, where it also outlives a restart, so that they admit too much by what the others took in
 * that second.
 */
export class MemoryLimits implements Limits {
  readonly #deps: MemoryLimitsDeps;
  readonly #values = new LRUCache<string, number>({ max: most });
  /** What was taken of quotas since the last write. */
  #added = new Map<string, Added>();
  #writing: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(deps: MemoryLimitsDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.#write(), writeMs).unref();
  }

  takeNow(counters: readonly Counter[]): Taken | undefined {
    return this.#unknown(counters).length > 0 ? undefined : this.#take(counters);
  }

  async take(counters: readonly Counter[]): Promise<Taken> {
    const keys = this.#unknown(counters);
    const found = await findCounters(this.#deps.db, keys);
    // Another request may have been faster, and counted by now.
    for (const key of keys)
      if (!this.#values.has(key)) this.#values.set(key, (found.get(key) ?? 0) + (this.#added.get(key)?.value ?? 0));
    return this.#take(counters);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    await this.#write();
  }

  #unknown(counters: readonly Counter[]): string[] {
    return counters.map(({ key }) => key).filter((key) => isQuota(key) && !this.#values.has(key));
  }

  #take(counters: readonly Counter[]): Taken {
    const taken = move(counters, (key) => this.#values.get(key));
    if (taken.refusing !== undefined) return taken;
    for (const [n, { key, increment, expires_at }] of counters.entries()) {
      this.#values.set(key, taken.values[n] ?? 0);
      if (!isQuota(key) || increment === 0) continue;
      this.#added.set(key, { key, value: (this.#added.get(key)?.value ?? 0) + increment, expires_at });
    }
    return taken;
  }

  #write(): Promise<void> {
    if (this.#writing || this.#added.size === 0) return this.#writing ?? Promise.resolve();
    const added = this.#added;
    this.#added = new Map();
    this.#writing = this.#add(added).finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #add(added: ReadonlyMap<string, Added>): Promise<void> {
    try {
      const together = await addToCounters(this.#deps.db, [...added.values()]);
      for (const [key, value] of together) this.#values.set(key, value + (this.#added.get(key)?.value ?? 0));
    } catch (error) {
      // Whether it was written is unknown: written again it could only count too much.
      for (const [key, one] of added)
        this.#added.set(key, { ...one, value: one.value + (this.#added.get(key)?.value ?? 0) });
      this.#deps.log[isOutage(error) ? 'warn' : 'error']({ err: error }, 'the use of quotas was not recorded yet');
    }
  }
}

const isQuota = (key: string) => key.startsWith('quota ');
