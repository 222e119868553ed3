import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../caching/index.ts';
import type { ChangeFeed, ChangeKind } from './change-feed.ts';

/**
 * What this node has read of rarely changing rows, by key: bounded, filled on demand, invalidated by the change feed, and not used while
 * the feed cannot confirm it (then every lookup queries the database). Missing rows are not cached: guessed keys would evict those in use,
 * and a row that another node has just created must be found at once.
 */
export class Cache<Value extends object> {
  readonly #entries: LRUCache<string, Value>;
  readonly #feed: ChangeFeed;
  #epoch = 0;

  /** @param keyOf the cache key for a key of the feed */
  constructor(feed: ChangeFeed, kind: ChangeKind, max: number, keyOf = (changed: string) => changed) {
    this.#entries = new LRUCache(atMostEntries(max));
    this.#feed = feed;
    feed.on(kind, (keys) => this.forget(keys === 'all' ? keys : keys.map(keyOf)));
  }

  /** The value of a key, cached or read now. */
  async get(key: string, read: () => Promise<Value | undefined>): Promise<Value | undefined> {
    if (!this.#feed.isTrusted()) return read();
    const entry = this.#entries.get(key);
    if (entry) return entry;
    const epoch = this.#epoch;
    const value = await read();
    // A value that was read while a change arrived may be older than the change.
    if (value && epoch === this.#epoch) this.#entries.set(key, value);
    return value;
  }

  /** Removes entries that are out of date, or everything. */
  forget(keys: readonly string[] | 'all'): void {
    this.#epoch += 1;
    if (keys === 'all') this.#entries.clear();
    else for (const key of keys) this.#entries.delete(key);
  }
}
