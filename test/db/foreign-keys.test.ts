import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const sources = path.join(import.meta.dirname, '../../src');
const sourceText = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(path.join(sources, file), 'utf8'))
  .join('\n');

/** Tables without deletions, so that references to them are never checked. */
const permanent = ['audit_keys', 'server_keys', 'users'];

describe('foreign keys', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
  });
  afterAll(() => database.drop());

  test('that are checked on deletion are indexed, so that no deletion reads a whole table for each row', async () => {
    // An index is suitable if it begins with the columns of the key and contains every row that can refer to something.
    const { rows } = await database.query(
      `select c.conrelid::regclass || ' (' || c.conname || ')' as unindexed from pg_constraint c
        where c.contype = 'f' and c.conparentid = 0 and c.connamespace = 'public'::regnamespace
          and c.confrelid::regclass::text <> all($1) and not exists (select from pg_index i
            where i.indrelid = c.conrelid and i.indisvalid and i.indnkeyatts >= cardinality(c.conkey)
              and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
              and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) = (select format('(%I IS NOT NULL)', a.attname)
                from pg_attribute a where a.attrelid = c.conrelid and a.attnum = c.conkey[1])))`,
      [permanent],
    );
    expect(rows).toEqual([]);
  });

  test.each(permanent)('refer to %s, from which nothing is deleted', (table) => {
    expect(sourceText).not.toMatch(
      new RegExp(`deleteFrom\\('${table}'|delete from ${table}\\b|name: '${table}', *(?:isWalked|gone)`),
    );
  });
});
