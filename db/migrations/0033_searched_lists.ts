import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent creating indexes.
  'set constraints all immediate',
  'set constraints all deferred',

  // Only failures, which are rare, are in the index of outcomes, so that successes do not pay for it.
  `create index audit_events_failed on audit_events (occurred_at, id) where outcome = 'failure'`,

  // The time at which a credential is due for rotation depends on two tables; a list that is sorted by it needs one indexed column.
  // The days are those of `riskDays` (src/domain/credentials/risk.ts).
  `create function rotation_due_at(risk text, issued_at timestamptz, expires_at timestamptz) returns timestamptz language sql immutable parallel safe
    return least(issued_at + make_interval(hours => 24 * case risk when 'high' then 30 when 'medium' then 90 when 'low' then 180 end), expires_at)`,
  'alter table api_keys add column due_at timestamptz',
  'alter table client_secrets add column due_at timestamptz',
  // No cached value changes, so nothing must be announced.
  'alter table api_keys disable trigger user',
  `update api_keys k set due_at = rotation_due_at(k.risk, (select max(v.issued_at) from api_key_versions v where v.key_id = k.id), k.expires_at)`,
  'alter table api_keys enable trigger user',
  'alter table client_secrets disable trigger user',
  `update client_secrets s set due_at = rotation_due_at(c.risk, s.created_at, s.expires_at) from clients c where c.id = s.client_id`,
  'alter table client_secrets enable trigger user',
  // Triggers, because an older version also writes these tables.
  `create function set_key_due_at() returns trigger language plpgsql as $$
    begin
      new.due_at := rotation_due_at(new.risk, (select max(v.issued_at) from api_key_versions v where v.key_id = new.id), new.expires_at);
      return new;
    end $$`,
  `create trigger api_keys_due before insert or update of risk, expires_at on api_keys for each row execute function set_key_due_at()`,
  `create function key_was_issued() returns trigger language plpgsql as $$
    begin
      update api_keys k set due_at = rotation_due_at(k.risk, greatest(new.issued_at,
          (select max(v.issued_at) from api_key_versions v where v.key_id = k.id)), k.expires_at) where k.id = new.key_id;
      return null;
    end $$`,
  `create trigger api_key_versions_due after insert on api_key_versions for each row execute function key_was_issued()`,
  `create function set_secret_due_at() returns trigger language plpgsql as $$
    begin
      new.due_at := rotation_due_at((select c.risk from clients c where c.id = new.client_id), new.created_at, new.expires_at);
      return new;
    end $$`,
  `create trigger client_secrets_due before insert or update of client_id, created_at, expires_at on client_secrets
    for each row execute function set_secret_due_at()`,
  `create function client_risk_was_set() returns trigger language plpgsql as $$
    begin
      update client_secrets s set due_at = rotation_due_at(new.risk, s.created_at, s.expires_at) where s.client_id = new.id;
      return null;
    end $$`,
  `create trigger clients_risk_due after update of risk on clients for each row
    when (old.risk is distinct from new.risk) execute function client_risk_was_set()`,

  // The orders of the list of credentials. For numerous kinds, an entry is written once for each sign-in or password.
  'create index api_keys_by_creation on api_keys (created_at, id)',
  `create index api_keys_by_due on api_keys ((coalesce(due_at, 'infinity'::timestamptz)), id)`,
  `create index client_secrets_by_name on client_secrets ((lower(coalesce(label, 'Secret ' || number::text)) collate "C"), id)`,
  'create index client_secrets_by_creation on client_secrets (created_at, id)',
  `create index client_secrets_by_expiry on client_secrets ((coalesce(expires_at, 'infinity'::timestamptz)), id)`,
  `create index client_secrets_by_due on client_secrets ((coalesce(due_at, 'infinity'::timestamptz)), id)`,
  `create index client_secrets_by_last_use on client_secrets ((coalesce(last_used_at, '-infinity'::timestamptz)), id)`,
  // Credentials that need attention.
  'create index client_secrets_due on client_secrets (due_at) where revoked_at is null',
  'drop index client_secrets_age',
  'create index api_keys_disabled on api_keys (id) where not enabled',
  'create index password_links_by_creation on password_links (created_at, digest)',
  'create index password_links_by_expiry on password_links (expires_at, digest)',
  'create index credentials_by_change on credentials (updated_at, id)',
  'create index refresh_families_by_issue on refresh_families (issued_at, id) where handle_digest is not null',
  // The list of credentials also includes revoked ones.
  'create index sessions_by_start on sessions ((coalesce(login_at, created_at)), uid) where user_id is not null',
  'drop index sessions_by_sign_in',
  'drop index grants_by_creation',
  'create index grants_by_creation on grants (created_at, id)',
];

/** Indexes for filtering and sorting lists. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
