import { readFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { parse } from 'yaml';
import { standardInstallation } from './support/installation.ts';
import { basic } from './support/latchkey.ts';
import { PrivatePostgres } from './support/private-postgres.ts';
import { runScript } from './support/psql.ts';
import { runCommand, type ServerProcess, startServerProcess, testRootKey } from './support/server.ts';

type Service = {
  environment: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  command?: string[];
  volumes?: string[];
};
const file = (name: string) => readFileSync(path.join(import.meta.dirname, '..', name), 'utf8');
const { services } = parse(file('compose.yaml'), { merge: true }) as {
  services: Record<'database' | 'latchkey' | 'migrate', Service>;
};
const passwords = { DATABASE_OWNER_PASSWORD: "owner's", DATABASE_SERVING_PASSWORD: 'serving' };
const roleOf = (url = '') => new URL(url.replaceAll(/\$\{[^}]*\}/g, 'x')).username;

describe('compose.yaml', () => {
  test('gives the server neither the superuser nor the owner role of the tables, nor their passwords', () => {
    const { latchkey, migrate, database } = services;
    expect(roleOf(latchkey.environment.DATABASE_URL)).toBe('latchkey_serving');
    expect(roleOf(migrate.environment.LATCHKEY_MIGRATE_DATABASE_URL)).toBe('latchkey_owner');
    expect(roleOf(migrate.environment.DATABASE_URL)).toBe('latchkey_serving');
    expect(Object.keys(latchkey.environment)).not.toContain('LATCHKEY_MIGRATE_DATABASE_URL');
    const told = JSON.stringify(latchkey);
    for (const secret of ['DATABASE_OWNER_PASSWORD', 'POSTGRES_PASSWORD']) expect(told).not.toContain(secret);
    expect(JSON.stringify(migrate)).not.toContain('POSTGRES_PASSWORD');
    expect(database.environment.POSTGRES_USER).toBeUndefined();
  });

  test('starts the server after the migration has succeeded, with roles created by the mounted script', () => {
    const { latchkey, migrate, database } = services;
    expect(migrate.command).toEqual(['migrate']);
    expect(latchkey.depends_on).toMatchObject({ migrate: { condition: 'service_completed_successfully' } });
    expect(database.volumes).toContain('./db/roles.sql:/docker-entrypoint-initdb.d/roles.sql:ro');
  });
});

describe('with the roles of db/roles.sql', () => {
  let postgres: PrivatePostgres;
  let server: ServerProcess;
  let owner: string;
  let serving: string;

  beforeAll(async () => {
    postgres = await PrivatePostgres.open({ fsync: 'off' });
    const url = (user: string, secret: string, database: string) =>
      Object.assign(new URL(postgres.url), { username: user, password: secret, pathname: database }).href;
    const { username, password: superuser } = new URL(postgres.url);
    const admin = url(username, superuser, 'postgres');
    // The embedded PostgreSQL brings a database of that name.
    await runScript(admin, 'drop database latchkey', {});
    await runScript(admin, file('db/roles.sql'), passwords);
    owner = url('latchkey_owner', encodeURIComponent(passwords.DATABASE_OWNER_PASSWORD), 'latchkey');
    serving = url('latchkey_serving', passwords.DATABASE_SERVING_PASSWORD, 'latchkey');
    const env = { DATABASE_URL: serving, LATCHKEY_MIGRATE_DATABASE_URL: owner, LATCHKEY_ROOT_KEY: testRootKey };
    expect(await runCommand(['migrate'], { env })).toMatchObject({ code: 0 });
    server = await startServerProcess({ databaseUrl: serving, apply: standardInstallation });
  });
  afterAll(async () => {
    await server?.stop();
    await postgres?.close();
  });

  const asServing = async (...statements: string[]): Promise<unknown[]> => {
    const client = new pg.Client({ connectionString: serving });
    await client.connect();
    try {
      const { rows } = await client.query(statements.join(';'));
      return rows;
    } finally {
      await client.end();
    }
  };

  test('a server issues tokens with the serving role alone', async () => {
    const response = await fetch(`${server.issuer}/oauth/token`, {
      method: 'POST',
      headers: { authorization: basic('service', 'the secret of the service') },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: 'https://api.example' }),
    });
    expect(response.status).toBe(200);
  });

  test('the serving role has no right beyond its tables (OWASP ASVS 5.0 13.2.2)', async () => {
    expect(
      await asServing(`select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
        has_database_privilege('latchkey', 'create') as may_create, has_database_privilege('latchkey', 'temporary') as may_temporary,
        has_schema_privilege('public', 'create') as may_create_tables, pg_has_role('latchkey_owner', 'member') as is_owner
        from pg_roles where rolname = current_user`),
    ).toEqual([
      {
        ...{ rolsuper: false, rolcreatedb: false, rolcreaterole: false, rolreplication: false, rolbypassrls: false },
        ...{ may_create: false, may_temporary: false, may_create_tables: false, is_owner: false },
      },
    ]);
  });

  test.each([
    'create table mine (id int)',
    "copy (select 1) to program 'true'",
    'alter table audit_events disable trigger all',
    "set session_replication_role = 'replica'",
    'update audit_events set reason = null',
    'drop function audit_is_append_only cascade',
    "insert into kysely_migration (name, timestamp) values ('9999_mine', 'now')",
    'delete from kysely_migration',
  ])('the serving role may not "%s"', async (statement) => {
    await expect(asServing(statement)).rejects.toThrow(/permission denied|must be owner|must be superuser/);
  });
});
