import pg from 'pg';
import { eventually } from './eventually.ts';

const lock = 4711;
/** Stopped transactions share this lock until they end: between two attempts at the other one, a busy machine may show no wait. */
const mark = 4712;

// It does not wait for the lock itself: `lock_timeout` would cancel that.
const wait = `perform pg_advisory_xact_lock_shared(${mark});
    while not pg_try_advisory_xact_lock_shared(${lock}) loop perform pg_sleep(0.005); end loop;`;

const holdRows = `create or replace function test_hold() returns trigger language plpgsql as $$ begin
    ${wait} return coalesce(new, old);
  end $$`;

// Sequences are not transactional: the count stays although the counted definitions are rolled back.
const holdDefinition = (nth: number) => `create schema test_hold;
  create sequence test_hold.definitions;
  create function test_hold.hold() returns event_trigger language plpgsql as $$ begin
    if nextval('test_hold.definitions') <> ${nth} then return; end if;
    ${wait}
  end $$;
  create event trigger test_hold on ddl_command_end execute function test_hold.hold()`;

/**
 * Dropping a trigger locks the partitions of a table before the table, and readers lock in the opposite order: with the table locked
 * first, they do not deadlock.
 */
export function dropTrigger(table: string, name = 'test_hold'): string {
  return `lock table ${table} in access exclusive mode; drop trigger ${name} on ${table}`;
}

/** Stops every statement that writes a row to a table, until the test releases it. */
export class HeldStatement {
  readonly #client: pg.Client;
  readonly #removal: string;

  private constructor(client: pg.Client, removal: string) {
    this.#client = client;
    this.#removal = removal;
  }

  /** @param when a condition of the row, in SQL; by default every row */
  static hold(
    url: string,
    event: 'insert' | 'update' | 'delete',
    table: string,
    when = 'true',
  ): Promise<HeldStatement> {
    const trigger = `create trigger test_hold before ${event} on ${table} for each row when (${when}) execute function test_hold()`;
    return HeldStatement.#install(url, `${holdRows}; ${trigger}`, dropTrigger(table));
  }

  /** Stops the commit of every transaction that has inserted into a table. */
  static holdCommit(url: string, table: string): Promise<HeldStatement> {
    const trigger = `create constraint trigger test_hold after insert on ${table} deferrable initially deferred
      for each row execute function test_hold()`;
    return HeldStatement.#install(url, `${holdRows}; ${trigger}`, dropTrigger(table));
  }

  /** Stops the nth statement from now that creates, alters or drops something. */
  static holdDefinition(url: string, nth: number): Promise<HeldStatement> {
    const removal = 'drop event trigger test_hold; drop schema test_hold cascade';
    return HeldStatement.#install(url, holdDefinition(nth), removal);
  }

  static async #install(url: string, trap: string, removal: string): Promise<HeldStatement> {
    const client = new pg.Client({ connectionString: url, application_name: 'test' });
    await client.connect();
    await client.query('select pg_advisory_lock($1)', [lock]);
    await client.query(trap);
    return new HeldStatement(client, removal);
  }

  /** Resolves when a statement is stopped. */
  async reached(): Promise<void> {
    await eventually(
      () => this.#pids(),
      ({ length }) => length > 0,
      { withinMs: 120_000, pauseMs: 5 },
    );
  }

  /** Terminates the stopped connections, so that their transactions are rolled back. */
  async rollBack(): Promise<void> {
    for (const pid of await this.#pids()) await this.#client.query('select pg_terminate_backend($1, 5000)', [pid]);
  }

  /** Resolves when this number of statements waits for a locked row. */
  async waiters(count: number): Promise<void> {
    const query = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await eventually(
      () => this.#client.query(query),
      ({ rows }) => rows[0].n >= count,
      { pauseMs: 5 },
    );
  }

  /** Releases all statements, and stops no more. */
  async release(): Promise<void> {
    await this.#client.query('select pg_advisory_unlock($1)', [lock]);
    await this.#client.query(this.#removal);
    await this.#client.end();
  }

  /** The number of definitions since `holdDefinition`. */
  async definitions(): Promise<number> {
    return (await this.#client.query('select last_value::int as n from test_hold.definitions')).rows[0].n;
  }

  async #pids(): Promise<number[]> {
    const query = `select l.pid from pg_locks l join pg_database d on d.oid = l.database
      where d.datname = current_database() and l.locktype = 'advisory' and l.classid = 0 and l.objid = $1`;
    return (await this.#client.query(query, [mark])).rows.map(({ pid }) => pid);
  }
}
