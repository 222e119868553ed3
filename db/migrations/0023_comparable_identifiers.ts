import { type Kysely, sql } from 'kysely';

const statements = [
  // The same as `comparableIdentifier` (src/domain/resource-servers/identifiers.ts). Not unique: two spellings may have been registered
  // before; new ones are refused.
  `alter table resource_servers add column comparable_identifier text not null generated always as (case
      when identifier ~* '^[a-z][a-z0-9+.-]*://' then lower(substring(identifier from '^[^:]+://[^/?#]*') collate "C")
        || regexp_replace(substring(identifier from '^[^:]+://[^/?#]*(.*)$'), '/$', '')
      else identifier end) stored`,
  `create index resource_servers_comparable on resource_servers (comparable_identifier)`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
