import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';

/** A separate PostgreSQL that a test can stop, freeze and fill. */
export class PrivatePostgres {
  readonly #folder: string;
  readonly #settings: Record<string, string>;
  #keeper: ChildProcess | undefined;
  #url = '';

  private constructor(folder: string, settings: Record<string, string>) {
    this.#folder = folder;
    this.#settings = settings;
  }

  /** @param parent the parent of its data folder; default: the temporary folder */
  static async open(settings: Record<string, string> = {}, parent = os.tmpdir()): Promise<PrivatePostgres> {
    const folder = await mkdtemp(path.join(parent, 'latchkey-private-'));
    const postgres = new PrivatePostgres(folder, settings);
    await postgres.start();
    return postgres;
  }

  get url(): string {
    return this.#url;
  }

  /** Starts it, on a new port. */
  async start(): Promise<void> {
    const given = [this.#folder, JSON.stringify(this.#settings)];
    this.#keeper = fork(path.join(import.meta.dirname, 'postgres-process.ts'), given, { execArgv: [] });
    const [{ url }] = await once(this.#keeper, 'message');
    this.#url = url;
  }

  async stop(): Promise<void> {
    const keeper = this.#keeper;
    this.#keeper = undefined;
    if (!keeper || keeper.exitCode !== null || keeper.signalCode !== null) return;
    const exited = once(keeper, 'exit');
    keeper.kill('SIGTERM');
    await exited;
  }

  /** The ids of its processes that serve connections of Latchkey servers. */
  async backends(): Promise<number[]> {
    return this.query(`select pid from pg_stat_activity where application_name like 'latchkey%'`, 'pid');
  }

  async query<T>(text: string, column: string): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(text)).rows.map((row) => row[column]);
    } finally {
      await client.end();
    }
  }

  /** Ends at once, like a crash, and does not restart. */
  async crash(): Promise<void> {
    const file = await readFile(path.join(this.#folder, 'postgres/postmaster.pid'), 'utf8');
    const postmaster = Number.parseInt(file, 10);
    // 0 would be the group of this process.
    if (!(postmaster > 1)) throw new Error(`no process id: ${file}`);
    process.kill(postmaster, 'SIGQUIT');
    await this.stop();
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
