const most = 2000;
const together = 256;

/**
 * Runs lookups in turns: those of one turn start together and become one statement; the next turn starts when it has ended. However
 * many lookups there are, the database runs one statement at a time.
 */
export class LookupQueue {
  readonly #waiting: (() => Promise<unknown>)[] = [];
  #isBusy = false;

  /** The result of a lookup; undefined, without a lookup, when too many wait already. @throws what the lookup throws */
  async run<Result>(look: () => Promise<Result>): Promise<{ result: Result } | undefined> {
    if (this.#waiting.length >= most) return undefined;
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => look().then((result) => resolve({ result }), reject));
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#waiting.length > 0) await Promise.all(this.#waiting.splice(0, together).map((look) => look()));
    this.#isBusy = false;
  }
}
