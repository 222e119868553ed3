import { type Kysely, sql } from 'kysely';

const statements = [
  // Announcements that earlier migrations deferred would prevent altering tables.
  'set constraints all immediate',
  'set constraints all deferred',

  `alter table clients add column registered_by text not null default 'operator'
    check (registered_by in ('operator', 'document', 'dynamic', 'trust'))`,
  'alter table clients drop constraint clients_type_check',
  `alter table clients add constraint clients_type_check
    check (type in ('web', 'spa', 'native', 'service', 'agent', 'workload'))`,

  // Clients that no operator registered. Unused ones are deleted after `kept_until`.
  `create table self_registered_clients (
    client_id uuid primary key references clients on delete cascade,
    kept_until timestamptz not null,
    fresh_until timestamptz,
    widened_at timestamptz
  )`,
  'create index self_registered_clients_kept on self_registered_clients (kept_until)',

  // A client is deleted with the row of its retention time: of a refresh and a removal, the first to lock that row wins. Its id was
  // never a subject identifier, because such clients act for users only.
  `create function self_registered_client_goes() returns trigger language plpgsql as $$
    begin
      delete from clients where id = old.client_id;
      delete from subjects where id = old.client_id;
      delete from taken_identifiers where id = old.client_id and kind = 'client';
      return null;
    end $$`,
  `create trigger self_registered_clients_go after delete on self_registered_clients
    for each row execute function self_registered_client_goes()`,

  // A revoked or old consent is deleted with its client.
  'alter table consents drop constraint consents_client_id_fkey',
  'alter table consents add constraint consents_client_id_fkey foreign key (client_id) references clients on delete cascade',

  // For the foreign keys that deleting a client or subject checks.
  'create index session_clients_client on session_clients (client_id)',
  'create index clients_of_owner on clients (owner_id) where owner_id is not null',

  // Which clients that no operator registered may request access to an API from users, and with which scopes. An older version that
  // saves the scopes of an API closes them.
  `alter table resource_servers add column open_to text not null default 'registered'
    check (open_to in ('registered', 'documented', 'anyone'))`,
  `create index resource_servers_open on resource_servers (identifier) where open_to <> 'registered'`,
  'alter table permissions add column is_open boolean not null default false',
];

/**
 * Clients that register themselves, and APIs that are open to them. Safe under a running older version: its clients count as registered
 * by an operator, and its APIs as closed.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
