import { type Kysely, sql } from 'kysely';

const statements = [
  // Uses of credentials, many a second: no chain, no foreign keys, and repeated uses are counted in one row.
  `create table access_records (
    id uuid primary key,
    kind text not null,
    outcome text not null,
    caller text,
    credential text,
    client_id text,
    user_id uuid,
    address text,
    request_id text,
    uses integer not null,
    occurred_at timestamptz not null,
    last_at timestamptz not null
  )`,
  `create index access_records_credential on access_records (credential, id) where credential is not null`,
  `create index access_records_user on access_records (user_id, id) where user_id is not null`,
  `create index access_records_occurred_at on access_records using brin (occurred_at)`,
];

/** Records of the use of credentials: introspection, userinfo. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
