import { type Db, isOutage } from '../platform/database/index.ts';
import type { Logger } from '../platform/logging/index.ts';
import { addUsage, type Used } from './store.ts';
import { dayOf } from './usage.ts';

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
  #used = new Map<string, Used>();
  #writing: Promise<void> | undefined;

  constructor({ db, log }: { db: Db; log: Logger }) {
    this.#db = db;
    this.#log = log;
    this.#timer = setInterval(() => void this.#write(), writeMs).unref();
  }

  count(key_id: string, isAllowed: boolean, at: Date): void {
    const used = this.#usedOn(key_id, dayOf(at));
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

  /** What was counted of a key on a day; undefined: too much waits already. */
  #usedOn(key_id: string, day: Date): Used | undefined {
    const place = `${key_id} ${day.getTime()}`;
    const used = this.#used.get(place);
    if (used || this.#used.size >= mostWaiting) return used;
    const begun = { key_id, day, allowed: 0, refused: 0, last_used_at: null };
    this.#used.set(place, begun);
    return begun;
  }

  /** Counts again what could not be written; what came meanwhile is later. */
  #keep({ key_id, day, allowed, refused, last_used_at }: Used): void {
    const used = this.#usedOn(key_id, day);
    if (!used) return;
    used.allowed += allowed;
    used.refused += refused;
    used.last_used_at ??= last_used_at;
  }

  #write(): Promise<void> {
    if (this.#writing || this.#used.size === 0) return this.#writing ?? Promise.resolve();
    const used = [...this.#used.values()];
    this.#used = new Map();
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
