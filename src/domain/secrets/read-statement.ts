import type { Sealed } from '../../platform/crypto/index.ts';
import { binaryText, type HotStatement } from '../../platform/database/index.ts';
import type { AuditRows } from '../audit/index.ts';

/** One read as the statement receives it; binary values in hexadecimal. */
export type ReadRow = {
  path: string;
  /** Null: the current one. */
  number: number | null;
  /** The generation of the seal in which this node opened the vault. */
  generation: string;
  access_token: string | undefined;
  jti: string | undefined;
  api_key_id: string | undefined;
  subject_id: string | undefined;
  event_id: string;
  actor_kind: string;
  actor_id: string | null;
  /** The request of each of the equal reads in this row, the first one first. */
  request_ids: string[];
  reason: string | undefined;
  personal_digest: string | undefined;
  salt: string | undefined;
  address: string | null | undefined;
  user_agent: string | null | undefined;
};

export type ReadOutcome = 'read' | 'sealed' | 'revoked' | 'missing' | 'deleted' | 'destroyed';

/** The result of a read; only `read` has the value. */
export type FoundVersion = {
  outcome: ReadOutcome;
  secret_id: string;
  path: string;
  number: number;
  current_version: number;
  custom_metadata: Record<string, string>;
  term: number;
  sealed_key: Sealed;
  /** Null: it is large, and read separately. */
  sealed_value: Sealed | null;
  created_at: Date;
  expires_at: Date | null;
  deleted_at: Date | null;
  destroyed_at: Date | null;
};

// A batch of large values would take so long that all of its requests time out.
const mostBatchedBytes = 65_536;

const columns = {
  path: 'text',
  number: 'int',
  generation: 'bigint',
  access_token: 'bytea',
  jti: 'text',
  api_key_id: 'uuid',
  subject_id: 'uuid',
  event_id: 'uuid',
  actor_kind: 'text',
  actor_id: 'text',
  request_id: 'text',
  request_ids: 'json',
  reason: 'text',
  personal_digest: 'bytea',
  salt: 'text',
  address: 'text',
  user_agent: 'text',
};

const standsIn = (view: string, key: string) => `(select true from ${view} t where ${key} and t.ends_at > $1 limit 1)`;

// Each credential is looked up by its key: joined plainly, a view would be planned as a scan of all active ones.
const stands = {
  access_token: standsIn('standing_access_tokens', 't.digest = u.access_token and t.expires_at > $1'),
  jti: standsIn('standing_jwt_access_tokens', 't.jti = u.jti and t.expires_at > $1'),
  api_key_id: standsIn('standing_api_keys', 't.id = u.api_key_id'),
  subject_id: `coalesce((select o.enabled from users o where o.id = u.subject_id),
    (select o.enabled from clients o where o.id = u.subject_id))`,
};

/** The credentials of a read, each of which must be active. */
type Presented = keyof typeof stands;

export const presentable = Object.keys(stands) as Presented[];

/**
 * Judges the reads of a batch, records each, and returns the sealed values of those that are allowed: one statement, so that no value is
 * returned without its event, and a revocation or sealing committed before takes effect. It looks up only the credentials of these reads:
 * even a lookup without rows costs PostgreSQL its start.
 */
export function readStatement(rows: readonly ReadRow[], now: Date): HotStatement {
  const presented = presentable.filter((name) => rows.some((row) => row[name] !== undefined));
  return {
    name: `read secrets by ${presented.join(', ')}`,
    text: textFor(presented),
    values: [now, ...sentColumns(presented).map((name) => rows.map((row) => sentValue(row, name)))],
  };
}

type Column = keyof typeof columns;

/** The columns of the reads that a statement receives, each as an array, which PostgreSQL reads faster than JSON. */
const sentColumns = (presented: readonly Presented[]) =>
  (Object.keys(columns) as Column[]).filter((name) => !isCredential(name) || presented.includes(name));

const isCredential = (name: Column): name is Presented => name in stands;

function sentValue(row: ReadRow, name: Column): string | number | null {
  const { request_ids } = row;
  if (name === 'request_id') return request_ids[0] ?? null;
  if (name === 'request_ids') return request_ids.length > 1 ? JSON.stringify(request_ids) : null;
  return row[name] ?? null;
}

const texts = new Map<string, string>();

/** `readText`, composed once for each kind of batch. */
function textFor(presented: readonly Presented[]): string {
  const name = presented.join();
  const text = texts.get(name) ?? readText(presented);
  texts.set(name, text);
  return text;
}

/** For reads with exactly these credentials: `$1` the time, then the columns of the reads. */
export function readText(presented: readonly Presented[]): string {
  const sent = sentColumns(presented);
  const stand = presented.map((name) => `(u.${name} is null or ${stands[name]})`);
  return `
with found as materialized (
  select u.*, s.id as secret_id, s.current_version, s.custom_metadata, v.number as found_number, v.term, v.sealed_key, v.sealed_value, v.size,
    v.created_at, v.expires_at, v.deleted_at, v.destroyed_at,
    case
      when z.generation <> u.generation or z.sealed_at is not null then 'sealed'
      when (${stand.join('\n        and ') || 'true'}) is not true then 'revoked'
      when v.number is null then 'missing'
      when v.destroyed_at is not null then 'destroyed'
      when v.deleted_at is not null or v.expires_at <= $1 then 'deleted'
      else 'read' end as outcome
  from unnest(${sent.map((column, n) => `$${n + 2}::${columns[column]}[]`).join(', ')}) with ordinality as u(${sent.join(', ')}, n)
    left join vault_seal z on z.only_row
    left join lateral (select * from secrets where path = u.path limit 1) s on true
    left join lateral (select * from secret_versions where secret_id = s.id
      and number = coalesce(u.number, s.current_version) limit 1) v on true
), recorded as (
  insert into audit_events (id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, outcome, reason, request_id, details,
    personal_digest)
  select event_id, $1, actor_kind, actor_id, 'secret.read', 'secret', path, case outcome when 'read' then 'success' else 'failure' end,
    case when outcome <> 'read' then outcome end, request_id,
    json_strip_nulls(json_build_object('reason', reason, 'uses', json_array_length(request_ids), 'request_ids', request_ids,
      'version', coalesce(found_number, number))), personal_digest
  from found where outcome <> 'sealed'
), detailed as (
  insert into audit_personal_details (event_id, salt, address, user_agent)
  select event_id, salt, address, user_agent from found where salt is not null and outcome <> 'sealed'
)
select n::int - 1 as n, outcome, secret_id, path, found_number as number, current_version, custom_metadata, created_at, expires_at, deleted_at, destroyed_at,
  case when outcome = 'read' then term end as term,
  case when outcome = 'read' then sealed_key end as sealed_key,
  case when outcome = 'read' and size <= ${mostBatchedBytes} then sealed_value end as sealed_value
from found`;
}

/** The event of a read, as members of its row. */
export function eventMembers({ row, personal_details }: AuditRows) {
  return {
    event_id: row.id,
    actor_kind: row.actor_kind,
    actor_id: row.actor_id,
    personal_digest: binaryText(row.personal_digest),
    salt: personal_details?.salt,
    address: personal_details?.address,
    user_agent: personal_details?.user_agent,
  };
}
