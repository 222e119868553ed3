// Measures the cost of the views `standing_*` and their comparison of epochs (docs/performance.md).
// Run it alone: node bench/standing.ts [seconds]
import { createHash } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../src/platform/database/index.ts';
import { openBenchPostgres } from './postgres.ts';
import { cpuOf } from './processes.ts';

const tokens = 100_000;
const owners = 1000;
const batchSize = 16;
const rounds = 9;
const milliseconds = (Number(process.argv[2] ?? 1) * 1000) / 3;

const id = (kind: number, n = 'n') => `('0198${kind}000-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const owner = `1 + n % ${owners}`;
const digest = (n: number) => createHash('sha256').update(String(n)).digest();

const fill = `
  set session_replication_role = 'replica';
  insert into subjects (id, kind) select ${id(1)}, 'user' from generate_series(1, ${owners}) n;
  insert into subjects (id, kind) select ${id(2)}, 'client' from generate_series(1, ${owners}) n;
  insert into users (id, username, created_at, updated_at) select ${id(1)}, 'user' || n, now(), now() from generate_series(1, ${owners}) n;
  insert into clients (id, client_id, type, metadata, resources, service_permissions, introspects, lifetimes, created_at, updated_at)
    select ${id(2)}, 'client' || n, 'web', '{}', '{}', '{}', '[]', '{}', now(), now() from generate_series(1, ${owners}) n;
  insert into grants (id, user_id, client_id, offline, payload, created_at, user_epoch, client_epoch)
    select ${id(5)}, ${id(1, owner)}, ${id(2, owner)}, true, '{}', now(), 0, 0 from generate_series(1, ${tokens}) n;
  insert into refresh_families (id, grant_id, user_id, client_id, handle_digest, digest, issued_at, expires_at, absolute_expires_at)
    select ${id(6)}, ${id(5)}, ${id(1, owner)}, ${id(2, owner)}, sha256(('h' || n)::bytea), sha256(n::text::bytea), now(),
      now() + interval '1 day', now() + interval '1 day' from generate_series(1, ${tokens}) n;
  insert into access_tokens (digest, grant_id, family_id, user_id, client_id, payload, issued_at, expires_at)
    select sha256(n::text::bytea), ${id(5)}, ${id(6)}, ${id(1, owner)}, ${id(2, owner)}, '{}', now(), now() + interval '1 day'
    from generate_series(1, ${tokens}) n;
  analyze`;

const columns = 't.digest, t.scope, t.audience, t.expires_at, t.payload';
const marks = ({ user = '', client = '' } = {}) => `select ${columns}, c.client_id, u.username, g.payload
  from access_tokens t join grants g on g.id = t.grant_id and g.revoked_at is null
    join users u on u.id = g.user_id and u.enabled ${user} join clients c on c.id = g.client_id and c.enabled ${client}
    left join refresh_families f on f.id = t.family_id left join resource_servers r on r.identifier = t.audience
    left join sessions s on s.uid = g.session_uid
  where t.digest = any($1::bytea[]) and t.revoked_at is null and f.revoked_at is null`;

/** Reads a batch of tokens by digest, as the server batches them. */
const reads = {
  'the rows alone': `select ${columns} from access_tokens t where t.digest = any($1::bytea[])`,
  'with the marks of everything that they hang on': marks(),
  'and epochs': marks({ user: 'and g.user_epoch = u.epoch', client: 'and g.client_epoch = c.epoch' }),
  standing_access_tokens: `select ${columns}, t.client, t.grant_payload from standing_access_tokens t
    where t.digest = any($1::bytea[]) and t.ends_at > now()`,
};

const written = 32_000;
const insert = `insert into access_tokens (digest, grant_id, user_id, client_id, payload, issued_at, expires_at)
  select sha256(('new' || n)::bytea), ${id(5)}, ${id(1, owner)}, ${id(2, '1 + n % 20')}, '{}', now(), now() + interval '1 day'
  from generate_series($1::int, $1::int + ${batchSize - 1}) n`;

const postgres = await openBenchPostgres();
try {
  const url = await postgres.createDatabase('standing');
  await migrate(url);
  const client = new pg.Client({ connectionString: url, options: '-c plan_cache_mode=force_generic_plan' });
  await client.connect();
  await client.query(fill);
  await client.query(`set session_replication_role = 'origin'`);
  await compareReads(client);
  await compareWrites(client);
  await client.end();
} finally {
  await postgres.close();
}

async function compareReads(client: pg.Client): Promise<void> {
  const times = new Map(Object.keys(reads).map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, text] of Object.entries(reads)) times.get(name)?.push(await microsecondsOf(client, name, text));
  const [[, alone = []] = []] = [...times];
  process.stdout.write(`| read, in batches of ${batchSize} | µs a token | ratio |\n|---|---|---|\n`);
  for (const [name, each] of times)
    process.stdout.write(`| ${name} | ${median(each).toFixed(1)} | ${(median(each) / median(alone)).toFixed(2)} |\n`);
}

async function microsecondsOf(client: pg.Client, name: string, text: string): Promise<number> {
  const start = performance.now();
  let [read, counted] = [0, 0];
  while (performance.now() - start < milliseconds) {
    const digests = Array.from({ length: batchSize }, () => digest(1 + Math.floor(Math.random() * tokens)));
    const before = performance.now();
    const found = await client.query({ name, text, values: [digests] });
    if (found.rowCount === 0) throw new Error(`${name} finds nothing`);
    read += performance.now() - before;
    counted += batchSize;
  }
  return (read * 1000) / counted;
}

/** The cost of the indexes for counting the tokens of an owner: CPU time of PostgreSQL for each token of a batch. */
async function compareWrites(client: pg.Client): Promise<void> {
  const names = ['access_tokens_client', 'access_tokens_user'];
  const times: Record<'with' | 'without', number[]> = { with: [], without: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const state of ['with', 'without'] as const) {
      await client.query('begin');
      if (state === 'without') for (const name of names) await client.query(`drop index ${name}`);
      const before = cpuOf(postgres.pid);
      for (let from = 0; from < written; from += batchSize)
        await client.query({ name: 'insert', text: insert, values: [from] });
      times[state].push((cpuOf(postgres.pid) - before) / written);
      await client.query('rollback');
    }
  }
  const [withThem, without] = [median(times.with), median(times.without)];
  process.stdout.write(
    `\nInsert with the indexes of owners: ${withThem.toFixed(1)} µs of CPU a token, without: ${without.toFixed(1)}.\n`,
  );
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
