import { eventually } from './eventually.ts';
import type { Latchkey } from './latchkey.ts';

export type LoadResult = {
  ok: number;
  unavailable: number;
  /** Anything else than a success or an orderly 503, with how often. */
  wrong: Record<string, number>;
  slowestMs: number;
  /** Milliseconds from `recovered()` to the first success after it. */
  recoveryMs: number | undefined;
};

/** Clients that refresh without pause, each its own family, and try the same token again after a 503, as they should. */
export class Load {
  readonly #latchkey: Latchkey;
  readonly #tokens: string[];
  readonly #result: LoadResult = { ok: 0, unavailable: 0, wrong: {}, slowestMs: 0, recoveryMs: undefined };
  readonly #clients: Promise<void>[];
  #isOver = false;
  #recoveredAt = Number.POSITIVE_INFINITY;

  constructor(latchkey: Latchkey, tokens: string[]) {
    this.#latchkey = latchkey;
    this.#tokens = [...tokens];
    this.#clients = tokens.map((_, n) => this.#work(n));
  }

  /** Resolves after so many more successes. */
  async successes(count: number): Promise<void> {
    const goal = this.#result.ok + count;
    await eventually(
      () => this.#result,
      ({ ok }) => ok >= goal || this.#isOver,
      { withinMs: 120_000, pauseMs: 5 },
    );
  }

  /** Notes that the database is back. */
  recovered(): void {
    this.#recoveredAt = performance.now();
  }

  /** Ends it; the tokens answered are each family's newest. */
  async stop(): Promise<{ result: LoadResult; tokens: string[] }> {
    this.#isOver = true;
    await Promise.all(this.#clients);
    return { result: this.#result, tokens: this.#tokens };
  }

  async #work(n: number): Promise<void> {
    while (!this.#isOver) {
      const startedAt = performance.now();
      const answer = await this.#latchkey.refresh(this.#tokens[n] ?? '').catch((error: Error) => error.message);
      this.#result.slowestMs = Math.max(this.#result.slowestMs, performance.now() - startedAt);
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
