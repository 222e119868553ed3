import cluster, { type Worker } from 'node:cluster';

/** The answer to a worker: where to listen, and whether no other worker serves yet. */
type Orders = { port: number; isFirst: boolean };

/** A message of a worker to the process that started it. */
export type WorkerMessage = { isAsking: true } | { lines: string } | { failed: string } | { isReady: true };

type Options = { size: number; port: number; note: (line: string) => void };

const respawnMs = 1000;
const respawnAloneMs = 100;

/** Why no worker could start, in the worker's own sentence for the operator. */
class WorkerError extends Error {
  override name = 'WorkerError';
}

/** The orders for a worker, in its own process. */
export function ordersForThisWorker(): Promise<Orders> {
  return new Promise((resolve) => {
    process.on('message', (message: unknown) => {
      if (typeof message === 'object' && message && 'orders' in message) resolve(message.orders as Orders);
    });
    process.send?.({ isAsking: true } satisfies WorkerMessage);
  });
}

/**
 * Keeps a number of workers running. The first listens at once, so that requests get a response while it waits for the database
 * or migrates; a worker that starts beside one that serves accepts requests only when it is ready. One that exits is replaced, also
 * before it ever served; one that reports why it cannot start ends the start of the server, or is started again later.
 */
export class WorkerProcesses {
  readonly #options: Options;
  readonly #workers = new Set<Worker>();
  readonly #ready = new Set<Worker>();
  readonly #failures = new Map<Worker, string>();
  readonly #greeting: string[] = [];
  #started: { resolve: (lines: string[]) => void; reject: (error: Error) => void } | undefined;
  #isClosing = false;

  constructor(options: Options) {
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

  /** Stops all of them in order. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#workers].map(ended));
  }

  #fill(): void {
    if (this.#isClosing) return;
    // Until one serves, they start one after another: of several that listen, those not ready would receive requests, too.
    const wanted = this.#ready.size > 0 ? this.#options.size : 1;
    for (let n = this.#workers.size; n < wanted; n += 1) this.#fork();
  }

  #fork(): void {
    const worker = cluster.fork();
    this.#workers.add(worker);
    worker.on('message', (message: WorkerMessage) => this.#hear(worker, message));
    worker.on('exit', (code, signal) => this.#replace(worker, signal ?? `exit code ${code}`));
  }

  #hear(worker: Worker, message: WorkerMessage): void {
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
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  worker.kill('SIGTERM');
  return exited;
}
