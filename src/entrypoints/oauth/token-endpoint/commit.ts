import { accessTokenColumns, accessTokenOwners } from '../unit-of-work/index.ts';
import { type GrantType, grantTypes } from './grants/index.ts';

/**
 * The statements of the commit (DESIGN.md §5), composed from the list of grant types. The lock is a statement of its own: in one
 * statement the judgement's snapshot would be older than the lock it waited for, and concurrent rotations would fork the family.
 */

// `skip locked`: a row that an administrator holds delays its own unit, not the batch. What was got is handed over to the
// judging statement through a setting of this transaction.
export const lockStatement = `
with c as materialized (select id from clients where id = any($1::uuid[]) order by id for share skip locked),
  u as materialized (select id from users where id = any($2::uuid[]) order by id for share skip locked),
  g as materialized (select id from grants where id = any($3::uuid[]) order by id for no key update skip locked),
  f as materialized (select id from refresh_families where id = any($4::uuid[]) order by id for no key update skip locked)
select set_config('latchkey.held', coalesce(string_agg(id::text, ','), ''), true)
from (select id from c union all select id from u union all select id from g union all select id from f) held`;

const whenSource = (sql: (grant: GrantType) => string | undefined) =>
  grantTypes.map((grant) => {
    const text = sql(grant);
    return text === undefined ? '' : `\n      when '${grant.source}' then ${text}`;
  });
const sourcesThat = (does: (grant: GrantType) => boolean | undefined) =>
  `(${grantTypes.filter(does).map(({ source }) => `'${source}'`)})`;

const presented = grantTypes.flatMap((grant) => (grant.presented ? [{ ...grant, presented: grant.presented }] : []));
const presentedColumns = presented.flatMap(({ source, presented: { columns } }) =>
  columns.map((column) => `${source}.${column} as ${source}_${column}`),
);

const columns = Object.keys(accessTokenColumns);
const typedColumns = Object.entries(accessTokenColumns).map(([column, type]) => `access_${column} ${type}`);
const storedColumns = [...accessTokenOwners, ...columns];
const unitColumns = [...accessTokenOwners, ...columns.map((column) => `access_${column}`)];

/** What the log says of a verdict other than `won`, whose action the unit's event names. */
const saidOf = (member: 'action' | 'reason') =>
  grantTypes.flatMap(({ source, recorded }) =>
    Object.entries(recorded).flatMap(([verdict, said]) =>
      verdict === 'won' || said[member] === undefined
        ? []
        : `\n      when verdict = '${verdict}' and source = '${source}' then '${said[member]}'`,
    ),
  );

const writesOfGrants = grantTypes
  .flatMap(({ writes = {} }) => Object.entries(writes))
  .map(([name, text]) => `${name} as (\n  ${text}\n), `);

export const judgeStatement = `
with u as materialized (
  select * from json_to_recordset($1::json) as u(
    n int, source text, client_id uuid, user_id uuid, grant_id uuid, family_id uuid, api_key_id uuid, api_key_version int, presented bytea, successor bytea,
    next_key_id int, grace_seconds int, refresh_handle bytea, refresh_digest bytea, refresh_payload json,
    refresh_expires_at timestamptz, refresh_absolute_expires_at timestamptz, access_digest bytea, access_jti text,
    status_list_id int, status_index int, ${typedColumns}, event json)
), held as materialized (
  select unnest(string_to_array(current_setting('latchkey.held'), ','))::uuid as id
), facts as materialized (
  select u.*, ${presentedColumns},
    c.enabled and (c.tokens_valid_after is null or $2 > c.tokens_valid_after) as client_lives,
    case u.source ${whenSource(({ lives = 'true' }) => lives).join('')}
      else false end as source_lives,
    exists (select from held where id = u.client_id)
      and (u.user_id is null or exists (select from held where id = u.user_id))
      and (u.grant_id is null or exists (select from held where id = u.grant_id))
      and (u.source not in ${sourcesThat(({ locksFamily }) => locksFamily)} or exists (select from held where id = u.family_id)) as is_held
  from u
    left join clients c on c.id = u.client_id
    ${presented.map(({ presented: { join } }) => join).join('\n    ')}
), judged as materialized (
  select *, case
    when client_lives is not true or source_lives is not true then 'revoked'
    when not is_held then 'busy'
    else case source ${whenSource(({ verdict }) => verdict).join('')}
      else 'won' end
    end as verdict
  from facts
), ${writesOfGrants.join('')}ended as (
  update refresh_families f set revoked_at = $2, revoked_for = j.verdict
  from judged j where f.id = j.family_id and j.verdict in ('reuse', 'used') and f.revoked_at is null
), begun as (
  insert into refresh_families (id, grant_id, client_id, user_id, handle_digest, digest, key_id, payload, issued_at, expires_at, absolute_expires_at)
  select family_id, grant_id, client_id, user_id, refresh_handle, refresh_digest, next_key_id, refresh_payload, $2,
    refresh_expires_at, coalesce(refresh_absolute_expires_at, $2 + interval '2 days')
  from judged where verdict = 'won' and source in ${sourcesThat(({ beginsFamily }) => beginsFamily)}
), opaque as (
  insert into access_tokens (digest, ${storedColumns})
  select access_digest, ${unitColumns}
  from judged where verdict in ('won', 'grace') and access_digest is not null
), structured as (
  insert into jwt_access_tokens (jti, status_list_id, status_index, ${storedColumns})
  select access_jti, status_list_id, status_index, ${unitColumns}
  from judged where verdict in ('won', 'grace') and access_jti is not null
), events as materialized (
  select j.verdict, j.source, e.*
  from judged j cross join lateral json_to_record(j.event) as e(id uuid, actor_kind text, actor_id text, action text,
    target_kind text, target_id text, request_id text, details json, personal_digest bytea, salt text, address text, user_agent text)
  where j.verdict not in ('busy', 'revoked')
), recorded as (
  insert into audit_events (id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, outcome, reason,
    request_id, details, personal_digest)
  select id, $2, actor_kind, actor_id,
    case when verdict = 'won' then action ${saidOf('action').join('')} end,
    target_kind, target_id, case when verdict in ('won', 'grace') then 'success' else 'failure' end,
    case ${saidOf('reason').join('')} end,
    request_id, details, personal_digest
  from events
), detailed as (
  insert into audit_personal_details (event_id, salt, address, user_agent)
  select id, salt, address, user_agent from events where salt is not null
)
select n, verdict from judged`;
