import { type Db, isOutage } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { noteSecretUses } from './store.ts';

const writeMs = 1000;
const mostWaiting = 100_000;

/**
 * Remembers when client secrets were used last and writes it for all of them together, at most once a second: a token request
 * costs no write. A crash loses at most a second. While the database is unavailable the uses wait.
 */
export class SecretUses {
  readonly #db: Db;
  readonly #log: Logger;
  #used = new Map<string, Date>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor({ db, log }: { db: Db; log: Logger }) {
    this.#db = db;
    this.#log = log;
  }

  record(secret_id: string, at: Date): void {
    if (this.#used.size >= mostWaiting && !this.#used.has(secret_id)) return;
    this.#used.set(secret_id, at);
    this.#timer ??= setTimeout(() => void this.#write(), writeMs).unref();
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#write();
    clearTimeout(this.#timer);
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#writing || this.#used.size === 0) return this.#writing;
    const used = this.#used;
    this.#used = new Map();
    this.#writing = noteSecretUses(this.#db, used)
      .catch((error: unknown) => {
        this.#log[isOutage(error) ? 'warn' : 'error']({ err: error }, 'the use of client secrets was not recorded yet');
        for (const [id, at] of used) if (!this.#used.has(id)) this.#used.set(id, at);
      })
      .finally(() => {
        this.#writing = undefined;
        if (this.#used.size > 0) this.#timer ??= setTimeout(() => void this.#write(), writeMs).unref();
      });
    return this.#writing;
  }
}
