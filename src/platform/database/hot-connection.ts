import pg from 'pg';
import { atMost } from './at-most.ts';
import { DatabaseUnavailableError, isConnectionFailure } from './unavailable.ts';

export type HotStatement = { name: string; text: string; values?: unknown[] };
export type HotResult = pg.QueryResult<Record<string, unknown>>;

export type HotConnectionOptions = {
  url: string;
  /** Off behind poolers that cannot keep prepared statements. */
  prepared: boolean;
  /** Milliseconds until an unanswered statement counts as an outage; the only bound that helps when the server freezes. */
  queryTimeoutMs: number;
};

type Connected = pg.Client & { connection: pg.Connection };

const farewellMs = 1000;

// A plan made while the tables were empty would scan them for ever; generic plans save the planning (both measured,
// DESIGN.md §5). `lock_timeout` bounds the wait behind an administrator's row.
const settings = [
  'plan_cache_mode=force_generic_plan',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'enable_seqscan=off',
  'lock_timeout=250',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

/** One connection that pipelines the few hot statements; it reconnects by itself on the next use after a failure. */
export class HotConnection {
  readonly #options: HotConnectionOptions;
  #client: Promise<pg.Client> | undefined;

  constructor(options: HotConnectionOptions) {
    this.#options = options;
  }

  /**
   * Sends the statements in one packet and answers their results in order, or the first error.
   *
   * @throws DatabaseUnavailableError when the connection is lost or silent: whether anything took effect is unknown
   */
  async run(statements: HotStatement[]): Promise<HotResult[]> {
    const client = await this.#connected();
    const { stream } = client.connection;
    stream.cork();
    const answers = statements.map((statement) => client.query<Record<string, unknown>>(this.#prepared(statement)));
    // What others send before this tick is over leaves in the same packet.
    process.nextTick(() => stream.uncork());
    const settled = await Promise.allSettled(answers);
    const failed = settled.find((answer) => answer.status === 'rejected');
    if (failed) throw this.#translated(failed.reason);
    return settled.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  async close(): Promise<void> {
    const client = await (this.#client as Promise<Connected> | undefined)?.catch(() => undefined);
    this.#client = undefined;
    if (!client) return;
    await atMost(farewellMs, client.end());
    client.connection.stream.destroy();
  }

  #prepared({ name, text, values = [] }: HotStatement): pg.QueryConfig {
    return this.#options.prepared ? { name, text, values } : { text, values };
  }

  #translated(error: unknown): unknown {
    if (!isConnectionFailure(error)) return error;
    this.#drop();
    return new DatabaseUnavailableError(error);
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    void client?.then((broken) => broken.connection.stream.destroy()).catch(() => undefined);
  }

  #connected(): Promise<Connected> {
    this.#client ??= this.#connect();
    return this.#client as Promise<Connected>;
  }

  // Not async: what it returns is what `forget` compares with.
  #connect(): Promise<pg.Client> {
    const { url, prepared, queryTimeoutMs } = this.#options;
    const client = new pg.Client({
      connectionString: url,
      application_name: 'latchkey',
      connectionTimeoutMillis: queryTimeoutMs,
      query_timeout: queryTimeoutMs,
      // A pooler refuses start-up options; there they are set on the role (docs/operations.md).
      ...(prepared ? { options: settings } : {}),
      pipeline: true,
      keepAlive: true,
    } as pg.ClientConfig);
    const forget = () => {
      if (this.#client === opened) this.#client = undefined;
    };
    client.on('error', forget);
    client.on('end', forget);
    const opened = client.connect().then(
      () => client,
      (error: unknown) => {
        forget();
        throw new DatabaseUnavailableError(error);
      },
    );
    return opened;
  }
}
