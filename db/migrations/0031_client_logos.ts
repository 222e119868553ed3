import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // Copies of the images that clients name as their logo, so that no browser fetches anything from a client's host.
  `create table client_logos (
    client_id uuid primary key references clients on delete cascade,
    uri text not null,
    content_type text,
    image text,
    digest text,
    failures integer not null,
    retry_at timestamptz,
    fetched_at timestamptz not null
  )`,
  'create index client_logos_digest on client_logos (digest) where digest is not null',
  // Few clients have a logo; a job looks every minute for those that are not fetched yet.
  `create index clients_with_logo on clients (id) where (metadata ->> 'logo_uri') is not null`,
];

/** Fetched logos of clients. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
