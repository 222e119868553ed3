// One row per family, or one per token? Rotates the same families in both layouts and compares (docs/performance.md).
// Run it alone: node bench/family-shapes.ts [seconds]
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openBenchPostgres } from './postgres.ts';
import { cpuOf } from './processes.ts';

type Shape = { name: string; table: string; schema: string; fill: string; rotate: string };
type Family = { id: number; digest: Buffer };

const families = 20_000;
const batchSize = 16;
const lanes = 2;
const milliseconds = Number(process.argv[2] ?? 15) * 1000;

const payload = `'{"scope":"openid profile read","sid":"the session","resource":"https://api.example"}'::json`;

const shapes: readonly Shape[] = [
  {
    name: 'one row a family',
    table: 'families',
    schema: `
      create table families (id int primary key, handle bytea unique, digest bytea, previous_digest bytea, key_id int,
        generation int not null default 0, rotated_at timestamptz, payload json, expires_at timestamptz,
        absolute_expires_at timestamptz) with (fillfactor = 80);
      create index on families (absolute_expires_at)`,
    fill: `insert into families (id, handle, digest, key_id, payload, expires_at, absolute_expires_at)
      select id, sha256(digest), digest, 1, ${payload}, now() + '14 days', now() + '90 days'
      from unnest($1::int[], $2::bytea[]) as u(id, digest)`,
    rotate: `update families f set previous_digest = f.digest, digest = u.successor, generation = generation + 1,
        rotated_at = now(), expires_at = now() + '14 days'
      from unnest($1::int[], $2::bytea[], $3::bytea[]) as u(id, presented, successor)
      where f.id = u.id and f.digest = u.presented`,
  },
  {
    name: 'one row a token',
    table: 'tokens',
    schema: `
      create table tokens (digest bytea primary key, family_id int, key_id int, consumed_at timestamptz, payload json,
        expires_at timestamptz);
      create index on tokens (family_id);
      create index on tokens (expires_at)`,
    fill: `insert into tokens (digest, family_id, key_id, payload, expires_at)
      select digest, id, 1, ${payload}, now() + '14 days' from unnest($1::int[], $2::bytea[]) as u(id, digest)`,
    rotate: `with consumed as (
        update tokens t set consumed_at = now()
        from unnest($1::int[], $2::bytea[], $3::bytea[]) as u(id, presented, successor)
        where t.digest = u.presented and t.consumed_at is null
        returning u.id, u.successor, t.payload)
      insert into tokens (digest, family_id, key_id, payload, expires_at)
      select successor, id, 1, payload, now() + '14 days' from consumed`,
  },
];

const postgres = await openBenchPostgres();
try {
  process.stdout.write(
    '| shape | rotations/s | PostgreSQL µs | WAL bytes | bytes a rotation leaves |\n|---|---|---|---|---|\n',
  );
  for (const shape of shapes) process.stdout.write(`${await measure(shape)}\n`);
} finally {
  await postgres.close();
}

async function measure(shape: Shape): Promise<string> {
  const pool = new pg.Pool({ connectionString: await postgres.createDatabase(shape.table), max: lanes });
  await pool.query(shape.schema);
  const all = Array.from({ length: families }, (_, id): Family => ({ id, digest: randomBytes(32) }));
  await pool.query(shape.fill, [all.map(({ id }) => id), all.map(({ digest }) => digest)]);
  await pool.query(`vacuum analyze ${shape.table}`);
  const before = await sample(pool, shape.table);
  const started = performance.now();
  const halves = Array.from({ length: lanes }, (_, lane) => all.filter(({ id }) => id % lanes === lane));
  const rotated = await Promise.all(halves.map((half) => rotateFor(pool, shape, half)));
  const seconds = (performance.now() - started) / 1000;
  const rotations = rotated.reduce((sum, count) => sum + count, 0);
  const after = await sample(pool, shape.table);
  await pool.end();
  const each = (of: keyof typeof after) => Math.round((after[of] - before[of]) / rotations);
  return `| ${[shape.name, Math.round(rotations / seconds), each('cpu'), each('wal'), each('size')].join(' | ')} |`;
}

/** Rotates one family after another in transactions of the same size as the committer's. */
async function rotateFor(pool: pg.Pool, { rotate }: Shape, mine: Family[]): Promise<number> {
  let rotations = 0;
  for (const until = performance.now() + milliseconds; performance.now() < until; ) {
    const at = rotations % mine.length;
    const batch = mine.slice(at, at + batchSize);
    const successors = batch.map(() => randomBytes(32));
    const presented = batch.map(({ digest }) => digest);
    await pool.query({ name: 'rotate', text: rotate, values: [batch.map(({ id }) => id), presented, successors] });
    batch.forEach((family, n) => {
      family.digest = successors[n] ?? family.digest;
    });
    rotations += batch.length;
  }
  return rotations;
}

async function sample(pool: pg.Pool, table: string): Promise<{ cpu: number; wal: number; size: number }> {
  const { rows } = await pool.query(
    `select pg_total_relation_size($1) as size, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as wal`,
    [table],
  );
  return { cpu: cpuOf(postgres.pid), wal: Number(rows[0].wal), size: Number(rows[0].size) };
}
