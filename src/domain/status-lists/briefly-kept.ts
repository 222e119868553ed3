import { LRUCache } from 'lru-cache';

/**
 * Values that are read at most once in so many milliseconds a key, however many ask. Counted from when the reading began: what
 * it says was true then. A failure is told to those who wait, and not kept.
 */
export class BrieflyKept<Key extends number | string, Value> {
  readonly #read: (key: Key, previous: Value | undefined) => Promise<Value>;
  readonly #keptMs: number;
  readonly #kept: LRUCache<Key, { value: Value; readAt: number }>;
  readonly #reading = new Map<Key, Promise<Value>>();

  constructor(
    read: (key: Key, previous: Value | undefined) => Promise<Value>,
    { keptMs, most }: { keptMs: number; most: number },
  ) {
    this.#read = read;
    this.#keptMs = keptMs;
    this.#kept = new LRUCache({ max: most });
  }

  async get(key: Key): Promise<Value> {
    const kept = this.#kept.get(key);
    if (kept && performance.now() - kept.readAt < this.#keptMs) return kept.value;
    const reading = this.#reading.get(key);
    if (reading) return reading;
    const begun = this.#refresh(key, kept?.value).finally(() => this.#reading.delete(key));
    this.#reading.set(key, begun);
    return begun;
  }

  async #refresh(key: Key, previous: Value | undefined): Promise<Value> {
    const readAt = performance.now();
    const value = await this.#read(key, previous);
    this.#kept.set(key, { value, readAt });
    return value;
  }
}
