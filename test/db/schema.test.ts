import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { migrate } from '../../src/platform/database/index.ts';
import { createTestDatabase } from '../support/database.ts';

type Column = { kind: string; nullable: boolean; optional: boolean };
type Tables = Record<string, Record<string, Column>>;

const kinds: Record<string, string> = {
  boolean: 'boolean',
  bytea: 'Digest|Sealed',
  integer: 'number',
  bigint: 'BigInt64',
  json: 'json',
  text: 'string',
  'character varying': 'string',
  uuid: 'string',
  'timestamp with time zone': 'Date',
};

async function migratedTables(): Promise<Tables> {
  const database = await createTestDatabase();
  try {
    await migrate(database.url);
    const { rows } = await database.query(`
      select c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default, c.is_identity, c.is_generated
      from information_schema.columns c where c.table_schema = 'public'
        and c.table_name not like 'kysely%' and c.table_name not like 'audit\\_events\\_%'`);
    return tablesOf(
      rows.map(({ table_name, column_name, data_type, is_nullable, column_default, is_identity, is_generated }) => {
        const column = {
          kind: kinds[data_type] ?? data_type,
          nullable: is_nullable === 'YES',
          optional: column_default !== null || is_identity === 'YES' || is_generated === 'ALWAYS',
        };
        return [table_name, column_name, column];
      }),
    );
  } finally {
    await database.drop();
  }
}

function tablesOf(rows: [string, string, Column][]): Tables {
  const tables: Tables = {};
  for (const [table, name, column] of rows) tables[table] = { ...tables[table], [name]: column };
  return tables;
}

/** The columns as `db/schema.ts` declares them, read from its text. */
async function declaredTables(): Promise<Tables> {
  const text = (await readFile(path.join(import.meta.dirname, '../../db/schema.ts'), 'utf8')).replaceAll(
    /\/\*\*[\s\S]*?\*\//g,
    '',
  );
  const shared = columnsOf(/type AccessTokenColumns = \{([\s\S]*?)\n\};/.exec(text)?.[1] ?? '');
  const body = /export type Database = \{([\s\S]*?)\n\};/.exec(text)?.[1] ?? '';
  return Object.fromEntries(
    [...body.matchAll(/^ {2}(\w+): (AccessTokenColumns & )?\{([\s\S]*?)\};$/gm)].map(
      ([, table = '', isShared, columns = '']) => [table, { ...(isShared ? shared : {}), ...columnsOf(columns) }],
    ),
  );
}

function columnsOf(text: string): Record<string, Column> {
  const columns = [...text.matchAll(/(\w+): ([^;]+)(?:;|$)/g)];
  return Object.fromEntries(columns.map(([, name = '', type = '']) => [name, columnOf(type.trim())]));
}

function columnOf(type: string): Column {
  const bare = type.replace(/^Generated(?:Always)?<(.*)>$|^Generated(\w+)$/, '$1$2').replace(/ \| null$/, '');
  return { kind: kindOf(bare), nullable: /\| null$|^Nullable|\| null,/.test(type), optional: /^Generated/.test(type) };
}

function kindOf(type: string): string {
  if (type === 'Digest' || type === 'Sealed') return 'Digest|Sealed';
  if (/^(Json|NullableJson|JSONColumnType|ColumnType)\b/.test(type)) return 'json';
  if (['boolean', 'number', 'Date', 'BigInt64'].includes(type)) return type;
  return 'string';
}

describe('db/schema.ts', () => {
  test('names exactly the tables and columns that the migrations make, with their types', async () => {
    const [
      { standing_grants: grants, standing_api_keys: keys, ...migrated },
      { standing_grants: declaredGrants, standing_api_keys: declaredKeys, ...declared },
    ] = await Promise.all([migratedTables(), declaredTables()]);
    expect(Object.keys(declared).length).toBeGreaterThan(25);
    expect(declared).toEqual(migrated);
    // PostgreSQL does not know which columns of a view can be null.
    const names = (...views: (Record<string, unknown> | undefined)[]) =>
      views.map((view) => Object.keys(view ?? {}).sort());
    expect(names(declaredGrants, declaredKeys)).toEqual(names(grants, keys));
  });
});
