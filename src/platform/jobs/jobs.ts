import type { JobResult, PgBoss } from 'pg-boss';
import type { Logger } from 'pino';
import { atMost, idleConnectionMs, type Trx } from '../database/index.ts';
import { type JobName, pollSeconds, retryPollSeconds } from './queues.ts';

export type JobHandler = (data: Record<string, unknown>) => Promise<void>;

type Waiting = { id: string; data: Record<string, unknown> };

const graceMs = 5000;
// A connection without an answer is closed after this time, and replaced; pg-boss's own longest statement deletes old jobs.
const queryTimeoutMs = 15_000;
// A caller that waits this long for a connection gets an error; the place of an abandoned connection is free by then.
const connectMs = 5000;
const atOnce = 10;
const readinessPauseMs = 500;

export type JobsOptions = {
  /** Whether this node may work on jobs now; one with a wrong clock does not. */
  isReady?: () => boolean;
  /** Whether this node listens for new jobs on a connection of its own (LISTEN). A pooler in transaction mode delivers no notifications. */
  listens?: boolean;
  /** Whether it neither works on jobs nor sends scheduled ones. */
  sendsOnly?: boolean;
};

/** Sends jobs within the transaction that decides them, and works on them once started. */
export class Jobs {
  readonly #url: string;
  #boss: Promise<PgBoss> | undefined;
  readonly #log: Logger;
  readonly #handlers = new Map<JobName, JobHandler>();
  readonly #isReady: () => boolean;
  readonly #listens: boolean;
  readonly #sendsOnly: boolean;
  #onFailure: (name: JobName) => void = () => undefined;
  #isStarted = false;
  readonly #working = new Set<JobName>();
  #watch: NodeJS.Timeout | undefined;

  constructor(
    url: string,
    log: Logger,
    { isReady = () => true, listens = false, sendsOnly = false }: JobsOptions = {},
  ) {
    this.#isReady = isReady;
    this.#listens = listens;
    this.#sendsOnly = sendsOnly;
    this.#log = log;
    this.#url = url;
  }

  /** Enqueues a job, to be done now or after some seconds: it exists if and only if the transaction commits. */
  async send(trx: Trx, name: JobName, data: Record<string, unknown>, afterSeconds = 0): Promise<void> {
    const { fromKysely } = await import('pg-boss');
    await (await this.#opened()).send(name, data, { db: fromKysely(trx), startAfter: afterSeconds });
  }

  /** Registers the handler for jobs of a name; called before `start`. */
  handle(name: JobName, handler: JobHandler): void {
    this.#handlers.set(name, handler);
  }

  /** Calls the listener for every job that fails here. */
  onFailure(listener: (name: JobName) => void): void {
    this.#onFailure = listener;
  }

  /** Lets jobs be sent without working on any, as a command does, until `close`. */
  async open(): Promise<void> {
    await (await this.#opened()).start();
    this.#isStarted = true;
  }

  /** Starts working, while this node is ready; a job whose handler throws is retried as its queue defines. */
  async start(): Promise<void> {
    await this.open();
    await this.#followReadiness();
    this.#watch = setInterval(() => {
      this.#followReadiness().catch((error: unknown) => this.#log.warn({ err: error }, 'jobs wait for the database'));
    }, readinessPauseMs).unref();
  }

  /** Waits for running jobs, for at most five seconds; the others are done by another node or after the next start. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    if (!this.#isStarted) return;
    const boss = await this.#opened();
    await atMost(graceMs + 1000, boss.stop({ graceful: true, timeout: graceMs }));
  }

  /** Loaded at its first use: commands that send no job start faster. */
  #opened(): Promise<PgBoss> {
    this.#boss ??= import('pg-boss').then(({ PgBoss }) => {
      const boss = new PgBoss({
        connectionString: this.#url,
        max: 2,
        migrate: false,
        createSchema: false,
        reindex: false,
        // pg-boss's list of instances, which measures the event loop fifty times a second, and jobs that depend on others: not used here.
        registerInstance: false,
        flowIntervalSeconds: 3600,
        supervise: !this.#sendsOnly,
        schedule: !this.#sendsOnly,
        useListenNotify: this.#listens,
        application_name: 'latchkey jobs',
        connectionTimeoutMillis: connectMs,
        // pg-boss passes its settings to the pool of node-postgres, which has more settings than pg-boss declares.
        ...{ query_timeout: queryTimeoutMs, keepAlive: true, idleTimeoutMillis: idleConnectionMs },
      });
      // pg-boss resumes when the database is back.
      return boss.on('error', (error) => this.#log.warn({ err: error }, 'jobs wait for the database'));
    });
    return this.#boss;
  }

  async #followReadiness(): Promise<void> {
    const isReady = this.#isReady();
    for (const [name, handler] of this.#handlers) {
      if (isReady === this.#working.has(name)) continue;
      if (isReady) {
        this.#working.add(name);
        await this.#work(name, handler).catch((error: unknown) => {
          this.#working.delete(name);
          throw error;
        });
      } else {
        this.#working.delete(name);
        await (await this.#opened()).offWork(name, { wait: false });
      }
    }
  }

  async #work(name: JobName, handler: JobHandler): Promise<void> {
    // Each is settled separately; if a full batch was fetched, the next one is fetched at once.
    const options = {
      batchSize: atOnce,
      burstWhenBatchFull: true,
      perJobResults: true,
      pollingIntervalSeconds: pollSeconds[name],
      notifyPollingIntervalSeconds: retryPollSeconds[name],
    } as const;
    const boss = await this.#opened();
    await boss.work<Record<string, unknown>, void, typeof options>(name, options, (jobs) =>
      Promise.all(jobs.map(({ id, data }) => this.#run(name, handler, { id, data: data ?? {} }))),
    );
  }

  async #run(name: JobName, handler: JobHandler, { id, data }: Waiting): Promise<JobResult> {
    try {
      // Fetched just before the clock was found to be wrong.
      if (!this.#isReady()) throw new Error('this node is not ready and runs no jobs');
      await handler(data);
      return { id, status: 'completed' };
    } catch (error) {
      this.#onFailure(name);
      this.#log.warn({ err: error, job: name }, 'a job failed and will be retried');
      return { id, status: 'failed', output: { message: error instanceof Error ? error.message : String(error) } };
    }
  }
}
