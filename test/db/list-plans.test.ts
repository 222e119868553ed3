import { sql } from 'kysely';
import { listAccessRecords } from '../../src/domain/access-records/store.ts';
import { listKeys } from '../../src/domain/api-keys/list-store.ts';
import { histogramOf } from '../../src/domain/audit/histogram.ts';
import { listEvents } from '../../src/domain/audit/index.ts';
import { listClients } from '../../src/domain/clients/store.ts';
import { listInventory } from '../../src/domain/credentials/inventory.ts';
import { revocationImpact } from '../../src/domain/revocation/index.ts';
import { listUsersFrom } from '../../src/domain/users/store.ts';
import { type Db, openDatabase } from '../../src/platform/database/index.ts';
import type { SearchPage } from '../../src/platform/http/index.ts';
import type { ListRequest } from '../../src/platform/lists/index.ts';
import { credentialKinds } from '../../src/server/credential-kinds.ts';
import { createTestDatabase, type TestDatabase, withoutTriggers } from '../support/database.ts';

const many = 20_000;
// Ids grow with time, like UUIDv7.
const id = (kind: number) => `('0198${kind}000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid`;
const numbers = `generate_series(1, ${many}) n`;
// More events than one page searches from the newest on.
const log = 15_000;
const logged = `generate_series(1, ${log}) n`;
const ago = `now() - n * interval '1 second'`;
const timed = `(lpad(to_hex((extract(epoch from ${ago}) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid`;
const inserts = `
  insert into subjects (id, kind) select ${id(1)}, 'user' from ${numbers};
  insert into subjects (id, kind) select ${id(2)}, 'client' from ${numbers};
  insert into users (id, username, email, name, enabled, created_at, updated_at)
    select ${id(1)}, 'user' || n, case when n % 3 > 0 then 'user' || n || '@example' || n % 50 || '.com' end,
      case when n % 2 = 0 then 'Person ' || n end, n % 1000 > 0, now(), now() from ${numbers};
  insert into clients (id, client_id, type, metadata, resources, service_permissions, introspects, lifetimes, last_used_at, created_at, updated_at)
    select ${id(2)}, 'client' || n, (array['web', 'spa', 'native', 'service'])[1 + n % 4],
      json_build_object('client_name', 'Application ' || n), '{}', '{}', '[]', '{}',
      case when n % 3 = 0 then now() - n * interval '1 minute' end, now(), now() from ${numbers};
  insert into api_keys (id, name, environment, owner_id, risk, permissions, restrictions, metadata, expires_at, last_used_at, created_at, updated_at)
    select ${id(3)}, 'key ' || n, 'prod', ${id(2)}, 'low', '[]', '{}', '{}',
      case when n % 2 = 0 then now() + n * interval '1 minute' end, case when n % 3 = 0 then now() - n * interval '1 minute' end,
      now(), now() from ${numbers};
  insert into client_secrets (id, client_id, digest, pepper_id, created_at, number, label)
    select ${id(4)}, ${id(2)}, sha256(n::text::bytea), 1, now() - n * interval '1 minute', 1, case when n % 2 = 0 then 'label ' || n end
      from ${numbers};
  insert into api_key_versions (digest, key_id, number, start, last_four, issued_at)
    select sha256(n::text::bytea), ${id(3)}, 1, 'sk_prod_' || lpad(to_hex(n), 4, 'x'), lpad((n % 9999)::text, 4, '0'), now() from ${numbers};
  insert into audit_events (id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, outcome, request_id)
    select ${timed}, ${ago}, 'client', 'client' || n % 5, 'access_token.issued', 'user', n::text,
      case when n % 5000 = 0 then 'failure' else 'success' end, 'request ' || n from ${logged};
  insert into access_records (id, kind, outcome, client_id, uses, occurred_at, last_at)
    select ${timed}, 'userinfo', 'active', 'client ' || n, 1, ${ago}, now() from ${logged};
  analyze`;

type Read = (
  db: Db,
  request: { sort: string; limit: number; cursor?: string; total?: boolean; q?: string },
) => Promise<{
  items: object[];
  next: string | null;
  previous: string | null;
  total: number | null;
}>;

const now = new Date();
const administrator = { kind: 'user' as const, id: '', permissions: ['latchkey:*'], origin: {} };
type CredentialsRequest = Parameters<typeof listInventory>[2];
const lists: [string, { read: Read; sorts: string[]; searches: string[] }][] = [
  [
    'users',
    {
      read: (db, request) => listUsersFrom(db, { ...request, now }),
      sorts: ['username', 'name', 'email', 'created_at'],
      searches: ['user777', 'person 17778', 'user77@example27.com', 'nobody'],
    },
  ],
  [
    'clients',
    {
      read: listClients,
      sorts: ['client_id', 'name', 'type', 'created_at', 'last_used_at'],
      searches: ['client777', 'application 17777', 'nobody'],
    },
  ],
  [
    'API keys',
    {
      read: (db, request) => listKeys(db, request, now),
      sorts: ['name', 'created_at', 'expires_at', 'last_used_at'],
      searches: ['17777', 'key 17777', 'sk_prod_4571and-more', 'sk_dev_nobody'],
    },
  ],
  [
    'credentials',
    {
      read: (db, request) => listInventory({ db, credentialKinds }, administrator, request as CredentialsRequest),
      sorts: ['name', 'created_at', 'expires_at', 'due_at', 'last_used_at'],
      searches: [],
    },
  ],
];

describe(`with ${many} of each, the list of`, () => {
  let database: TestDatabase;
  let db: Db;
  let close: () => Promise<void>;
  beforeAll(async () => {
    database = await createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
    await withoutTriggers(database, inserts, []);
    ({ db, close } = openDatabase({ url: database.url, poolSize: 1, preparedStatements: true }));
  });
  afterAll(async () => {
    await close();
    await database.drop();
  });

  /** The number of rows of large tables that sequential scans have read so far. */
  const scanned = async (): Promise<number> => {
    await sql`select pg_stat_force_next_flush()`.execute(db);
    const { rows } = await database.query(`select sum(seq_tup_read)::int as rows from pg_stat_user_tables
      where relname in ('users', 'clients', 'subjects', 'api_keys', 'api_key_versions', 'client_secrets') or relname like 'audit_events%'`);
    return rows[0].rows;
  };

  test.each(lists)(
    '%s is sorted in both directions without a sequential scan, on every page',
    async (_, { read, sorts }) => {
      const before = await scanned();
      for (const sort of sorts.flatMap((name) => [name, `-${name}`])) {
        const first = await read(db, { sort, limit: 50 });
        const second = await read(db, { sort, limit: 50, cursor: first.next ?? '' });
        const back = await read(db, { sort, limit: 50, cursor: second.previous ?? '' });
        expect(back.items).toEqual(first.items);
        expect(second.items).toHaveLength(50);
      }
      expect((await scanned()) - before).toBe(0);
    },
  );

  test.each(lists.filter(([, { searches }]) => searches.length > 0))(
    '%s is searched without a sequential scan',
    async (_, { read, sorts: [sort = ''], searches }) => {
      const before = await scanned();
      for (const q of searches) {
        const { items, total } = await read(db, { sort, limit: 50, q, total: true });
        expect(items.length > 0).toBe(!q.endsWith('nobody'));
        expect(total).toBeLessThan(200);
      }
      expect((await scanned()) - before).toBe(0);
    },
  );

  test.each([
    ['users', 'user'],
    ['clients', 'application'],
    ['API keys', 'key'],
  ])('%s is searched for a word that all of them contain without reading them all', async (name, q) => {
    const list = lists.find(([each]) => each === name);
    if (!list) throw new Error(`no list of ${name}`);
    const [, { read, sorts }] = list;
    const touched = async (): Promise<number> => {
      await sql`select pg_stat_force_next_flush()`.execute(db);
      const { rows } = await database.query(`select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows
        from pg_stat_user_tables where relname in ('users', 'clients', 'api_keys')`);
      return rows[0].rows;
    };
    for (const sort of sorts.flatMap((each) => [each, `-${each}`])) {
      const { items, next } = await read(db, { sort, limit: 50 });
      const before = await touched();
      const found = await read(db, { sort, limit: 50, q });
      expect((await touched()) - before).toBeLessThan(many / 2);
      expect([found.items, found.next !== null]).toEqual([items, true]);
      const second = await read(db, { sort, limit: 50, q, cursor: found.next ?? '' });
      expect(second.items).toEqual((await read(db, { sort, limit: 50, cursor: next ?? '' })).items);
    }
  });

  test('a word that many contain is also found where the match is at the end of the list', async () => {
    const { items } = await listUsersFrom(db, { sort: '-name', limit: 50, q: 'person', now });
    // On this connection: reads of another connection are counted later, in the next test.
    const { rows } = await sql<{ username: string }>`select username from users where name is not null
      order by lower(name) collate "C" desc, id desc limit 50`.execute(db);
    expect(items.map(({ username }) => ({ username }))).toEqual(rows);
  });

  test.each(lists)('%s is counted up to 10,000', async (_, { read, sorts: [sort = ''] }) => {
    const before = await scanned();
    expect(await read(db, { sort, limit: 1, total: true })).toMatchObject({ total: 10_000, total_is_capped: true });
    expect((await scanned()) - before).toBeLessThanOrEqual(10_002);
  });

  test.each<[string, (request: ListRequest) => Promise<SearchPage<object>>]>([
    ['events', (request) => listEvents(db, { ...request, request_id: 'request 14999' })],
    ['access records', (request) => listAccessRecords(db, { ...request, client: 'client 14999' })],
  ])('%s are searched up to a limit for each page, and the next page continues', async (_, read) => {
    const page = await read({ sort: '-occurred_at', limit: 5 });
    expect(page).toMatchObject({ items: [], next: expect.any(String), total: null, searched_to: expect.any(Date) });
    const [newest] = (await read({ sort: '-occurred_at', limit: 5, cursor: page.next ?? '' })).items;
    expect(newest).toMatchObject({ occurred_at: expect.any(Date) });
    const { searched_to, items, next } = await read({ sort: 'occurred_at', limit: 1 });
    expect({ items, hasNext: next !== null }).toEqual({ items: [newest], hasNext: true });
    expect(searched_to).toEqual(expect.any(Date));
    expect(await read({ sort: 'occurred_at', limit: 1, cursor: next ?? '' })).toMatchObject({ items: [], next: null });
  });

  test('events are counted by time up to the newest 10,000, without reading more', async () => {
    const before = await scanned();
    const newest = await histogramOf(db, {}, new Date());
    expect(newest).toMatchObject({ is_partial: true });
    expect(newest.items.length).toBeLessThanOrEqual(61);
    expect(newest.items.reduce((sum, { success, failure }) => sum + success + failure, 0)).toBe(10_000);
    const rare = await histogramOf(db, { outcome: 'failure' }, new Date());
    expect(rare.items.reduce((sum, { failure }) => sum + failure, 0)).toBe(3);
    expect(rare.is_partial).toBe(false);
    const found = await histogramOf(db, { request_id: 'request 14999' }, new Date());
    expect(found).toMatchObject({ is_partial: true, items: [] });
    expect((await scanned()) - before).toBe(0);
  });

  test('failures are found by an index, however rare they are, and counted', async () => {
    const before = await scanned();
    const page = await listEvents(db, { sort: '-occurred_at', limit: 50, total: true, outcome: 'failure' });
    expect(page).toMatchObject({ next: null, total: 3, searched_to: null });
    expect((await scanned()) - before).toBe(0);
  });
});

describe('with 100,000 tokens, a dry run of the revocation of', () => {
  const owners = 1000;
  const each = 100_000 / owners;
  const owner = `(1 + n % ${owners})`;
  const of = (kind: number) => id(kind).replace('to_hex(n)', `to_hex(${owner})`);
  const tokens = 'generate_series(1, 100000) n';
  const ends = `now(), now() + interval '1 hour'`;
  // Access tokens, which are valid for minutes, are read one by one (db/migrations/0032_counted_owners.ts).
  const tables = ['refresh_families', 'grants', 'sessions', 'api_keys'];
  let database: TestDatabase;
  let db: Db;
  let close: () => Promise<void>;
  beforeAll(async () => {
    database = await createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
    await withoutTriggers(
      database,
      `insert into subjects (id, kind) select ${id(1)}, 'user' from generate_series(1, ${owners}) n;
        insert into subjects (id, kind) select ${id(2)}, 'client' from generate_series(1, ${owners}) n;
        insert into users (id, username, created_at, updated_at) select ${id(1)}, 'user' || n, now(), now()
          from generate_series(1, ${owners}) n;
        insert into clients (id, client_id, type, metadata, resources, service_permissions, introspects, lifetimes, created_at, updated_at)
          select ${id(2)}, 'client' || n, 'web', '{}', '{}', '{}', '[]', '{}', now(), now() from generate_series(1, ${owners}) n;
        insert into grants (id, user_id, client_id, offline, payload, created_at, user_epoch, client_epoch)
          select ${id(5)}, ${of(1)}, ${of(2)}, true, '{}', now(), 0, 0 from ${tokens};
        insert into refresh_families (id, grant_id, user_id, client_id, handle_digest, digest, issued_at, expires_at, absolute_expires_at)
          select ${id(6)}, ${id(5)}, ${of(1)}, ${of(2)}, sha256(('h' || n)::bytea), sha256(n::text::bytea), ${ends}, now() + interval '1 day'
          from ${tokens};
        insert into access_tokens (digest, grant_id, family_id, user_id, client_id, payload, issued_at, expires_at)
          select sha256(n::text::bytea), ${id(5)}, ${id(6)}, ${of(1)}, ${of(2)}, '{}', ${ends} from ${tokens};
        analyze`,
      [],
    );
    ({ db, close } = openDatabase({ url: database.url, poolSize: 1, preparedStatements: true }));
  });
  afterAll(async () => {
    await close();
    await database.drop();
  });

  test.each([
    ['a client', { client_id: 'client7' }],
    ['a user', { user: 'username:user7' }],
  ])('%s reads no rows of other subjects', async (_, handle) => {
    const read = async () => {
      await sql`select pg_stat_force_next_flush()`.execute(db);
      const { rows } = await database.query(
        `select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int as rows from pg_stat_user_tables where relname = any($1)`,
        [tables],
      );
      return rows[0].rows;
    };
    const before = await read();
    const impact = await revocationImpact({ db, now: () => new Date() }, handle);
    expect(impact).toEqual({ sessions: 0, refresh_families: each, access_tokens: each, api_keys: 0 });
    expect((await read()) - before).toBeLessThan(20 * each);
  });
});
