import {
  readAccessToken,
  readCode,
  readDeviceCode,
  readFamily,
  readGrant,
  readJwtAccessToken,
} from '../../src/entrypoints/oauth/store/reads.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

type Plan = { 'Node Type': string; 'Relation Name'?: string; 'Index Cond'?: string; Plans?: Plan[] };

// As the connections of hot statements are set up.
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

  const scans = (plan: Plan): Plan[] =>
    [plan, ...(plan.Plans ?? []).flatMap(scans)].filter((node) => node['Relation Name']);

  test.each([
    ['access_tokens', readAccessToken],
    ['jwt_access_tokens', readJwtAccessToken],
    ['authorization_codes', readCode],
    ['refresh_families', readFamily],
    ['device_codes', readDeviceCode],
    ['grants', readGrant],
  ])('looks one of %s up by its key, however many there are', async (table, { text }) => {
    const results = await database.query(
      `${settings.map((each) => `set ${each}`).join('; ')}; explain (generic_plan, format json) ${text}`,
    );
    const { rows } = ([results].flat() as (typeof results)[]).at(-1) ?? { rows: [] };
    const [scan] = scans(rows[0]['QUERY PLAN'][0].Plan).filter((node) => node['Relation Name'] === table);
    expect(scan?.['Index Cond'] ?? scan?.Plans?.[0]?.['Index Cond']).toContain('k.key');
  });
});
