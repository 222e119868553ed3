import { sql } from 'kysely';
import pg from 'pg';
import { atMost } from './at-most.ts';
import type { DatabaseClock } from './clock.ts';
import type { HotConnection } from './hot-connection.ts';
import type { Trx } from './open.ts';

/** Data that nodes cache, so that each change must be announced. */
export type ChangeKind =
  | 'api_key'
  | 'client'
  | 'resource_server'
  | 'role'
  | 'sign_in_policy'
  | 'signing_key'
  | 'subject'
  | 'trust';

type Row = {
  head: string;
  database_now: Date;
  snapshot: string;
  position: string | null;
  kind: ChangeKind | null;
  key: string | null;
};
type Listener = (keys: readonly string[] | 'all') => unknown;
type SnapshotListener = (snapshot: string) => unknown;

const channel = 'latchkey_changes';
const pollMs = 500;
// For a node whose caches were not used for a while; still within the second that DESIGN.md §8 promises.
const idlePollMs = 900;
const idleAfterMs = 10_000;
const farewellMs = 1000;
const connectMs = 1500;
const reconnectMs = 1000;
const trustedMs = 5000;

const readChanges = {
  name: 'read changes',
  text: `select c.position as head, latchkey_now() as database_now, pg_current_snapshot()::text as snapshot,
      x.position, x.kind, x.key
    from change_counter c left join changes x on x.position > $1::bigint and x.position <= c.position order by x.position`,
};

/**
 * Makes every node clear its caches, also one that was connected to this database before it was restored from a backup: positions skip
 * ahead, so that no node takes a missed one for known.
 */
export async function announceEverything(trx: Trx): Promise<void> {
  await sql`update change_counter set position = position + 1000000`.execute(trx);
  await sql`select pg_notify(${channel}, '')`.execute(trx);
}

/**
 * The changes that this and other nodes commit, in order. Triggers announce them (db/migrations/0028_one_change_feed.ts), so that no writer
 * can forget to: by NOTIFY where the connection allows it, and by polling in any case (DESIGN.md §8).
 */
export class ChangeFeed {
  readonly #connection: HotConnection;
  readonly #url: string;
  readonly #clock: DatabaseClock;
  readonly #listeners: { kind: ChangeKind; listener: Listener }[] = [];
  #onSnapshot: SnapshotListener = () => undefined;
  #position: bigint | undefined;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #poll: NodeJS.Timeout | undefined;
  #listening: pg.Client | undefined;
  #usedAt = performance.now();
  #isClosed = false;

  /**
   * @param connection a read-only one: writes that hang must not keep this node from reading the changes of others
   * @param clock receives the database's time with every poll of the feed
   */
  constructor(connection: HotConnection, url: string, clock: DatabaseClock) {
    this.#connection = connection;
    this.#url = url;
    this.#clock = clock;
  }

  /** Calls the listener with the changed keys, or with `all` when they cannot be known. */
  on(kind: ChangeKind, listener: Listener): void {
    this.#listeners.push({ kind, listener });
  }

  /** Calls the listener after every read with PostgreSQL's snapshot as text: while it stays the same, nothing has been committed. */
  onSnapshot(listener: SnapshotListener): void {
    this.#onSnapshot = listener;
  }

  start(): void {
    const look = async () => {
      // The database is unavailable: requests get 503 by themselves, caches are no longer used, and the next poll follows.
      await this.catchUp().catch(() => undefined);
      if (!this.#isClosed) this.#poll = setTimeout(look, this.#pauseMs()).unref();
    };
    void look();
    void this.#listen();
  }

  /** Whether all that was committed five seconds ago is known here; otherwise what is cached must not be used. */
  isTrusted(): boolean {
    this.#usedAt = performance.now();
    return performance.now() - this.#confirmedAt < trustedMs;
  }

  /** Milliseconds since the feed was last known to be complete. */
  lagMs(): number {
    return performance.now() - this.#confirmedAt;
  }

  /**
   * Resolves when everything committed before the call is known here.
   *
   * @throws when the database cannot be read
   */
  async catchUp(): Promise<void> {
    // A read in flight may have begun before the caller's commit.
    await this.#reading?.catch(() => undefined);
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#poll);
    if (this.#listening) await atMost(farewellMs, this.#listening.end());
  }

  #pauseMs(): number {
    return performance.now() - this.#usedAt > idleAfterMs ? idlePollMs : pollMs;
  }

  async #read(): Promise<void> {
    const startedAt = performance.now();
    const known = this.#position;
    const rows = await this.#clock.readWith(async () => {
      const [answer] = await this.#connection.run([{ ...readChanges, values: [String(known ?? -1n)] }]);
      return (answer?.rows ?? []) as Row[];
    });
    const head = BigInt(rows[0]?.head ?? 0);
    const changes = rows.filter(({ position }) => position !== null);
    if (known !== undefined && head !== known) this.#notify(changes, BigInt(changes.length) === head - known);
    this.#position = head;
    this.#confirmedAt = startedAt;
    this.#onSnapshot(rows[0]?.snapshot ?? '');
  }

  #notify(changes: readonly Row[], isComplete: boolean): void {
    for (const { kind, listener } of this.#listeners) {
      const keys = changes.filter((change) => change.kind === kind).map(({ key }) => key ?? '');
      if (!isComplete) listener('all');
      else if (keys.length > 0) listener(keys);
    }
  }

  /** Without a connection that can listen (pgbouncer in transaction mode) polling alone keeps the bound. */
  async #listen(): Promise<void> {
    if (this.#isClosed) return;
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'latchkey changes',
      connectionTimeoutMillis: connectMs,
      keepAlive: true,
    });
    this.#listening = client;
    client.on('error', () => undefined);
    client.on('end', () => setTimeout(() => void this.#listen(), reconnectMs).unref());
    client.on('notification', () => void this.catchUp().catch(() => undefined));
    try {
      await client.connect();
      await client.query(`listen ${channel}`);
    } catch {
      // Tried again when the connection has ended.
      await client.end().catch(() => undefined);
    }
  }
}
