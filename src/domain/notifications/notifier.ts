import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { Logger } from '../../platform/logging/index.ts';
import { chainHead } from '../audit/index.ts';
import { type Cursor, dueCursors, insertCursor, type Lease, releaseCursor, takeCursor } from './cursor-store.ts';
import { type DeliveryDeps, deliverTo } from './delivery.ts';
import { standardOutput, type Write, writeLines } from './standard-output.ts';

export type NotifierDeps = Omit<DeliveryDeps, 'closing'> & {
  log: Logger;
  /** Where sealed events go as JSON lines; undefined: nowhere. */
  write?: Write | undefined;
};

// Finds work that no seal of this node and no job announces: segments of other nodes, and the audiences of a node that crashed.
const lookMs = 10_000;
const busyMs = 1000;

/**
 * Delivers sealed events to their audiences concurrently, each with its own cursor. A seal of this node starts it at once, and a job
 * when a retry is due; it also looks every ten seconds, because it must not depend on these.
 */
export class Notifier {
  readonly #deps: NotifierDeps;
  readonly #closing = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #again = new Set<string>();
  #looking: Promise<void> | undefined;
  #mustLookAgain = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: NotifierDeps) {
    this.#deps = deps;
    deps.jobs.handle('webhook-retry', async ({ name }) => this.#wake(String(name)));
  }

  /** Starts; a new audience begins at the end of the chain. */
  async start(): Promise<void> {
    const { db, write } = this.#deps;
    if (write) await insertCursor(db, standardOutput, await chainHead(db));
    const look = () => {
      this.look();
      this.#timer = setTimeout(look, lookMs).unref();
    };
    look();
  }

  /** Starts deliveries to all receivers with pending messages. */
  look(): void {
    this.#mustLookAgain = true;
    this.#looking ??= this.#lookAll().finally(() => {
      this.#looking = undefined;
    });
  }

  /** Waits for running attempts. Another node, or the next start, sends the rest. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#looking;
    await Promise.all(this.#running.values());
  }

  async #lookAll(): Promise<void> {
    const { db, log, now } = this.#deps;
    while (this.#mustLookAgain && !this.#closing.signal.aborted) {
      this.#mustLookAgain = false;
      try {
        for (const name of await dueCursors(db, now())) this.#wake(name);
      } catch (error) {
        log.warn({ err: error }, 'notifications wait for the database');
      }
    }
  }

  #wake(name: string): void {
    if (this.#closing.signal.aborted || (name === standardOutput && !this.#deps.write)) return;
    this.#again.add(name);
    if (this.#running.has(name)) return;
    const running = this.#serve(name).finally(() => this.#running.delete(name));
    this.#running.set(name, running);
  }

  async #serve(name: string): Promise<void> {
    const { signal } = this.#closing;
    while (this.#again.has(name) && !signal.aborted) {
      this.#again.delete(name);
      try {
        if (await this.#serveOnce(name)) continue;
        // Another node is sending, and may have checked for the last time before the event that started this one.
        this.#again.add(name);
        await sleep(busyMs, undefined, { signal, ref: false }).catch(() => undefined);
      } catch (error) {
        this.#deps.log.warn({ err: error, audience: name }, 'an event receiver is waiting');
      }
    }
  }

  /** @returns false while another node has the cursor */
  async #serveOnce(name: string): Promise<boolean> {
    const { db, now, log } = this.#deps;
    const lease = { name, id: uuidv7() };
    const cursor = await takeCursor(db, lease, now());
    if (!cursor) return !(await dueCursors(db, now())).includes(name);
    try {
      await this.#bring(lease, cursor);
    } finally {
      await releaseCursor(db, lease).catch((error: unknown) =>
        log.warn({ err: error }, 'a lease was not released, and expires'),
      );
    }
    return true;
  }

  async #bring(lease: Lease, cursor: Cursor): Promise<void> {
    const { write } = this.#deps;
    const deps = { ...this.#deps, closing: this.#closing.signal };
    if (lease.name !== standardOutput) return deliverTo(deps, lease, cursor);
    return write && writeLines({ ...deps, write }, lease, cursor);
  }
}
