import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const lock = 4711;

// Not by waiting for the lock itself: `lock_timeout` would end that.
const install = (event: string, table: string) => `
  create or replace function test_hold() returns trigger language plpgsql as $$ begin
    while not pg_try_advisory_xact_lock_shared(${lock}) loop perform pg_sleep(0.005); end loop;
    return coalesce(new, old);
  end $$;
  create trigger test_hold before ${event} on ${table} for each row execute function test_hold()`;

/** Stops every row that is written to a table in the middle of its statement, until the test lets it go. */
export class HeldStatement {
  readonly #client: pg.Client;
  readonly #table: string;

  private constructor(client: pg.Client, table: string) {
    this.#client = client;
    this.#table = table;
  }

  static async hold(url: string, event: 'insert' | 'update' | 'delete', table: string): Promise<HeldStatement> {
    const client = new pg.Client({ connectionString: url, application_name: 'test' });
    await client.connect();
    await client.query('select pg_advisory_lock($1)', [lock]);
    await client.query(install(event, table));
    return new HeldStatement(client, table);
  }

  /** Resolves when a statement hangs here. */
  async reached(): Promise<void> {
    while ((await this.#pids()).length === 0) await sleep(5);
  }

  /** Ends whoever hangs here: what they began is rolled back. */
  async rollBack(): Promise<void> {
    for (const pid of await this.#pids()) await this.#client.query('select pg_terminate_backend($1, 5000)', [pid]);
  }

  /** Resolves when so many statements wait for a row that another holds. */
  async waiters(count: number): Promise<void> {
    const query = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    while ((await this.#client.query(query)).rows[0].n < count) await sleep(5);
  }

  /** Lets all go on, and holds nobody from now on. */
  async release(): Promise<void> {
    await this.#client.query('select pg_advisory_unlock($1)', [lock]);
    await this.#client.query(`drop trigger test_hold on ${this.#table}`);
    await this.#client.end();
  }

  async #pids(): Promise<number[]> {
    const query = `select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`;
    return (await this.#client.query(query)).rows.map(({ pid }) => pid);
  }
}
