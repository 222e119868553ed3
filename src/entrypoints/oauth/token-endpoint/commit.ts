import { accessTokenColumns, accessTokenOwners } from '../unit-of-work/index.ts';
import { type GrantType, grantTypes } from './grants/index.ts';

/**
 * The statements of the commit (DESIGN.md §5), composed from the list of grant types. The lock is a statement of its own: in one
 * statement the judgement's snapshot would be older than the lock it waited for, and concurrent rotations would fork the family.
 */

// `skip locked`: a row that an administrator holds delays its own unit, not the batch. What was got is handed over to the
// judging statement through a setting of this transaction.
// Clients, users, APIs and keys are not locked: what is written carries their epochs from the snapshot that it was judged in. One
// that ends after that snapshot has another epoch when it has ended, and whatever was written stands no longer.
export const lockStatement = `
with g as materialized (select id from grants where id = any($1::uuid[]) order by id for no key update skip locked),
  f as materialized (select id from refresh_families where id = any($2::uuid[]) order by id for no key update skip locked)
select set_config('latchkey.held', coalesce(string_agg(id::text, ','), ''), true)
from (select id from g union all select id from f) held`;

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

const typedColumns = Object.entries(accessTokenColumns).map(([column, type]) => `access_${column} ${type}`);
const epochColumns = Object.assign({}, ...grantTypes.map(({ epochs = {} }) => epochs)) as Record<string, string>;

/**
 * Columns of an access token, each with what is stored in it. It was issued when the database says: what `revoke --before` ends
 * depends on no node's clock. A JWT says itself until when it is valid; an opaque one lasts as long from now on.
 */
const stored = (expires_at: string): [string, string][] =>
  Object.entries({
    ...Object.fromEntries(accessTokenOwners.map((column) => [column, column])),
    ...Object.fromEntries(Object.keys(accessTokenColumns).map((column) => [column, `access_${column}`])),
    ...{ issued_at: 'at', expires_at },
    ...{ client_epoch: 'token_client_epoch', resource_server_epoch: 'resource_server_epoch', ...epochColumns },
  });
const opaqueColumns = stored('at + (access_expires_at - access_issued_at)');
const structuredColumns = stored('access_expires_at');
const names = (columns: [string, string][]) => columns.map(([name]) => name);
const values = (columns: [string, string][]) => columns.map(([, value]) => value);

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
    n int, source text, client_id uuid, client_epoch int, client_secret_id uuid, user_id uuid, grant_id uuid, family_id uuid, api_key_id uuid, api_key_version int, presented bytea, successor bytea,
    next_key_id int, grace_seconds int, refresh_handle bytea, refresh_digest bytea, refresh_payload json,
    refresh_expires_at timestamptz, refresh_absolute_expires_at timestamptz, access_digest bytea, access_jti text,
    status_list_id int, status_index int, ${typedColumns}, event json)
), held as materialized (
  select unnest(string_to_array(current_setting('latchkey.held'), ','))::uuid as id
), facts as materialized (
  select u.*, ${presentedColumns}, (select latchkey_now()) as at,
    c.enabled and (r.id is null or r.enabled) as owners_stand,
    (u.client_epoch is null or u.client_epoch = c.epoch) and (u.client_secret_id is null or exists (
      select from standing_client_secrets s where s.id = u.client_secret_id and s.ends_at > $2)) as is_client_as_known,
    case when u.grant_id is null then c.epoch end as token_client_epoch, r.epoch as resource_server_epoch,
    case u.source ${whenSource(({ lives = 'true' }) => lives).join('')}
      else false end as source_lives,
    (u.grant_id is null or exists (select from held where id = u.grant_id))
      and (u.source not in ${sourcesThat(({ locksFamily }) => locksFamily)} or exists (select from held where id = u.family_id)) as is_held
  from u
    left join clients c on c.id = u.client_id
    left join resource_servers r on r.identifier = u.access_audience
    ${presented.map(({ presented: { join } }) => join).join('\n    ')}
), judged as materialized (
  select *, case
    when owners_stand is not true or source_lives is not true then 'revoked'
    when is_client_as_known is not true then 'stale'
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
  select family_id, grant_id, client_id, user_id, refresh_handle, refresh_digest, next_key_id, refresh_payload, at,
    refresh_expires_at, coalesce(refresh_absolute_expires_at, $2 + interval '2 days')
  from judged where verdict = 'won' and source in ${sourcesThat(({ beginsFamily }) => beginsFamily)}
), opaque as (
  insert into access_tokens (digest, ${names(opaqueColumns)})
  select access_digest, ${values(opaqueColumns)}
  from judged where verdict in ('won', 'grace') and access_digest is not null
), structured as (
  insert into jwt_access_tokens (jti, status_list_id, status_index, ${names(structuredColumns)})
  select access_jti, status_list_id, status_index, ${values(structuredColumns)}
  from judged where verdict in ('won', 'grace') and access_jti is not null
), events as materialized (
  select j.verdict, j.source, e.*
  from judged j cross join lateral json_to_record(j.event) as e(id uuid, actor_kind text, actor_id text, action text,
    target_kind text, target_id text, request_id text, details json, personal_digest bytea, salt text, address text, user_agent text)
  where j.verdict not in ('busy', 'revoked', 'stale')
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
