import { presentable, readText } from '../../src/domain/secrets/read-statement.ts';
import {
  readAccessToken,
  readCode,
  readDeviceCode,
  readFamily,
  readGrant,
  readJwtAccessToken,
} from '../../src/entrypoints/oauth/store/reads.ts';
import { judgeStatement, wholeShape } from '../../src/entrypoints/oauth/token-endpoint/commit.ts';
import { grantTypes } from '../../src/entrypoints/oauth/token-endpoint/grants/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

type Plan = { 'Node Type': string; 'Relation Name'?: string; 'Index Cond'?: string; Plans?: Plan[] };

const scans = (plan: Plan): Plan[] =>
  [plan, ...(plan.Plans ?? []).flatMap(scans)].filter((node) => node['Relation Name']);

/** The generic plan of a hot statement. */
async function planOf(database: TestDatabase, text: string): Promise<Plan> {
  const results = await database.query(
    `${settings.map((each) => `set ${each}`).join('; ')}; explain (generic_plan, format json) ${text}`,
  );
  const { rows } = ([results].flat() as (typeof results)[]).at(-1) ?? { rows: [] };
  return rows[0]['QUERY PLAN'][0].Plan;
}

// Configured like the connections of hot statements.
const settings = [
  'plan_cache_mode = force_generic_plan',
  ...['hashjoin', 'mergejoin', 'seqscan'].map((each) => `enable_${each} = off`),
];
describe('a hot read', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
  });
  afterAll(() => database.drop());

  test.each([
    ['access_tokens', readAccessToken],
    ['jwt_access_tokens', readJwtAccessToken],
    ['authorization_codes', readCode],
    ['refresh_families', readFamily],
    ['device_codes', readDeviceCode],
    ['grants', readGrant],
  ])('finds one of %s by its key, however many there are', async (table, { text }) => {
    const [scan] = scans(await planOf(database, text)).filter((node) => node['Relation Name'] === table);
    expect(scan?.['Index Cond'] ?? scan?.Plans?.[0]?.['Index Cond']).toContain('k.key');
  });
});

describe('a read of secrets', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
  });
  afterAll(() => database.drop());

  test.each(['secrets', 'secret_versions', 'access_tokens', 'jwt_access_tokens'])(
    'finds one of %s by its key, however many there are',
    async (table) => {
      const found = scans(await planOf(database, readText(presentable))).filter(
        (node) => node['Relation Name'] === table,
      );
      expect(found.length).toBeGreaterThan(0);
      for (const scan of found) expect(scan['Index Cond'] ?? scan.Plans?.[0]?.['Index Cond']).toBeDefined();
    },
  );

  test('with API keys reads no token', async () => {
    const tables = scans(await planOf(database, readText(['api_key_id', 'subject_id']))).map(
      (node) => node['Relation Name'],
    );
    expect(tables).toContain('api_keys');
    expect(tables).not.toContain('access_tokens');
    expect(tables).not.toContain('jwt_access_tokens');
  });
});

describe('the statement that checks a batch', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
  });
  afterAll(() => database.drop());

  const uniform = grantTypes.flatMap((grant) =>
    wholeShape.tokens.map((form) => ({ name: `${grant.source}, ${form}`, shape: { grants: [grant], tokens: [form] } })),
  );
  test.each([{ name: 'any grant type', shape: wholeShape }, ...uniform])(
    'of $name finds its rows by index',
    async ({ shape }) => {
      const plan = await planOf(database, judgeStatement(shape));
      const reading = scans(plan).filter((node) => node['Node Type'] !== 'ModifyTable');
      // A scan of an index without a condition reads all active rows.
      expect(reading.filter((node) => !(node['Index Cond'] ?? node.Plans?.[0]?.['Index Cond']))).toEqual([]);
      expect(reading.map((node) => node['Relation Name'])).toContain('clients');
    },
  );

  test('of client credentials reads no grant, and writes three tables', async () => {
    const [shape] = uniform.filter(({ name }) => name === 'client_credentials, opaque');
    const nodes = scans(await planOf(database, judgeStatement(shape?.shape ?? wholeShape)));
    const tables = (isWrite: boolean) =>
      new Set(
        nodes.flatMap((node) => ((node['Node Type'] === 'ModifyTable') === isWrite ? [node['Relation Name']] : [])),
      );
    expect(tables(true)).toEqual(new Set(['access_tokens', 'audit_events', 'audit_personal_details']));
    expect(tables(false)).toEqual(new Set(['clients', 'client_secrets', 'resource_servers']));
  });
});
