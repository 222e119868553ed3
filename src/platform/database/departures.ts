import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { HotResult, HotStatement } from './hot-statement.ts';

type Departed = { pid: number; ageMs: () => number; tell: () => void };

/** Sends one statement on a connection that never waits for a commit. */
export type Ask = (statement: HotStatement) => Promise<HotResult>;

const firstLookMs = 20;
const pauseMs = 250;

// By the server's own clock, as `backend_start` is, and not by `latchkey_now()`; no clock of this node takes part.
// The process that began to serve when our connection was opened, and no later one that was given the same number.
const endText = `
  select held.pid, pg_terminate_backend(held.pid)
  from unnest($1::int[], $2::float8[]) as held (pid, age_ms)
  join pg_stat_activity a on a.pid = held.pid and a.datname = current_database() and a.usename = current_user
    and a.backend_start <= clock_timestamp() - held.age_ms * interval '1 ms' + interval '500 ms'`;

/**
 * Connections that this process gave up while PostgreSQL may still hold them. A server process that waits for a synchronous
 * standby, a disk or a lost peer does not notice that its client has gone; who only opened another one would, timeout after
 * timeout, use up all connections there are. So each is ended at the server too, and counts until the server has let it go.
 *
 * A commit that is ended while it waits for its standby has taken effect at the primary; its client was told that the outcome is
 * unknown.
 */
export class Departures {
  readonly #ask: Ask;
  readonly #departed = new Map<number, Departed>();
  readonly #openedAt = new WeakMap<pg.ClientBase, number>();
  #isLooking = false;
  #isClosed = false;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Remembers since when a connection is open; to be called once it is. */
  opened(client: pg.ClientBase): void {
    this.#openedAt.set(client, performance.now());
  }

  /** Resolves when PostgreSQL no longer holds a connection that was given up; at once for one that was never opened. */
  gone(client: pg.ClientBase): Promise<void> {
    const openedAt = this.#openedAt.get(client);
    const { processID: pid } = client as pg.ClientBase & { processID: number | null };
    if (openedAt === undefined || !pid) return Promise.resolve();
    this.#openedAt.delete(client);
    return new Promise((tell) => {
      this.#departed.set(pid, { pid, ageMs: () => performance.now() - openedAt, tell });
      if (!this.#isLooking) void this.#look();
    });
  }

  /** How many there are. */
  count(): number {
    return this.#departed.size;
  }

  /** Resolves once none is left; looks no more after `close`. */
  async settled(): Promise<void> {
    while (this.#departed.size > 0) await sleep(firstLookMs);
  }

  close(): void {
    this.#isClosed = true;
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    for (let pause = firstLookMs; this.#departed.size > 0 && !this.#isClosed; pause = pauseMs) {
      // Most end by themselves as soon as their socket is closed.
      await sleep(pause);
      // The database is away: nothing can be opened there either, so that they may as well count on.
      await this.#endThose([...this.#departed.values()]).catch(() => undefined);
    }
    this.#isLooking = false;
  }

  async #endThose(asked: Departed[]): Promise<void> {
    const values = [asked.map(({ pid }) => pid), asked.map(({ ageMs }) => ageMs())];
    const { rows } = await this.#ask({ name: 'end departed', text: endText, values });
    const held = new Set(rows.map(({ pid }) => pid));
    for (const departed of asked.filter(({ pid }) => !held.has(pid))) {
      // Another connection may have been given the same number meanwhile, and been given up, too.
      if (this.#departed.get(departed.pid) === departed) this.#departed.delete(departed.pid);
      departed.tell();
    }
  }
}
