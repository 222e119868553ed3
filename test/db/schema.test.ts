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
  const shared = [...text.matchAll(/^type (\w+Columns) = \{([\s\S]*?)\n\};/gm)];
  const columnsNamed = new Map(shared.map(([, name = '', columns = '']) => [name, columnsOf(columns)]));
  const body = /export type Database = \{([\s\S]*?)\n\};/.exec(text)?.[1] ?? '';
  const tables = [...body.matchAll(/^ {2}(\w+):\s+((?:\w+Columns(?: &\s+)?)*)(?:\{([\s\S]*?)\})?;$/gm)];
  return Object.fromEntries(
    tables.map(([, table = '', names = '', columns = '']) => {
      const named = names.split(/\W+/).map((name) => columnsNamed.get(name) ?? {});
      return [table, Object.assign({}, ...named, columnsOf(columns))];
    }),
  );
}

function columnsOf(text: string): Record<string, Column> {
  // Members of JSON are not columns.
  const columns = [...text.replaceAll(/\{[^{}]*\}/g, 'Members').matchAll(/(\w+): ([^;]+)(?:;|$)/g)];
  return Object.fromEntries(columns.map(([, name = '', type = '']) => [name, columnOf(type.trim())]));
}

function columnOf(type: string): Column {
  const bare = type.replace(/^Generated(?:Always)?<(.*)>$|^Generated(\w+)$/, '$1$2').replace(/ \| null$/, '');
  return { kind: kindOf(bare), nullable: /\| null$|^Nullable|\| null,/.test(type), optional: /^Generated/.test(type) };
}

function kindOf(type: string): string {
  if (['Digest', 'Sealed', 'Buffer'].includes(type)) return 'Digest|Sealed';
  if (/^(Json|NullableJson|JSONColumnType|ColumnType)\b/.test(type)) return 'json';
  if (['boolean', 'number', 'Date', 'BigInt64'].includes(type)) return type;
  return 'string';
}

describe('db/schema.ts', () => {
  test('names exactly the tables and columns that the migrations create, with their types', async () => {
    const [migrated, declared] = (await Promise.all([migratedTables(), declaredTables()])).map((tables) => {
      const isView = ([name]: [string, unknown]) => name.startsWith('standing_');
      const views = Object.entries(tables).filter(isView);
      return {
        tables: Object.fromEntries(Object.entries(tables).filter((table) => !isView(table))),
        // PostgreSQL does not know which columns of a view can be null.
        views: Object.fromEntries(views.map(([name, columns]) => [name, Object.keys(columns).sort()])),
      };
    });
    expect(Object.keys(declared?.tables ?? {}).length).toBeGreaterThan(25);
    expect(Object.keys(declared?.views ?? {}).length).toBeGreaterThan(8);
    expect(declared).toEqual(migrated);
  });
});
