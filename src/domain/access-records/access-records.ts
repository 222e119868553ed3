import { v7 as uuidv7 } from 'uuid';
import { digest } from '../../platform/crypto/index.ts';
import { type Db, isOutage } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { CountedRecords } from './counted-records.ts';
import { type AccessRecord, insertAccessRecords } from './store.ts';

export type AccessRecordsDeps = { db: Db; now: () => Date; log: Logger };

/** One use of a credential. */
export type Use = {
  kind: 'introspection' | 'userinfo' | 'verification' | 'exchange';
  /** What the user of the credential was told. */
  outcome: 'active' | 'inactive' | 'refused';
  /** Who asked about it, by `client_id` or id; undefined where its holder used it here, and where a proxy asked. */
  caller?: string | undefined;
  /** Finds the credential: SHA-256 of an opaque token, the `jti` of a JWT, the id of an API key. Never its value. */
  credential?: string | undefined;
  client_id?: string | undefined;
  user_id?: string | undefined;
  address?: string | undefined;
  request_id?: string | undefined;
};

/** How an opaque credential is named where it must not stand itself: its SHA-256 in hex. */
export const credentialName = (value: string): string => digest(value).toString('hex');

const flushMs = 500;
// What one statement writes, and what may wait while the database is away.
const mostAtOnce = 1000;
const mostWaiting = 10_000;

/**
 * Collects uses and writes them twice a second, equal ones (all but the request) as one row that counts them: the hot path only
 * adds to a map. A crash loses at most half a second of them (DESIGN.md §4); while the database is away they wait, and
 * beyond a bound they are dropped and counted in the log.
 */
export class AccessRecords {
  readonly #deps: AccessRecordsDeps;
  #counted = new CountedRecords();
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;

  constructor(deps: AccessRecordsDeps) {
    this.#deps = deps;
  }

  record(use: Use): void {
    const { caller = null, credential = null, client_id = null, user_id = null, address = null } = use;
    const used = { kind: use.kind, outcome: use.outcome, caller, credential, client_id, user_id, address };
    const occurred_at = this.#deps.now();
    const counted = this.#counted.find(used);
    if (counted) {
      counted.uses += 1;
      counted.last_at = occurred_at;
      return;
    }
    if (this.#counted.size >= mostWaiting) {
      this.#dropped += 1;
      return;
    }
    const { request_id = null } = use;
    this.#counted.add({
      ...{ id: uuidv7(), ...used, request_id, uses: 1, occurred_at, last_at: occurred_at },
      ...{ credential_version: null, permissions: null },
    });
    this.#timer ??= setTimeout(() => void this.#flush(), flushMs).unref();
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#flush();
    clearTimeout(this.#timer);
  }

  #flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
      this.#timer = this.#counted.size > 0 ? setTimeout(() => void this.#flush(), flushMs).unref() : undefined;
    });
    return this.#writing;
  }

  async #write(): Promise<void> {
    const { db, log } = this.#deps;
    const records = this.#counted.all();
    this.#counted = new CountedRecords();
    try {
      while (records.length > 0) {
        await insertAccessRecords(db, records.slice(0, mostAtOnce));
        records.splice(0, mostAtOnce);
      }
      if (this.#dropped > 0)
        log.error({ dropped: this.#dropped }, 'access records were dropped while the database was away');
      this.#dropped = 0;
    } catch (error) {
      log[isOutage(error) ? 'warn' : 'error']({ err: error }, 'access records wait for the database');
      this.#keep(records);
    }
  }

  /** Those that were not written come first again; what came meanwhile is counted with them. */
  #keep(records: readonly AccessRecord[]): void {
    const since = this.#counted.all();
    this.#counted = new CountedRecords();
    for (const record of records) this.#counted.add(record);
    for (const record of since) {
      const earlier = this.#counted.find(record);
      if (earlier) Object.assign(earlier, { uses: earlier.uses + record.uses, last_at: record.last_at });
      else if (this.#counted.size < mostWaiting) this.#counted.add(record);
      else this.#dropped += record.uses;
    }
  }
}
