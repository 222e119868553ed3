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
    const day = dayOf(at);
    const used = { key_id, day, allowed: 0, refused: 0, last_used_at: null };
    this.#add(isAllowed ? { ...used, allowed: 1, last_used_at: at } : { ...used, refused: 1 });
  }

  /** Writes what was counted so far. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    await this.#write();
  }

  #add(used: Used): void {
    const place = `${used.key_id} ${used.day.getTime()}`;
    const before = this.#used.get(place);
    if (!before && this.#used.size >= mostWaiting) return;
    this.#used.set(place, before ? sum(before, used) : used);
  }

  #write(): Promise<void> {
    if (this.#writing || this.#used.size === 0) return this.#writing ?? Promise.resolve();
    const used = [...this.#used.values()];
    this.#used = new Map();
    this.#writing = addUsage(this.#db, used)
      .catch((error: unknown) => {
        for (const one of used) this.#add(one);
        this.#log[isOutage(error) ? 'warn' : 'error']({ err: error }, 'the use of API keys was not recorded yet');
      })
      .finally(() => {
        this.#writing = undefined;
      });
    return this.#writing;
  }
}

function sum(a: Used, b: Used): Used {
  const times = [a.last_used_at, b.last_used_at].filter((at) => at !== null);
  const last_used_at = times.length === 0 ? null : new Date(Math.max(...times.map(Number)));
  return { ...a, allowed: a.allowed + b.allowed, refused: a.refused + b.refused, last_used_at };
}
