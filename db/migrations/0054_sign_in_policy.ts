import { type Kysely, sql } from 'kysely';

const statements = [
  // One row: the sign-in policy. Each class is the weakest that is accepted; null: any.
  `create table sign_in_policy (
    id boolean primary key default true check (id),
    required_acr text,
    administrator_required_acr text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1
  )`,
  'insert into sign_in_policy (created_at, updated_at) values (latchkey_now(), latchkey_now())',

  // Links to add a first second factor. `made_by` is judged again on use; null: the user requested it, or the operator created it.
  `create table enrolment_links (
    digest bytea primary key,
    user_id uuid not null references users on delete cascade,
    made_by json,
    mailed_to text,
    created_at timestamptz not null,
    expires_at timestamptz not null
  )`,
  'create index enrolment_links_of_user on enrolment_links (user_id)',
];

/** The sign-in policy, and links to meet it. Safe under a running older version: it requires nothing. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
