import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  // Nodes cache clients with their secrets: the use of a secret does not change these.
  'drop trigger client_secrets_announced on client_secrets',
  `create constraint trigger client_secrets_announced
    after insert or delete or update of client_id, digest, pepper_id, expires_at, revoked_at on client_secrets
    deferrable initially deferred for each row execute function client_secret_has_changed()`,

  // Secrets of a client are numbered. The last four characters are stored of generated secrets only.
  'alter table client_secrets add column number integer not null default 0, add column last_four text, add column last_used_at timestamptz',
  `update client_secrets s set number = n.number
    from (select id, row_number() over (partition by client_id order by created_at, id) as number from client_secrets) n
    where n.id = s.id`,
  // An older version inserts without a number. Every writer holds the lock of the client.
  `create function number_client_secret() returns trigger language plpgsql as $$
    begin
      new.number := (select coalesce(max(s.number), 0) + 1 from client_secrets s where s.client_id = new.client_id);
      return new;
    end $$`,
  `create trigger client_secrets_numbered before insert on client_secrets
    for each row when (new.number = 0) execute function number_client_secret()`,
  'create unique index client_secrets_number on client_secrets (client_id, number)',
  'drop index client_secrets_client',

  // Absent: the client is not classified, and its secrets have no default lifetime.
  `alter table clients add column risk text check (risk in ('high', 'medium', 'low'))`,

  // The uses of a credential by permission and day: summed from access records as these are written.
  `alter table access_records add column credential_version integer, add column permissions json`,
  `create table credential_uses (
    credential text not null,
    version integer not null,
    permission text not null,
    day timestamptz not null,
    uses bigint not null,
    last_used_at timestamptz not null,
    primary key (credential, day, version, permission)
  )`,
  'create index credential_uses_day on credential_uses (day)',

  // The other built-in roles have it by a pattern.
  `insert into role_permissions (role_id, resource, pattern)
    select id, null, 'latchkey:credential:read' from roles where id = '00000000-0000-7000-8000-000000000002'`,
];

/** Numbered client secrets and their last use, the risk of clients, and the uses of credentials. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
