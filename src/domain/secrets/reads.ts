import { type Database, GroupCommit, type HotResult } from '../../platform/database/index.ts';
import { auditRows } from '../audit/index.ts';
import { eventMembers, type FoundVersion, type ReadRow, readStatement } from './read-statement.ts';
import type { SecretCaller } from './rights.ts';

export type ReadsDeps = {
  database: Pick<Database, 'commits' | 'openHotConnection'>;
  now: () => Date;
  /** Whether no other request is under way that could join the batch. */
  isAlone?: () => boolean;
};

export type ReadRequest = {
  path: string;
  /** Undefined: the current one. */
  number: number | undefined;
  /** Why, where a person said so. */
  reason: string | undefined;
};

/** Reads versions of secrets, those of concurrent requests in one statement. Each read is recorded before its value is handed out. */
export class SecretReads {
  readonly #now: () => Date;
  readonly #group: GroupCommit<ReadRow, FoundVersion>;

  constructor({ database, now, isAlone }: ReadsDeps) {
    this.#now = now;
    this.#group = new GroupCommit<ReadRow, FoundVersion>(database, {
      statements: (rows) => [
        {
          name: 'read secrets',
          text: readStatement,
          values: [JSON.stringify(rows.map((row, n) => ({ ...row, n }))), now()],
        },
      ],
      verdicts: foundIn,
      keyOf: () => undefined,
      hasWritten: ({ outcome }) => outcome !== 'sealed',
      ...(isAlone && { isAlone }),
      observer: { sent: () => undefined, retried: () => undefined },
    });
  }

  /** @throws DatabaseUnavailableError: whether the read was recorded is unknown, and nothing was read */
  find(caller: SecretCaller, { path, number, reason }: ReadRequest, generation: string): Promise<FoundVersion> {
    const { actor, credential } = caller;
    const { access_token, jti, api_key_id, subject_id } = credential;
    const event = auditRows({ actor, action: 'secret.read', occurred_at: this.#now() });
    return this.#group.commit({
      ...{ n: 0, path, number: number ?? null, generation },
      ...{ access_token: access_token && `\\x${access_token}`, jti, api_key_id, subject_id },
      ...eventMembers(event),
      details: reason === undefined ? {} : { reason },
    });
  }
}

function foundIn([answer]: readonly HotResult[]): ReadonlyMap<number, FoundVersion> {
  const rows = (answer?.rows ?? []) as (FoundVersion & { n: number })[];
  return new Map(rows.map(({ n, ...found }) => [n, found]));
}
