import { type Db, isOutage } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { addUsage, type Used } from './store.ts';
import { dayOf, isOn } from './usage.ts';

const writeMs = 1000;
const mostWaiting = 100_000;

/**
 * Counts uses of keys and writes them together, at most once a second: a crash loses at most a second of counting. While the
 * database is away they wait.
 */
export class UsageMeter {
  readonly #db: Db;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  /** By key, of the day on which each was used last. */
  #used = new Map<string, Used>();
  /** Of keys that were used on a later day since. */
  #earlier: Used[] = [];
  #writing: Promise<void> | undefined;

  constructor({ db, log }: { db: Db; log: Logger }) {
    this.#db = db;
    this.#log = log;
    this.#timer = setInterval(() => void this.#write(), writeMs).unref();
  }

  count(key_id: string, isAllowed: boolean, at: Date): void {
    const used = this.#usedOn(key_id, at);
    if (!used) return;
    if (isAllowed) {
      used.allowed += 1;
      used.last_used_at = at;
    } else used.refused += 1;
  }

  /** Writes what was counted so far. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    await this.#write();
  }

  /** What was counted of a key on the day of a moment; undefined: too much waits already. */
  #usedOn(key_id: string, at: Date): Used | undefined {
    const used = this.#used.get(key_id);
    if (used && isOn(used.day, at)) return used;
    if (this.#used.size + this.#earlier.length >= mostWaiting) return undefined;
    if (used) this.#earlier.push(used);
    const begun = { key_id, day: dayOf(at), allowed: 0, refused: 0, last_used_at: null };
    this.#used.set(key_id, begun);
    return begun;
  }

  /** Counts again what could not be written; what came meanwhile is later. */
  #keep(unwritten: Used): void {
    const { key_id, day, allowed, refused, last_used_at } = unwritten;
    const used = this.#used.get(key_id);
    if (used && isOn(used.day, day)) {
      used.allowed += allowed;
      used.refused += refused;
      used.last_used_at ??= last_used_at;
    } else if (this.#used.size + this.#earlier.length < mostWaiting) {
      if (used) this.#earlier.push(unwritten);
      else this.#used.set(key_id, unwritten);
    }
  }

  #write(): Promise<void> {
    const used = [...this.#earlier, ...this.#used.values()];
    if (this.#writing || used.length === 0) return this.#writing ?? Promise.resolve();
    this.#used = new Map();
    this.#earlier = [];
    this.#writing = addUsage(this.#db, used)
      .catch((error: unknown) => {
        for (const one of used) this.#keep(one);
        this.#log[isOutage(error) ? 'warn' : 'error']({ err: error }, 'the use of API keys was not recorded yet');
      })
      .finally(() => {
        this.#writing = undefined;
      });
    return this.#writing;
  }
}
