import { setTimeout as sleep } from 'node:timers/promises';
import { isOutage } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { hasSealedLately } from './chain-store.ts';
import { type ChainHead, type SealDeps, sealNewEvents } from './sealing.ts';

const pauseMs = 200;
// Seals whatever no snapshot announced.
const longestPauseMs = 10_000;

export type SealerDeps = SealDeps & {
  log: Logger;
  /** Receives every new head. A head that was noted elsewhere can later be compared with the chain. */
  onHead?: (head: ChainHead) => unknown;
};

/**
 * Seals events about five times a second while there are any, and otherwise when the change feed reports that something was committed
 * (`notice`). Every node tries; the database admits one at a time. After an outage it seals what was left.
 */
export class Sealer {
  readonly #deps: SealerDeps;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #completeAt = performance.now();
  #isWaiting = false;
  /** The newest known snapshot of the database. */
  #noticed: string | undefined;
  /** The snapshot at which nothing was left to seal: while it is the same, there is nothing new. */
  #quiet: string | undefined;
  #wake: () => void = () => undefined;
  #newest: { number: number; head: string } | undefined;

  constructor(deps: SealerDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Receives PostgreSQL's snapshot, as text, from every read of the change feed. */
  notice(snapshot: string): void {
    this.#noticed = snapshot;
    if (this.#isQuiet()) this.#completeAt = performance.now();
    else this.#wake();
  }

  /** Milliseconds since nothing was left to seal. */
  lagMs(): number {
    return performance.now() - this.#completeAt;
  }

  /** Seals what was committed up to now, and stops. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (this.#isQuiet() && !signal.aborted) await this.#news();
      await this.#seal();
    }
  }

  #isQuiet(): boolean {
    return this.#quiet !== undefined && this.#quiet === this.#noticed;
  }

  /** Waits until something was committed, but not forever. */
  async #news(): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await sleep(longestPauseMs, undefined, { signal: woken.signal, ref: false }).catch(() => undefined);
  }

  async #seal(): Promise<void> {
    const { log, onHead } = this.#deps;
    const startedAt = performance.now();
    // What is committed from now on changes the snapshot.
    const snapshot = this.#noticed;
    try {
      const head = await sealNewEvents(this.#deps);
      // The holder of the lock may be sealing, or may block the others: recent segments show which.
      if (head || (await hasSealedLately(this.#deps.db))) this.#completeAt = startedAt;
      this.#isWaiting = false;
      if (!head) return;
      this.#compare(head);
      if (head.events === 0) {
        this.#quiet = snapshot;
        return;
      }
      log.info({ segment: head.number, head: head.head, events: head.events }, 'audit events sealed');
      onHead?.(head);
    } catch (error) {
      this.#tell(error);
    }
  }

  /** Truncation at the end leaves a valid, shorter chain: only a node that has seen the removed segments can detect it. */
  #compare({ number, head }: ChainHead): void {
    const newest = this.#newest;
    const isShorter = newest && (number < newest.number || (number === newest.number && head !== newest.head));
    if (isShorter)
      this.#deps.log.error(
        { missing: newest },
        'the audit chain has lost segments that this node has seen: if the database was restored from a backup, run "latchkey restore-check"',
      );
    this.#newest = { number, head };
  }

  /** Logs a failure once instead of five times a second; the next attempt follows. */
  #tell(error: unknown): void {
    if (isOvertaken(error)) return;
    if (!this.#isWaiting) {
      const level = isOutage(error) ? 'warn' : 'error';
      this.#deps.log[level]({ err: error }, 'audit events wait to be sealed');
    }
    this.#isWaiting = true;
  }
}

/** Another node sealed between this one's snapshot and its lock: numbers are unique, so the chain cannot fork. */
function isOvertaken(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === 'audit_segments_pkey';
}
