import { Batched, type Collection, type Db } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { dayOf, isOn } from './usage.ts';
import { addUsage, type Used } from './usage-store.ts';

const everyMs = 1000;
const mostHeld = 100_000;
const mostAtOnce = 5000;

/**
 * Counts uses of keys and writes them together, at most once a second: a crash loses at most a second of counting. While the
 * database is unavailable they wait.
 */
export class UsageMeter {
  readonly #batched: Batched<Used, KeyUses>;

  constructor({ db, log }: { db: Db; log: Logger }) {
    this.#batched = new Batched({
      ...{ log, what: 'uses of API keys', everyMs, mostHeld, mostAtOnce },
      collect: () => new KeyUses(),
      write: (used) => addUsage(db, used),
      usesOf: ({ allowed, refused }) => allowed + refused,
    });
  }

  count(key_id: string, isAllowed: boolean, at: Date): void {
    const used = this.#batched.held.find(key_id, at);
    if (!used) {
      const [allowed, refused] = isAllowed ? [1, 0] : [0, 1];
      this.#batched.add({ key_id, day: dayOf(at), allowed, refused, last_used_at: isAllowed ? at : null });
    } else if (isAllowed) {
      used.allowed += 1;
      used.last_used_at = at;
    } else used.refused += 1;
  }

  /** Writes the counts so far. */
  close(): Promise<void> {
    return this.#batched.close();
  }
}

/** Found by key alone, without building a string for each use, because nearly all uses are on the same day. */
class KeyUses implements Collection<Used> {
  /** By key: its uses on the day on which it was last used. */
  readonly #latest = new Map<string, Used>();
  /** Uses on earlier days of keys that were used again on a later day. */
  readonly #earlier: Used[] = [];

  get size(): number {
    return this.#latest.size + this.#earlier.length;
  }

  find(key_id: string, at: Date): Used | undefined {
    const used = this.#latest.get(key_id);
    return used && isOn(used.day, at) ? used : undefined;
  }

  merge({ key_id, day, allowed, refused, last_used_at }: Used): boolean {
    const used = this.find(key_id, day);
    if (!used) return false;
    used.allowed += allowed;
    used.refused += refused;
    used.last_used_at = last_used_at ?? used.last_used_at;
    return true;
  }

  add(used: Used): void {
    const latest = this.#latest.get(used.key_id);
    if (latest) this.#earlier.push(latest);
    this.#latest.set(used.key_id, used);
  }

  items(): Used[] {
    return [...this.#earlier, ...this.#latest.values()];
  }
}
