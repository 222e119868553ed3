import pg from 'pg';
import type { AbandonedConnections } from './abandoned-connections.ts';
import { atMost } from './at-most.ts';
import type { HotResult, HotStatement } from './hot-statement.ts';
import { DatabaseUnavailableError, isConnectionFailure } from './unavailable.ts';

export type HotConnectionOptions = {
  url: string;
  /** Off behind poolers that cannot keep prepared statements. */
  prepared: boolean;
  /** Milliseconds until an unanswered statement counts as an outage; the only bound that helps when the server freezes. */
  queryTimeoutMs: number;
  /** The connections that were abandoned, until PostgreSQL releases them. */
  abandoned: () => AbandonedConnections;
  /** Whether another one is opened only once PostgreSQL has released the previous one; false for the connection that asks for this. */
  waitsForRelease: boolean;
};

type Connected = pg.Client & { connection: pg.Connection };

const farewellMs = 1000;
const releaseMs = 400;

// A plan made while the tables were empty would scan them for ever; generic plans save the planning (both measured, DESIGN.md §5). Hot
// statements look up few rows each, for which a bitmap is one more step. `lock_timeout` bounds the wait behind an administrator's row. The
// role may have another isolation level by default.
const settings = [
  'plan_cache_mode=force_generic_plan',
  'enable_bitmapscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'enable_seqscan=off',
  'lock_timeout=250',
  'default_transaction_isolation=read\\ committed',
]
  .map((setting) => `-c ${setting}`)
  .join(' ');

/** One connection that pipelines the few hot statements; it reconnects by itself on the next use after a failure. */
export class HotConnection {
  readonly #options: HotConnectionOptions;
  #connecting: Promise<Connected> | undefined;
  #client: Connected | undefined;
  #release: Promise<void> | undefined;

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
    if (failed) throw this.#translated(client, failed.reason);
    return settled.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  /** Abandons the connection. The next use opens another, possibly to another server. */
  async close(): Promise<void> {
    const client = await this.#connecting?.catch(() => undefined);
    this.#connecting = undefined;
    if (!client) return;
    await atMost(farewellMs, client.end());
    this.#drop(client);
  }

  #prepared({ name, text, values = [] }: HotStatement): pg.QueryConfig {
    return this.#options.prepared ? { name, text, values } : { text, values };
  }

  #translated(client: Connected, error: unknown): unknown {
    if (!isConnectionFailure(error)) return error;
    this.#drop(client);
    return new DatabaseUnavailableError(error);
  }

  #drop(client: Connected): void {
    client.connection.stream.destroy();
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#connecting = undefined;
    const release = this.#options
      .abandoned()
      .released(client)
      .then(() => {
        if (this.#release === release) this.#release = undefined;
      });
    this.#release = release;
  }

  #connected(): Promise<Connected> {
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#connecting = undefined;
      throw new DatabaseUnavailableError(error);
    });
    return this.#connecting;
  }

  async #connect(): Promise<Connected> {
    if (this.#options.waitsForRelease) await this.#released();
    const client = this.#newClient();
    const leave = () => this.#drop(client);
    client.on('error', leave);
    client.on('end', leave);
    await client.connect();
    this.#options.abandoned().opened(client);
    this.#client = client;
    return client;
  }

  async #released(): Promise<void> {
    let isHeld = this.#release !== undefined;
    const release = this.#release?.then(() => {
      isHeld = false;
    });
    if (release) await atMost(releaseMs, release);
    if (isHeld) throw new Error('PostgreSQL still holds the connection that was abandoned before');
  }

  #newClient(): Connected {
    const { url, prepared, queryTimeoutMs } = this.#options;
    return new pg.Client({
      connectionString: url,
      application_name: 'latchkey',
      connectionTimeoutMillis: queryTimeoutMs,
      query_timeout: queryTimeoutMs,
      // A pooler refuses start-up options; there they are set on the role (docs/operations.md).
      ...(prepared ? { options: settings } : {}),
      pipeline: true,
      keepAlive: true,
    } as pg.ClientConfig) as Connected;
  }
}
