import type pg from 'pg';
import { isConnectionFailure } from './unavailable.ts';

/** As long as this nothing was committed, although it was tried: who asks should go to another node. */
export const stalledMs = 10_000;

const probePauseMs = 1000;
const quietMs = 3000;
const secondChanceMs = 60_000;

const isWriting = (text: string) => /\b(insert|update|delete|merge)\b/i.test(text);
const textOf = (given: unknown) =>
  typeof given === 'string' ? given : ((given as { text?: string } | null | undefined)?.text ?? '');

/**
 * Whether writes take effect. A database that answers every read may still hang or fail with each commit: its synchronous standby
 * is gone, or its disk is full.
 */
export class Commits {
  readonly #probe: () => Promise<unknown>;
  readonly #hasWritten = new WeakSet<pg.ClientBase>();
  #failingSince: number | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #probing: NodeJS.Timeout | undefined;
  #probedSince: number | undefined;
  #isClosed = false;

  /** @param probe commits a write of no effect, and resolves when it is committed */
  constructor(probe: () => Promise<unknown>) {
    this.#probe = probe;
  }

  /** Whether for ten seconds nothing was committed, although it was tried. */
  isStalled(): boolean {
    return this.#failingSince !== undefined && performance.now() - this.#failingSince >= stalledMs;
  }

  committed(): void {
    this.#failingSince = undefined;
    this.#probedSince = undefined;
    clearTimeout(this.#probing);
    this.#probing = undefined;
  }

  failed(): void {
    this.#triedAt = performance.now();
    this.#failingSince ??= this.#triedAt;
    if (!this.#isClosed) this.#probing ??= setTimeout(() => void this.#look(), probePauseMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#probing);
  }

  /** Learns from a statement what became of it. A commit after which nothing was to be written says nothing. */
  observe(client: pg.ClientBase, given: unknown, outcome: { rowCount: number | null } | { error: unknown }): void {
    const text = textOf(given);
    const isCommit = /^commit\b/i.test(text);
    if ('error' in outcome) {
      const wasWriting = isCommit ? this.#hasWritten.has(client) : isWriting(text);
      if (wasWriting && isConnectionFailure(outcome.error)) this.failed();
      return;
    }
    if (isCommit && this.#hasWritten.has(client)) this.committed();
    if (/^(begin|commit|rollback)\b/i.test(text)) {
      this.#hasWritten.delete(client);
      return;
    }
    if (!isWriting(text) || !outcome.rowCount) return;
    if (client.getTransactionStatus() === 'T') this.#hasWritten.add(client);
    else this.committed();
  }

  /**
   * Without requests, only an attempt of our own shows that commits succeed again. While requests still fail, ours must succeed for a
   * minute: one kind of write that always fails must not keep a node unready permanently.
   */
  async #look(): Promise<void> {
    this.#probing = undefined;
    if (this.#failingSince === undefined || this.#isClosed) return;
    const hasCommitted = await this.#probe().then(
      () => true,
      () => false,
    );
    const now = performance.now();
    this.#probedSince = hasCommitted ? (this.#probedSince ?? now) : undefined;
    const isQuiet = now - this.#triedAt >= quietMs;
    const isLong = this.#probedSince !== undefined && now - this.#probedSince >= secondChanceMs;
    if (hasCommitted && (isQuiet || isLong)) this.committed();
    else if (!this.#isClosed) this.#probing ??= setTimeout(() => void this.#look(), probePauseMs).unref();
  }
}
