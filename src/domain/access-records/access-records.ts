import { v7 as uuidv7 } from 'uuid';
import { digest } from '../../platform/crypto/index.ts';
import { Batched, type Db } from '../../platform/database/index.ts';
import type { Logger } from '../../platform/logging/index.ts';
import { CountedRecords, type Used } from './counted-records.ts';
import { type AccessRecord, insertAccessRecords } from './store.ts';

export type AccessRecordsDeps = { db: Db; now: () => Date; log: Logger };

/** One use of a credential. */
export type Use = {
  kind: 'introspection' | 'userinfo' | 'verification' | 'exchange';
  /** The answer that the user of the credential got. */
  outcome: 'active' | 'inactive' | 'refused';
  /** The caller that checked it, by `client_id` or id; undefined if its holder used it at this server, or a proxy checked it. */
  caller?: string | undefined;
  /** Finds the credential: SHA-256 of an opaque token, the `jti` of a JWT, the id of an API key. Never its value. */
  credential?: string | undefined;
  client_id?: string | undefined;
  user_id?: string | undefined;
  address?: string | undefined;
  request_id?: string | undefined;
  /** The version of an API key. */
  version?: number | undefined;
  /** The requested permissions, if they were granted; none: the request named none. */
  permissions?: readonly string[] | undefined;
};

/** The name of an opaque credential where its value must not appear: its SHA-256 in hex. */
export const credentialName = (value: string): string => digest(value).toString('hex');

/** Replaces permissions that are no longer recorded one by one; it is not a permission itself. */
export const otherPermissions = '(other)';

// Permissions of one request, and records of one credential and address between two writes.
const mostNamed = 10;
const mostLike = 50;
const shape = /^[\x21-\x7e]{1,256}$/;

/** Permissions as they are recorded: each once, and only in the form of a permission. */
function named(permissions: readonly string[]): string[] {
  if (permissions.length === 1) return permissions.map(asRecorded);
  const different = [...new Set(permissions.map(asRecorded))].sort();
  return different.length <= mostNamed ? different : [otherPermissions];
}

const asRecorded = (permission: string) => (shape.test(permission) ? permission : otherPermissions);

const everyMs = 500;
// Records in one statement, and records that may wait while the database is unavailable.
const mostAtOnce = 1000;
const mostHeld = 10_000;

/**
 * Collects uses and writes them twice a second: uses that differ only in the request become one row with a count, so the hot path
 * only adds to a map. A crash loses at most half a second of them (DESIGN.md §4); while the database is unavailable they wait, and
 * beyond a bound they are lost and counted in the log.
 */
export class AccessRecords {
  readonly #now: () => Date;
  readonly #batched: Batched<AccessRecord, CountedRecords>;

  constructor({ db, now, log }: AccessRecordsDeps) {
    this.#now = now;
    this.#batched = new Batched({
      ...{ log, what: 'access records', everyMs, mostHeld, mostAtOnce },
      collect: () => new CountedRecords(),
      write: (records) => insertAccessRecords(db, records),
      usesOf: ({ uses }) => uses,
    });
  }

  record(use: Use): void {
    const { held } = this.#batched;
    const used = usedOf(use);
    let counted = held.find(used);
    // Callers choose some of the permissions: beyond a limit these are counted as one.
    if (!counted && used.permissions && held.countLike(used) >= mostLike) {
      used.permissions = [otherPermissions];
      counted = held.find(used);
    }
    const occurred_at = this.#now();
    if (counted) {
      counted.uses += 1;
      counted.last_at = occurred_at;
      return;
    }
    const { request_id = null } = use;
    this.#batched.add({ id: uuidv7(), ...used, request_id, uses: 1, occurred_at, last_at: occurred_at });
  }

  /** Writes the records that wait. */
  close(): Promise<void> {
    return this.#batched.close();
  }
}

/** What equal uses have in common. */
function usedOf(use: Use): Used {
  return {
    kind: use.kind,
    outcome: use.outcome,
    caller: use.caller ?? null,
    credential: use.credential ?? null,
    client_id: use.client_id ?? null,
    user_id: use.user_id ?? null,
    address: use.address ?? null,
    credential_version: use.version ?? null,
    permissions: use.permissions === undefined ? null : named(use.permissions),
  };
}
