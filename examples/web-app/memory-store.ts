/**
 * Sessions in this process's memory: limited in number and time, lost in a restart, not shared between processes. A real app stores its
 * sessions in its database instead.
 */
export class MemoryStore<T> {
  readonly #entries = new Map<string, { value: T; until: number }>();
  readonly #seconds: number;
  readonly #most = 1000;

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** Removes the oldest entry when there is one too many. */
  put(key: string, value: T): void {
    this.#entries.delete(key);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= this.#most) this.#entries.delete(oldest);
    this.#entries.set(key, { value, until: Date.now() + this.#seconds * 1000 });
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.until > Date.now() ? entry.value : undefined;
  }

  /** Values that can be used only once. */
  take(key: string): T | undefined {
    const value = this.get(key);
    this.#entries.delete(key);
    return value;
  }
}
