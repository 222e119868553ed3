import { type Kysely, sql } from 'kysely';

const statements = [
  'set constraints all immediate',
  'set constraints all deferred',

  // An HMAC of each part of a version's value, the same as in the event of its writing: it finds the secrets with a value.
  `create table secret_value_digests (
    secret_id uuid not null,
    number integer not null,
    part text not null,
    digest text not null,
    primary key (secret_id, number, part),
    foreign key (secret_id, number) references secret_versions (secret_id, number) on delete cascade
  )`,
  'create index secret_value_digests_digest on secret_value_digests (digest)',
  `insert into secret_value_digests (secret_id, number, part, digest)
    select v.secret_id, v.number, p.key, p.value from audit_events e
      join secrets s on s.path = e.target_id
      join secret_versions v on v.secret_id = s.id and v.number = (e.details ->> 'version')::integer and v.created_at = e.occurred_at
      cross join json_each_text(e.details -> 'values') p
    where e.action = 'secret.written' and e.details -> 'values' is not null
    on conflict do nothing`,
];

/** Finds secrets by a value. Safe under a running older version, whose new versions are not found. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
