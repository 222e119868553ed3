import cluster, { type Worker } from 'node:cluster';

/** What a worker is told when it asks: where to listen, and whether nobody serves yet. */
type Orders = { port: number; isFirst: boolean };

/** What a worker tells the process that started it. */
export type ToCrew = { isAsking: true } | { lines: string } | { failed: string } | { isReady: true };

type CrewOptions = { size: number; port: number; note: (line: string) => void };

const respawnMs = 1000;
const respawnAloneMs = 100;

/** Why no worker could start, in the worker's own sentence for the operator. */
class WorkerError extends Error {
  override name = 'WorkerError';
}

/** In a worker: its orders. */
export function ordersForThisWorker(): Promise<Orders> {
  return new Promise((resolve) => {
    process.on('message', (message: unknown) => {
      if (typeof message === 'object' && message && 'orders' in message) resolve(message.orders as Orders);
    });
    process.send?.({ isAsking: true } satisfies ToCrew);
  });
}

/**
 * Keeps so many workers at work. The first listens at once, so that there is an answer while it waits for the database or migrates;
 * whoever starts beside one that serves takes requests only when it is ready. One that dies is replaced, also before it ever served;
 * one that says why it cannot start ends the start of the server, and later is tried again.
 */
export class Crew {
  readonly #options: CrewOptions;
  readonly #workers = new Set<Worker>();
  readonly #ready = new Set<Worker>();
  readonly #failures = new Map<Worker, string>();
  readonly #greeting: string[] = [];
  #started: { resolve: (lines: string[]) => void; reject: (error: Error) => void } | undefined;
  #isClosing = false;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  /**
   * Resolves with the first worker's greeting when all serve for the first time.
   *
   * @throws WorkerError; the reason of the signal
   */
  start(signal: AbortSignal): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#started = { resolve, reject };
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#fill();
    });
  }

  /** Ends all of them in order. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#workers].map(ended));
  }

  #fill(): void {
    if (this.#isClosing) return;
    // As long as nobody serves, one after the other: of several that listen at once, those not ready would answer for those that are.
    const wanted = this.#ready.size > 0 ? this.#options.size : 1;
    for (let n = this.#workers.size; n < wanted; n += 1) this.#fork();
  }

  #fork(): void {
    const worker = cluster.fork();
    this.#workers.add(worker);
    worker.on('message', (message: ToCrew) => this.#hear(worker, message));
    worker.on('exit', (code, signal) => this.#replace(worker, signal ?? `exit code ${code}`));
  }

  #hear(worker: Worker, message: ToCrew): void {
    const { port } = this.#options;
    if ('isAsking' in message) worker.send({ orders: { port, isFirst: this.#ready.size === 0 } satisfies Orders });
    if ('lines' in message) this.#greeting.push(message.lines);
    if ('failed' in message) this.#failures.set(worker, message.failed);
    if (!('isReady' in message)) return;
    this.#ready.add(worker);
    this.#fill();
    if (this.#ready.size < this.#options.size) return;
    this.#started?.resolve(this.#greeting.slice(0, 1));
    this.#started = undefined;
  }

  #replace(worker: Worker, how: string): void {
    const failure = this.#failures.get(worker);
    this.#workers.delete(worker);
    this.#ready.delete(worker);
    this.#failures.delete(worker);
    if (this.#isClosing) return;
    if (failure !== undefined && this.#started) {
      this.#started.reject(new WorkerError(failure));
      return;
    }
    this.#options.note(`A worker exited (${failure ?? how}) and is being replaced.`);
    setTimeout(() => this.#fill(), this.#ready.size === 0 ? respawnAloneMs : respawnMs);
  }
}

function ended(worker: Worker): Promise<unknown> {
  const gone = new Promise((resolve) => worker.once('exit', resolve));
  worker.kill('SIGTERM');
  return gone;
}
