import { keyCarries } from '../../../domain/tokens/index.ts';

/**
 * The hot statements (DESIGN.md §5). The lock is a statement of its own: in one statement the judgement's snapshot would be
 * older than the lock it waited for, and concurrent rotations would fork the family.
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

/**
 * The unit as the statements see it. What it lacks is not named: that is half of what would be written and read.
 * `$1` is a JSON array of them, `$2` the time, `$3` the most replays within grace.
 */
export type UnitRow = {
  n: number;
  source: string;
  client_id: string;
  user_id?: string | undefined;
  grant_id?: string | undefined;
  family_id?: string | undefined;
  api_key_id?: string | undefined;
  api_key_version?: number | undefined;
  presented?: string | undefined;
  successor?: string | undefined;
  next_key_id: number;
  grace_seconds: number;
  refresh_handle?: string | undefined;
  refresh_digest?: string | undefined;
  refresh_payload: unknown;
  refresh_expires_at?: Date | undefined;
  refresh_absolute_expires_at?: Date | undefined;
  access_digest?: string | undefined;
  access_jti?: string | undefined;
  status_list_id?: number | undefined;
  status_index?: number | undefined;
  access_scope?: string | undefined;
  access_audience?: string | undefined;
  access_identity_scope?: string | undefined;
  access_payload: unknown;
  access_issued_at?: Date | undefined;
  access_expires_at?: Date | undefined;
  event: unknown;
};

/**
 * What the database decided. `won` and `grace` were written; `reuse` and `used` ended the family; `busy` wrote nothing and
 * may be tried again; the rest wrote nothing.
 */
export type Verdict = 'won' | 'grace' | 'reuse' | 'used' | 'exhausted' | 'revoked' | 'busy';

export const judgeStatement = `
with u as materialized (
  select * from json_to_recordset($1::json) as u(
    n int, source text, client_id uuid, user_id uuid, grant_id uuid, family_id uuid, api_key_id uuid, api_key_version int, presented bytea, successor bytea,
    next_key_id int, grace_seconds int, refresh_handle bytea, refresh_digest bytea, refresh_payload json,
    refresh_expires_at timestamptz, refresh_absolute_expires_at timestamptz, access_digest bytea, access_jti text,
    status_list_id int, status_index int, access_scope text, access_audience text, access_identity_scope text,
    access_payload json, access_issued_at timestamptz, access_expires_at timestamptz, event json)
), held as materialized (
  select unnest(string_to_array(current_setting('latchkey.held'), ','))::uuid as id
), facts as materialized (
  select u.*, f.digest, f.previous_digest, f.rotated_at, f.grace_uses, coalesce(code.consumed_at, device.consumed_at) as consumed_at,
    c.enabled and (c.tokens_valid_after is null or $2 > c.tokens_valid_after) as client_lives,
    u.grant_id is null or (g.id is not null and g.ends_at > $2
      and (g.tokens_valid_after is null or coalesce(f.issued_at, code.issued_at, device.issued_at) > g.tokens_valid_after)) as grant_lives,
    case u.source when 'refresh_token' then f.revoked_at is null and f.digest is not null and f.absolute_expires_at > $2
      when 'authorization_code' then code.digest is not null
      when 'device_code' then device.digest is not null
      when 'token_exchange' then ${keyCarries({ id: 'u.api_key_id', number: 'u.api_key_version', issued_at: 'u.access_issued_at' })}
      else true end as source_lives,
    exists (select from held where id = u.client_id)
      and (u.user_id is null or exists (select from held where id = u.user_id))
      and (u.grant_id is null or exists (select from held where id = u.grant_id))
      and (u.source <> 'refresh_token' or exists (select from held where id = u.family_id)) as is_held
  from u
    left join clients c on c.id = u.client_id
    left join standing_grants g on g.id = u.grant_id
    left join refresh_families f on f.id = u.family_id
    left join authorization_codes code on code.digest = u.presented and u.source = 'authorization_code'
    left join device_codes device on device.digest = u.presented and u.source = 'device_code'
), judged as materialized (
  select *, case
    when client_lives is not true or not grant_lives or not source_lives then 'revoked'
    when not is_held then 'busy'
    when source in ('client_credentials', 'token_exchange') then 'won'
    when source in ('authorization_code', 'device_code') then case when consumed_at is null then 'won' else 'used' end
    when presented = digest then 'won'
    when presented = previous_digest and successor = digest and rotated_at + grace_seconds * interval '1 second' >= $2
      then case when grace_uses < $3 then 'grace' else 'exhausted' end
    else 'reuse' end as verdict
  from facts
), rotated as (
  update refresh_families f set previous_digest = f.digest, previous_key_id = f.key_id, digest = j.successor,
    key_id = j.next_key_id, generation = f.generation + 1, rotated_at = $2, grace_uses = 0, expires_at = j.refresh_expires_at
  from judged j where f.id = j.family_id and j.verdict = 'won' and j.source = 'refresh_token'
), replayed as (
  update refresh_families f set grace_uses = f.grace_uses + 1
  from judged j where f.id = j.family_id and j.verdict = 'grace'
), ended as (
  update refresh_families f set revoked_at = $2, revoked_for = j.verdict
  from judged j where f.id = j.family_id and j.verdict in ('reuse', 'used') and f.revoked_at is null
), consumed as (
  update authorization_codes c set consumed_at = $2
  from judged j where c.digest = j.presented and j.source = 'authorization_code' and j.verdict = 'won'
), consumed_device as (
  update device_codes c set consumed_at = $2
  from judged j where c.digest = j.presented and j.source = 'device_code' and j.verdict = 'won'
), begun as (
  insert into refresh_families (id, grant_id, client_id, user_id, handle_digest, digest, key_id, payload, issued_at, expires_at, absolute_expires_at)
  select family_id, grant_id, client_id, user_id, refresh_handle, refresh_digest, next_key_id, refresh_payload, $2,
    refresh_expires_at, coalesce(refresh_absolute_expires_at, $2 + interval '2 days')
  from judged where verdict = 'won' and source in ('authorization_code', 'device_code')
), opaque as (
  insert into access_tokens (digest, grant_id, family_id, client_id, user_id, api_key_id, api_key_version, scope, audience,
    identity_scope, payload, issued_at, expires_at)
  select access_digest, grant_id, family_id, client_id, user_id, api_key_id, api_key_version, access_scope, access_audience,
    access_identity_scope, access_payload, access_issued_at, access_expires_at
  from judged where verdict in ('won', 'grace') and access_digest is not null
), structured as (
  insert into jwt_access_tokens (jti, status_list_id, status_index, grant_id, family_id, client_id, user_id, api_key_id,
    api_key_version, scope, audience, identity_scope, payload, issued_at, expires_at)
  select access_jti, status_list_id, status_index, grant_id, family_id, client_id, user_id, api_key_id, api_key_version,
    access_scope, access_audience, access_identity_scope, access_payload, access_issued_at, access_expires_at
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
    case verdict when 'won' then action when 'grace' then 'refresh_token.replayed' when 'reuse' then 'refresh_token.reuse'
      when 'used' then source || '.reuse' when 'exhausted' then 'refresh_token.replay_refused' end,
    target_kind, target_id, case when verdict in ('won', 'grace') then 'success' else 'failure' end,
    case verdict when 'reuse' then 'the family was ended' when 'used' then 'the family was ended'
      when 'exhausted' then 'too many replays within the grace window' end,
    request_id, details, personal_digest
  from events
), detailed as (
  insert into audit_personal_details (event_id, salt, address, user_agent)
  select id, salt, address, user_agent from events where salt is not null
)
select n, verdict from judged`;
