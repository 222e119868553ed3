import { eventually } from './eventually.ts';
import type { Latchkey } from './latchkey.ts';
import { withStalls } from './stalls.ts';

export type LoadResult = {
  ok: number;
  unavailable: number;
  /** The number of each response other than a success or a correct 503. */
  wrong: Record<string, number>;
  slowestMs: number;
  /** The slowest without what it waited for the CPU of a busy machine. */
  slowestOwnMs: number;
  /** Milliseconds from `recovered()` to the first success after it. */
  recoveryMs: number | undefined;
};

/** Clients that refresh without pause, each with its own family, and retry with the same token after a 503. */
export class Load {
  readonly #latchkey: Latchkey;
  readonly #tokens: string[];
  readonly #result: LoadResult = {
    ok: 0,
    unavailable: 0,
    wrong: {},
    slowestMs: 0,
    slowestOwnMs: 0,
    recoveryMs: undefined,
  };
  readonly #clients: Promise<void>[];
  #isOver = false;
  #recoveredAt = Number.POSITIVE_INFINITY;

  constructor(latchkey: Latchkey, tokens: string[]) {
    this.#latchkey = latchkey;
    this.#tokens = [...tokens];
    this.#clients = tokens.map((_, n) => this.#work(n));
  }

  /** Resolves after this number of further successes. */
  async successes(count: number): Promise<void> {
    const goal = this.#result.ok + count;
    await eventually(
      () => this.#result,
      ({ ok }) => ok >= goal || this.#isOver,
      { withinMs: 120_000, pauseMs: 5 },
    );
  }

  /** Records that the database is available again. */
  recovered(): void {
    this.#recoveredAt = performance.now();
  }

  /** Stops the load and returns each family's newest token. */
  async stop(): Promise<{ result: LoadResult; tokens: string[] }> {
    this.#isOver = true;
    await Promise.all(this.#clients);
    return { result: this.#result, tokens: this.#tokens };
  }

  async #work(n: number): Promise<void> {
    while (!this.#isOver) {
      const startedAt = performance.now();
      const asked = () => this.#latchkey.refresh(this.#tokens[n] ?? '').catch((error: Error) => error.message);
      const { result: answer, ms, ownMs } = await withStalls(asked);
      this.#result.slowestMs = Math.max(this.#result.slowestMs, ms);
      this.#result.slowestOwnMs = Math.max(this.#result.slowestOwnMs, ownMs);
      if (typeof answer === 'string') this.#count(answer);
      else if (answer.status === 200) {
        this.#tokens[n] = answer.body.refresh_token;
        this.#result.ok += 1;
        if (startedAt > this.#recoveredAt)
          this.#result.recoveryMs ??= Math.round(performance.now() - this.#recoveredAt);
      } else if (answer.status === 503 && answer.headers.get('retry-after')) {
        this.#result.unavailable += 1;
        await new Promise((resolve) => setTimeout(resolve, 20));
      } else this.#count(`${answer.status} ${answer.body.error}`);
    }
  }

  #count(wrong: string): void {
    this.#result.wrong[wrong] = (this.#result.wrong[wrong] ?? 0) + 1;
  }
}
