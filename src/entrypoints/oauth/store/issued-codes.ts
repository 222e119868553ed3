import { CompiledQuery } from 'kysely';
import { type EventMembers, eventColumns } from '../../../domain/audit/index.ts';
import {
  type Database,
  GroupCommit,
  type HotResult,
  type HotStatement,
  type Trx,
} from '../../../platform/database/index.ts';
import { LostRaceError } from '../unit-of-work/index.ts';

/** An authorization code and its event, as the statement receives them; binary values in hexadecimal. */
export type CodeRow = EventMembers & {
  digest: string;
  family_id: string;
  grant_id: string;
  client_id: string;
  user_id: string;
  payload: Record<string, unknown>;
  expires_at: Date;
  /** Whether the grant outlives its session from now on. */
  offline: boolean;
};

/** `held`: another transaction has locked the grant, and nothing was written. */
type Verdict = 'issued' | 'held' | 'revoked';

type IssuedCodesDeps = {
  now: () => Date;
  /** Whether no other request is in flight that could join the batch. */
  isAlone: () => boolean;
};

/** Stores authorization codes, each under its grant: those of concurrent requests in one statement (DESIGN.md §5). */
export class IssuedCodes {
  readonly #group: GroupCommit<CodeRow, Verdict>;
  readonly #now: () => Date;

  constructor(database: Database, { now, isAlone }: IssuedCodesDeps) {
    this.#now = now;
    this.#group = new GroupCommit(database, {
      statements: (rows) => [{ name: 'issue codes', text: withoutWaiting, values: valuesOf(rows, now()) }],
      verdicts: verdictsIn,
      keyOf: () => undefined,
      hasWritten: (verdict) => verdict === 'issued',
      isAlone,
      observer: { sent: () => undefined, retried: () => undefined },
    });
  }

  /**
   * Stores a code together with those of other requests.
   *
   * @throws LostRaceError: its grant was revoked
   * @throws DatabaseUnavailableError: whether it was stored is unknown
   */
  async issue(row: CodeRow): Promise<void> {
    expectIssued(await this.#group.commit(row));
  }

  /** Stores a code in a transaction, which waits for the lock of its grant. @throws LostRaceError: the grant was revoked */
  async issueIn(trx: Trx, row: CodeRow): Promise<void> {
    const { rows } = await trx.executeQuery<{ verdict: Verdict }>(
      CompiledQuery.raw(waiting, valuesOf([row], this.#now())),
    );
    expectIssued(rows[0]?.verdict);
  }
}

function expectIssued(verdict: Verdict | undefined): void {
  if (verdict !== 'issued') throw grantWasRevoked();
}

export const grantWasRevoked = (): LostRaceError => new LostRaceError('the grant was revoked');

const valuesOf = (rows: readonly CodeRow[], now: Date): NonNullable<HotStatement['values']> => [
  JSON.stringify(rows.map((row, n) => ({ ...row, n }))),
  now,
];

/** A row whose grant is held is tried again. */
function verdictsIn([judged]: readonly HotResult[]): Map<number, Verdict> {
  const decided = (judged?.rows ?? []).filter(({ verdict }) => verdict !== 'held');
  return new Map(decided.map(({ n, verdict }) => [n as number, verdict as Verdict]));
}

const columns = {
  ...{
    n: 'int',
    digest: 'bytea',
    family_id: 'uuid',
    grant_id: 'uuid',
    client_id: 'uuid',
    user_id: 'uuid',
    payload: 'json',
  },
  ...{ expires_at: 'timestamptz', offline: 'boolean', ...eventColumns },
};

/**
 * Locks the grants of the codes (`$1`, as JSON), and stores the codes of those that are not revoked: of a revocation and an authorization the
 * first to lock wins. `$2` is the time of the events; a code's own is the database's.
 */
const issueText = (lock: 'for no key update' | 'for no key update skip locked') => `
with code as materialized (
  select u.*, held.id is not null as is_held
  from json_to_recordset($1::json) as u(${Object.entries(columns)
    .map(([column, type]) => `${column} ${type}`)
    .join(', ')})
    left join lateral (select id from grants where id = u.grant_id and revoked_at is null ${lock}) held on true
), stored as (
  insert into authorization_codes (digest, family_id, grant_id, client_id, user_id, payload, issued_at, expires_at)
  select digest, family_id, grant_id, client_id, user_id, payload, latchkey_now(), expires_at from code where is_held
), marked as (
  update grants g set offline = true from code c where g.id = c.grant_id and c.is_held and c.offline and not g.offline
), recorded as (
  insert into audit_events (id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, outcome, request_id, details,
    personal_digest)
  select event_id, $2, actor_kind, actor_id, action, target_kind, target_id, 'success', request_id, details, personal_digest
  from code where is_held
), detailed as (
  insert into audit_personal_details (event_id, salt, address, user_agent)
  select event_id, salt, address, user_agent from code where is_held and salt is not null
)
select n, case when is_held then 'issued'
  when exists (select from grants where id = grant_id and revoked_at is null) then 'held' else 'revoked' end as verdict
from code`;

// A batch waits for nobody: codes whose grants are held are in a later one.
const withoutWaiting = issueText('for no key update skip locked');
const waiting = issueText('for no key update');
