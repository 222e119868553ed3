import { type Kysely, sql } from 'kysely';

const statements = [
  'set constraints all immediate',
  'set constraints all deferred',

  // Rows of an older version lapse after a week, because it does not confirm existing ones.
  `alter table mapped_roles add column confirmed_at timestamptz not null default latchkey_now(),
    add column until timestamptz not null default latchkey_now() + interval '7 days'`,

  // Fewer days at a trust apply at once; more days apply from the next sign-in.
  `create or replace view standing_role_assignments as
    select subject_id as id, role_id, subject_id, until, granted_by_kind, granted_by, created_at from role_assignments
    union all
    select m.id, m.role_id, m.subject_id,
      least(m.until, m.confirmed_at + make_interval(days => coalesce((t.login ->> 'mapped_role_days')::integer, 7))),
      'trust', m.trust_id::text, m.created_at
    from mapped_roles m join trusts t on t.id = m.trust_id and t.enabled and t.epoch = m.trust_epoch`,

  'drop trigger trust_of_roles_announced on trusts',
  `create constraint trigger trust_of_roles_announced after update on trusts deferrable initially deferred
    for each row when (old.epoch <> new.epoch or old.enabled <> new.enabled
      or old.login ->> 'mapped_role_days' is distinct from new.login ->> 'mapped_role_days')
    execute function trust_of_roles_has_changed()`,
];

/** Roles by claims lapse. Safe under a running older version, which leaves the columns to their defaults and reads the view. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
