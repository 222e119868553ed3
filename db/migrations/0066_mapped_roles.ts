import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // Roles of users by the claims of an account at an identity provider, as last stated.
  `create table mapped_roles (
    id uuid primary key,
    role_id uuid not null references roles on delete cascade,
    subject_id uuid not null references users on delete cascade,
    trust_id uuid not null references trusts,
    trust_epoch integer not null,
    identity_id uuid not null references identities on delete cascade,
    created_at timestamptz not null,
    unique (subject_id, trust_id, role_id)
  )`,
  'create index mapped_roles_role on mapped_roles (role_id)',
  'create index mapped_roles_trust on mapped_roles (trust_id)',
  'create index mapped_roles_identity on mapped_roles (identity_id)',

  // Assigned roles, and roles by claims while the epoch of the trust is unchanged. `id` is unique among the assignments of a role.
  `create view standing_role_assignments as
    select subject_id as id, role_id, subject_id, until, granted_by_kind, granted_by, created_at from role_assignments
    union all
    select m.id, m.role_id, m.subject_id, null, 'trust', m.trust_id::text, m.created_at
    from mapped_roles m join standing_trusts t on t.id = m.trust_id and t.epoch = m.trust_epoch`,

  // Nodes cache the API keys of these users.
  `create constraint trigger mapped_roles_announced after insert or update or delete on mapped_roles
    deferrable initially deferred for each row execute function assignment_has_changed()`,
  `create function trust_of_roles_has_changed() returns trigger language plpgsql as $$
    begin
      perform announce_change('subject', m.subject_id::text) from mapped_roles m
        where m.trust_id = new.id and exists (select from api_keys k where k.owner_id = m.subject_id);
      return null;
    end $$`,
  `create constraint trigger trust_of_roles_announced after update on trusts deferrable initially deferred
    for each row when (old.epoch <> new.epoch or old.enabled <> new.enabled) execute function trust_of_roles_has_changed()`,
];

/** Roles by claims of identity providers. Safe under a running older version: it reads and writes only assigned roles. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
