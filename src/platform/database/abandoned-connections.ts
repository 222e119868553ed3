import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { HotResult, HotStatement } from './hot-statement.ts';

type AbandonedConnection = { pid: number; ageMs: () => number; release: () => void };

/** Sends one statement on a connection that never waits for a commit. */
export type Ask = (statement: HotStatement) => Promise<HotResult>;

const firstLookMs = 20;
const pauseMs = 250;

// By the server's own clock, as `backend_start` is, and not by `latchkey_now()`; no clock of this node takes part.
// The server process that began to serve when our connection was opened, not a later one with the same process id.
const endText = `
  select held.pid, pg_terminate_backend(held.pid)
  from unnest($1::int[], $2::float8[]) as held (pid, age_ms)
  join pg_stat_activity a on a.pid = held.pid and a.datname = current_database() and a.usename = current_user
    and a.backend_start <= clock_timestamp() - held.age_ms * interval '1 ms' + interval '500 ms'`;

/**
 * Connections that this process abandoned while PostgreSQL may still hold them. A server process that waits for a synchronous standby, a disk
 * or a lost peer does not notice that its client has disconnected; opening another connection after each timeout would use up all of
 * PostgreSQL's connections. So each is terminated at the server, too, and counts until the server has released it.
 *
 * A commit that is terminated while it waits for its standby has taken effect at the primary; its client was told that the outcome is
 * unknown.
 */
export class AbandonedConnections {
  readonly #ask: Ask;
  readonly #abandoned = new Map<number, AbandonedConnection>();
  readonly #openedAt = new WeakMap<pg.ClientBase, number>();
  #isLooking = false;
  #isClosed = false;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Remembers when a connection was opened; call it right after opening. */
  opened(client: pg.ClientBase): void {
    this.#openedAt.set(client, performance.now());
  }

  /** Resolves when PostgreSQL no longer holds an abandoned connection; at once for one that was never opened. */
  released(client: pg.ClientBase): Promise<void> {
    const openedAt = this.#openedAt.get(client);
    const { processID: pid } = client as pg.ClientBase & { processID: number | null };
    if (openedAt === undefined || !pid) return Promise.resolve();
    this.#openedAt.delete(client);
    return new Promise((release) => {
      this.#abandoned.set(pid, { pid, ageMs: () => performance.now() - openedAt, release });
      if (!this.#isLooking) void this.#look();
    });
  }

  /** How many there are. */
  count(): number {
    return this.#abandoned.size;
  }

  /** Resolves once none is left; stops checking after `close`. */
  async settled(): Promise<void> {
    while (this.#abandoned.size > 0) await sleep(firstLookMs);
  }

  close(): void {
    this.#isClosed = true;
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    for (let pause = firstLookMs; this.#abandoned.size > 0 && !this.#isClosed; pause = pauseMs) {
      // Most end by themselves as soon as their socket is closed.
      await sleep(pause);
      // The database is unavailable: no connection can be opened either, so these keep counting.
      await this.#endThose([...this.#abandoned.values()]).catch(() => undefined);
    }
    this.#isLooking = false;
  }

  async #endThose(asked: AbandonedConnection[]): Promise<void> {
    const values = [asked.map(({ pid }) => pid), asked.map(({ ageMs }) => ageMs())];
    const { rows } = await this.#ask({ name: 'end abandoned connections', text: endText, values });
    const held = new Set(rows.map(({ pid }) => pid));
    for (const each of asked.filter(({ pid }) => !held.has(pid))) {
      // Another connection may have got the same process id meanwhile, and been abandoned, too.
      if (this.#abandoned.get(each.pid) === each) this.#abandoned.delete(each.pid);
      each.release();
    }
  }
}
