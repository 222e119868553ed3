import { type Kysely, sql } from 'kysely';

// PostgreSQL starts all parts of a statement, needed or not. A function is started when it is called: so what depends on a link to an
// issuer, on an API key or on roles costs only the credentials that have them.
const rare = (name: string, parameters: string, returned: string, expression: string) =>
  `create function ${name}(${parameters}) returns ${returned} language plpgsql stable parallel safe as $$
    begin return (${expression}); end $$`;

const permissionsIn = (rights: string, condition = 'true') => `coalesce((select json_agg(p.pattern) from ${rights}
      where (p.resource is null or p.resource = audience) and ${condition}), '[]'::json)`;

const statements = [
  // Announcements that earlier migrations deferred would prevent altering views' tables.
  'set constraints all immediate',

  rare(
    'link_stands',
    'link uuid, linked_user uuid, of_trust uuid, of_trust_epoch int',
    'boolean',
    `exists (select from standing_identities i join standing_trusts tr on tr.id = of_trust and tr.epoch = of_trust_epoch
      where i.id = link and i.user_id = linked_user)`,
  ),
  rare(
    'assertion_stands',
    'link uuid, linked_user uuid, linked_user_epoch int, issued timestamptz, of_trust uuid, of_trust_epoch int',
    'boolean',
    `exists (select from standing_identities i join standing_trusts tr on tr.issuer = i.issuer
      where i.id = link and i.user_id = linked_user and i.user_epoch = linked_user_epoch
        and (i.revoked_before is null or issued > i.revoked_before) and tr.id = of_trust and tr.epoch = of_trust_epoch)`,
  ),
  rare(
    'exchanged_key_ends_at',
    'key uuid, version int, key_epoch int, issued timestamptz',
    'timestamptz',
    `select k.ends_at from standing_api_keys k where k.id = key and k.number = version
      and case when key_epoch is null then k.tokens_valid_after is null or issued > k.tokens_valid_after
        else key_epoch = k.epoch and (k.revoked_before is null or issued > k.revoked_before) end`,
  ),
  rare(
    'permissions_by_roles',
    'subject uuid, audience text, at timestamptz',
    'json',
    permissionsIn(
      'standing_role_assignments a join role_permissions p on p.role_id = a.role_id',
      'a.subject_id = subject and (a.until is null or a.until > at)',
    ),
  ),
  rare(
    'permissions_of_key',
    'key uuid, audience text',
    'json',
    `coalesce((select ${permissionsIn(`(
          select x.resource, x.pattern from json_to_recordset(k.permissions) as x(resource text, pattern text)
          union all select p.resource, p.pattern from api_key_roles kr join role_permissions p on p.role_id = kr.role_id
            where kr.key_id = k.id) p`)} from api_keys k where k.id = key), '[]'::json)`,
  ),

  `create or replace view standing_grants as
    select g.id, g.user_id, g.client_id, g.consent_id, g.session_uid, g.offline, g.payload, g.created_at, g.revoked_at,
      g.revoked_for,
      case when g.user_epoch is null then greatest(u.tokens_valid_after, c.tokens_valid_after)
        else greatest(u.revoked_before, c.revoked_before) end as tokens_valid_after,
      case when g.offline or g.session_uid is null then 'infinity'::timestamptz
        when s.revoked_at is null then coalesce(s.expires_at, '-infinity') else '-infinity' end as ends_at,
      c.client_id as client, u.username
    from grants g
      join users u on u.id = g.user_id and u.enabled and (g.user_epoch is null or g.user_epoch = u.epoch)
      join clients c on c.id = g.client_id and c.enabled and (g.client_epoch is null or g.client_epoch = c.epoch)
      left join sessions s on s.uid = g.session_uid
    where g.revoked_at is null
      and (g.identity_id is null or link_stands(g.identity_id, g.user_id, g.trust_id, g.trust_epoch))`,
];

const isAfter = (mark: string) => `(${mark} is null or t.issued_at > ${mark})`;

/**
 * Active access tokens as before, and at the end what their client and their API allow: reading them needs no second lookup of the same
 * rows.
 */
const tokensView = (table: string, columns: readonly string[]) => `create or replace view standing_${table} as
    select ${columns.map((column) => `t.${column}`).join(', ')}, c.client_id as client, g.consent_id, g.session_uid, g.offline,
      g.payload as grant_payload,
      least(g.ends_at,
        case when t.identity_id is null
          or assertion_stands(t.identity_id, t.user_id, t.user_epoch, t.issued_at, t.trust_id, t.trust_epoch)
          then 'infinity'::timestamptz else '-infinity' end,
        case when t.api_key_id is null then 'infinity' else coalesce(
          exchanged_key_ends_at(t.api_key_id, t.api_key_version, t.api_key_epoch, t.issued_at), '-infinity') end) as ends_at,
      t.identity_id, t.trust_id, t.trust_epoch, t.user_epoch, c.type as client_type, c.registered_by as client_registered_by,
      c.resources as client_resources, c.service_permissions as client_service_permissions,
      r.assignment_required as audience_requires_roles
    from ${table} t
      join clients c on c.id = t.client_id and c.enabled
      left join standing_grants g on g.id = t.grant_id and ${isAfter('g.tokens_valid_after')}
      left join refresh_families f on f.id = t.family_id
      left join resource_servers r on r.identifier = t.audience
    where t.revoked_at is null and f.revoked_at is null
      and case when t.grant_id is not null then g.id is not null
        when t.client_epoch is null then ${isAfter('c.tokens_valid_after')}
        else t.client_epoch = c.epoch and ${isAfter('c.revoked_before')} end
      and (r.id is null or (r.enabled and case when t.resource_server_epoch is null
        then ${isAfter('r.tokens_valid_after')} else t.resource_server_epoch = r.epoch end))`;

const sessionsView = (columns: readonly string[]) => `create or replace view standing_sessions as
    select ${columns.map((column) => (column === 'username' ? 'u.username' : `s.${column}`)).join(', ')}
    from sessions s left join users u on u.id = s.user_id
    where s.revoked_at is null and (s.user_id is null or (u.enabled and case when s.user_epoch is null
        then u.tokens_valid_after is null or coalesce(s.signed_in_at, s.login_at) > u.tokens_valid_after
        else s.user_epoch = u.epoch and (u.revoked_before is null or coalesce(s.signed_in_at, s.login_at) > u.revoked_before) end))
      and (s.identity_id is null or link_stands(s.identity_id, s.user_id, s.trust_id, s.trust_epoch))`;

async function columnsOf(db: Kysely<unknown>, view: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select attname as name from pg_attribute
    where attrelid = ${view}::regclass and attnum > 0 order by attnum`.execute(db);
  return rows.map(({ name }) => name);
}

/** Reading a token or a grant costs PostgreSQL about half. Safe under a running older version: the views have all columns that it reads. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
  for (const table of ['access_tokens', 'jwt_access_tokens']) {
    const columns = await columnsOf(db, `standing_${table}`);
    await sql.raw(tokensView(table, columns.slice(0, columns.indexOf('client')))).execute(db);
  }
  await sql.raw(sessionsView(await columnsOf(db, 'standing_sessions'))).execute(db);
  await sql.raw('set constraints all deferred').execute(db);
}
