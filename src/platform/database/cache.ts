import { LRUCache } from 'lru-cache';
import type { ChangeFeed, ChangeKind } from './change-feed.ts';

/**
 * What this node has read of rarely changing rows, by key: bounded, filled on demand, emptied by the change feed, and not used
 * while the feed cannot confirm it (then every look goes to the database).
 */
export class Cache<Value extends object> {
  readonly #entries: LRUCache<string, { value: Value | undefined }>;
  readonly #feed: ChangeFeed;
  #epoch = 0;

  constructor(feed: ChangeFeed, kind: ChangeKind, max: number) {
    this.#entries = new LRUCache({ max });
    this.#feed = feed;
    feed.on(kind, (keys) => this.#forget(keys));
  }

  /** The value of a key, read now or remembered; that there is none is remembered too. */
  async get(key: string, read: () => Promise<Value | undefined>): Promise<Value | undefined> {
    if (!this.#feed.isTrusted()) return read();
    const entry = this.#entries.get(key);
    if (entry) return entry.value;
    const epoch = this.#epoch;
    const value = await read();
    // What was read while a change came in may be from before it.
    if (epoch === this.#epoch) this.#entries.set(key, { value });
    return value;
  }

  #forget(keys: readonly string[] | 'all'): void {
    this.#epoch += 1;
    if (keys === 'all') this.#entries.clear();
    else for (const key of keys) this.#entries.delete(key);
  }
}
