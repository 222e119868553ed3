import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../caching/index.ts';
import type { ChangeFeed, ChangeKind } from './change-feed.ts';

/**
 * What this node has read of rarely changing rows, by key: bounded, filled on demand, emptied by the change feed, and not used
 * while the feed cannot confirm it (then every look goes to the database). That there is no such row is not remembered: who
 * guesses keys would drive out those in use, and what another node has just made works at once.
 */
export class Cache<Value extends object> {
  readonly #entries: LRUCache<string, Value>;
  readonly #feed: ChangeFeed;
  #epoch = 0;

  /** @param keyOf the key under which what the feed calls so is remembered */
  constructor(feed: ChangeFeed, kind: ChangeKind, max: number, keyOf = (changed: string) => changed) {
    this.#entries = new LRUCache(atMostEntries(max));
    this.#feed = feed;
    feed.on(kind, (keys) => this.forget(keys === 'all' ? keys : keys.map(keyOf)));
  }

  /** The value of a key, remembered or read now. */
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

  /** Forgets what this node knows to be old, or everything. */
  forget(keys: readonly string[] | 'all'): void {
    this.#epoch += 1;
    if (keys === 'all') this.#entries.clear();
    else for (const key of keys) this.#entries.delete(key);
  }
}
