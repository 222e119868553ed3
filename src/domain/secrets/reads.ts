import { type Database, GroupCommit, type HotResult } from '../../platform/database/index.ts';
import { auditRows } from '../audit/index.ts';
import { eventMembers, type FoundVersion, type ReadRow, readStatement } from './read-statement.ts';
import type { SecretCaller } from './rights.ts';

export type ReadsDeps = {
  database: Pick<Database, 'commits' | 'openHotConnection'>;
  now: () => Date;
  /** Whether no other request is in flight that could join the batch. */
  isAlone?: () => boolean;
};

export type ReadRequest = {
  path: string;
  /** Undefined: the current one. */
  number: number | undefined;
  /** The reason, if a user gave one. */
  reason: string | undefined;
};

/** A read that is not sent yet, and its result. */
type Waiting = { row: ReadRow; found: Promise<FoundVersion> };

// Above this number, another event begins.
const mostRecordedAsOne = 100;

/**
 * Reads versions of secrets, those of concurrent requests in one statement. Each read is recorded before its value is handed out. Equal
 * reads that wait for the same statement are one row of it, and one event, which counts and names them.
 */
export class SecretReads {
  readonly #now: () => Date;
  readonly #group: GroupCommit<ReadRow, FoundVersion>;
  readonly #waiting = new Map<string, Waiting>();

  constructor({ database, now, isAlone }: ReadsDeps) {
    this.#now = now;
    this.#group = new GroupCommit<ReadRow, FoundVersion>(database, {
      statements: (rows) => {
        // Later reads are in a later statement.
        this.#waiting.clear();
        return [readStatement(rows, now())];
      },
      verdicts: foundIn,
      keyOf: () => undefined,
      hasWritten: ({ outcome }) => outcome !== 'sealed',
      ...(isAlone && { isAlone }),
      observer: { sent: () => undefined, retried: () => undefined },
    });
  }

  /** @throws DatabaseUnavailableError: whether the read was recorded is unknown, and nothing was read */
  find(caller: SecretCaller, request: ReadRequest, generation: string): Promise<FoundVersion> {
    const { request_id } = caller.actor.origin;
    // A read by a user, with a reason, is an event of its own.
    const isCountable = request.reason === undefined && request_id !== undefined;
    if (!isCountable) return this.#group.commit(this.#rowOf(caller, request, generation));
    const key = keyOf(caller, request, generation);
    const equal = this.#waiting.get(key);
    if (equal && equal.row.request_ids.length < mostRecordedAsOne) {
      equal.row.request_ids.push(request_id);
      return equal.found;
    }
    const row = this.#rowOf(caller, request, generation);
    const found = this.#group.commit(row);
    this.#await(key, { row, found });
    return found;
  }

  #await(key: string, waiting: Waiting): void {
    this.#waiting.set(key, waiting);
    // A read that was abandoned before it was sent blocks no other.
    waiting.found.catch(() => {
      if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    });
  }

  #rowOf({ actor, credential }: SecretCaller, { path, number, reason }: ReadRequest, generation: string): ReadRow {
    const { access_token, jti, api_key_id, subject_id } = credential;
    const { request_id } = actor.origin;
    const event = auditRows({ actor, action: 'secret.read', occurred_at: this.#now() });
    return {
      ...{ path, number: number ?? null, generation },
      ...{ access_token: access_token && `\\x${access_token}`, jti, api_key_id, subject_id },
      ...eventMembers(event),
      request_ids: request_id === undefined ? [] : [request_id],
      reason,
    };
  }
}

/** The key of equal reads: caller, credential, origin, and version. No part can contain a line end. */
function keyOf({ actor, credential }: SecretCaller, { path, number }: ReadRequest, generation: string): string {
  const { access_token, jti, api_key_id } = credential;
  const { address, user_agent } = actor.origin;
  return [access_token, jti, api_key_id, actor.kind, actor.id, address, user_agent, generation, number, path].join(
    '\n',
  );
}

function foundIn([answer]: readonly HotResult[]): ReadonlyMap<number, FoundVersion> {
  const rows = (answer?.rows ?? []) as (FoundVersion & { n: number })[];
  return new Map(rows.map(({ n, ...found }) => [n, found]));
}
