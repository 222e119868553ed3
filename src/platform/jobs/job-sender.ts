import { openLog } from '../logging/index.ts';
import { Jobs } from './jobs.ts';

/** Sends jobs and works on none: for commands and for the start. The queue is opened by the first job, in the same transaction. */
export class JobSender implements Pick<Jobs, 'send'> {
  readonly #jobs: Jobs;
  #opened: Promise<void> | undefined;

  constructor(databaseUrl: string, logLevel: string) {
    this.#jobs = new Jobs(databaseUrl, openLog(logLevel), { sendsOnly: true });
  }

  async send(...job: Parameters<Jobs['send']>): Promise<void> {
    this.#opened ??= this.#jobs.open().catch((error: unknown) => {
      // The start retries after an outage.
      this.#opened = undefined;
      throw error;
    });
    await this.#opened;
    await this.#jobs.send(...job);
  }

  async close(): Promise<void> {
    if (this.#opened) await this.#jobs.close();
  }
}
