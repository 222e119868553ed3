import { Jobs } from '../../platform/jobs/index.ts';
import { openLog } from '../../platform/logging/index.ts';

/** The job queue of a command: opened by the first job that it sends, in the transaction that decides it. */
export class CommandJobs implements Pick<Jobs, 'send'> {
  readonly #jobs: Jobs;
  #opened: Promise<void> | undefined;

  constructor(databaseUrl: string, logLevel: string) {
    this.#jobs = new Jobs(databaseUrl, openLog(logLevel));
  }

  async send(...job: Parameters<Jobs['send']>): Promise<void> {
    this.#opened ??= this.#jobs.open();
    await this.#opened;
    await this.#jobs.send(...job);
  }

  async close(): Promise<void> {
    if (this.#opened) await this.#jobs.close();
  }
}
