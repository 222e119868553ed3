import { sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';

/** The names that are taken here; in lower case, except for client ids. */
export type Taken = {
  ids: Set<string>;
  usernames: Set<string>;
  emails: Set<string>;
  clients: Set<string>;
  roles: Set<string>;
  /** Accounts at identity providers, as `keyOfAccount`. */
  accounts: Set<string>;
};

type Asked = {
  ids: string[];
  usernames: string[];
  emails: string[];
  clients: string[];
  roles: string[];
  accounts: string[];
};

async function column(db: Db, query: ReturnType<typeof sql<{ name: string }>>): Promise<Set<string>> {
  const { rows } = await query.execute(db);
  return new Set(rows.map(({ name }) => name));
}

/** The taken ones of these names. */
export async function findTaken(db: Db, { ids, usernames, emails, clients, roles, accounts }: Asked): Promise<Taken> {
  return {
    ids: await column(
      db,
      sql<{ name: string }>`select id::text as name from subjects where id = any(${ids}::uuid[])
        union select id::text from taken_identifiers where id = any(${ids}::uuid[])`,
    ),
    usernames: await column(
      db,
      sql<{
        name: string;
      }>`select lower(username) as name from users where lower(username) = any(${usernames}::text[])`,
    ),
    emails: await column(
      db,
      sql<{ name: string }>`select lower(email) as name from users where lower(email) = any(${emails}::text[])`,
    ),
    clients: await column(
      db,
      sql<{ name: string }>`select client_id as name from clients where client_id = any(${clients}::text[])`,
    ),
    accounts: await column(
      db,
      sql<{
        name: string;
      }>`select issuer || ' ' || subject as name from identities where issuer || ' ' || subject = any(${accounts}::text[])`,
    ),
    roles: await column(db, sql<{ name: string }>`select name from roles where name = any(${roles}::text[])`),
  };
}
