import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import pg from 'pg';
import { type NotedHead, publicKeyOf, verifyExport } from '../../../src/domain/audit/index.ts';
import { withoutTriggers } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import { runCommand, startCommand, testRootKey } from '../../support/server.ts';
import { sealed, verified, writeEvents } from './support/log.ts';

type Line = { type: string; id: string } & Record<string, unknown>;

describe('an exported log', () => {
  const latchkey = startLatchkey();
  let folder: string;
  let lines: Line[];
  const file = (name: string) => path.join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-export-'));
    await latchkey.tokens();
    await sealed(latchkey.database);
    await writeEvents(latchkey.database.url, 20);
    await sealed(latchkey.database);
    expect(await latchkey.command(['audit', 'export', '--out', file('log.ndjson')])).toMatchObject({ code: 0 });
    const { stdout } = await latchkey.command(['audit', 'keys', '--json']);
    await writeFile(file('keys.json'), stdout);
    lines = (await readFile(file('log.ndjson'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** Verifies lines with the public keys alone. */
  async function proved(changed: Line[], head?: NotedHead) {
    const { keys } = JSON.parse(await readFile(file('keys.json'), 'utf8')) as { keys: { kid: string }[] };
    const publicKeys = new Map(keys.map((jwk) => [jwk.kid, publicKeyOf(jwk)]));
    return verifyExport(Readable.from(changed.map((line) => JSON.stringify(line))), publicKeys, { head });
  }
  const proof = (name: string, ...options: string[]) =>
    runCommand(['audit', 'verify', '--file', file(name), '--keys', file('keys.json'), '--json', ...options]);
  const isEvent = ({ type }: Line) => type === 'event';
  const at = () => lines.findLastIndex((line, n) => isEvent(line) && isEvent(lines[n - 1] as Line));
  const altered = (change: Partial<Line>) => lines.map((line, n) => (n === at() ? { ...line, ...change } : line));

  test('verifies without a database, with the public keys alone', async () => {
    const { code, stdout } = await proof('log.ndjson');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, events: lines.filter(isEvent).length });
    await writeFile(
      file('changed.ndjson'),
      altered({ action: 'x' })
        .map((line) => `${JSON.stringify(line)}\n`)
        .join(''),
    );
    expect(await proof('changed.ndjson')).toMatchObject({
      stdout: expect.stringContaining(`"line": ${at() + 1}`),
    });
    expect(await proof('none.ndjson')).toMatchObject({ code: 2, stderr: expect.stringContaining('Cannot read') });
    expect(lines.filter(isEvent)).toContainEqual(
      expect.objectContaining({
        action: 'session.started',
        personal_details: expect.objectContaining({ address: expect.any(String) }),
      }),
    );
  });

  test('names the line that was changed, removed, inserted or moved', async () => {
    const [n, { id = '' } = {}] = [at(), lines[at()]];
    const before = lines[n - 1] as Line;
    const fault = { event_id: id, line: n + 1 };
    expect(await proved(altered({ action: 'x' }))).toMatchObject({ fault: { kind: 'changed', ...fault } });
    const details = { salt: 'x', address: '192.0.2.1', user_agent: null };
    expect(await proved(altered({ personal_details: details }))).toMatchObject({
      fault: { kind: 'changed', ...fault },
    });
    expect(await proved(lines.toSpliced(n, 1))).toMatchObject({ fault: { kind: 'removed', event_id: id } });
    const another = { ...before, id: crypto.randomUUID() };
    expect(await proved(lines.toSpliced(n, 0, another))).toMatchObject({
      fault: { kind: 'inserted', event_id: another.id, line: n + 1 },
    });
    const swapped = lines.with(n, before).with(n - 1, lines[n] as Line);
    expect(await proved(swapped)).toMatchObject({ fault: { kind: 'reordered', event_id: id, line: n } });
  });

  test('names what was cut out of the middle or off a segment, and an invalid line', async () => {
    const segment = lines.findIndex(({ type }) => type === 'segment');
    expect(await proved(lines.toSpliced(1, segment))).toMatchObject({
      fault: { kind: 'removed', segment: 1 },
    });
    expect(await proved(lines.slice(0, -1))).toMatchObject({ fault: { kind: 'removed' } });
    expect(await proved([...lines, { type: 'x', id: '' }])).toMatchObject({ fault: { line: lines.length + 1 } });
    expect(await proved([])).toMatchObject({ fault: { kind: 'removed' } });
  });

  test('fails verification against a noted head when it was cut off after a seal', async () => {
    const { head } = await proved(lines);
    expect(await proved(lines, head)).toMatchObject({ fault: undefined, head });
    const end = lines.findIndex(({ type }) => type === 'segment') + 1;
    expect(await proved(lines.slice(0, end))).toMatchObject({ fault: undefined });
    expect(await proved(lines.slice(0, end), head)).toMatchObject({ fault: { kind: 'removed', line: end } });
    const noted = `${head?.number}:${'0'.repeat(64)}`;
    expect(await proof('log.ndjson', '--head', noted)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('differs from the noted one'),
    });
  });

  test('is recorded as an event', async () => {
    expect(await latchkey.auditEvents('audit.exported')).toMatchObject([{ actor_kind: 'system' }]);
  });
});

describe('a followed log', () => {
  const latchkey = startLatchkey();

  test('shows each event once: also of a slow transaction, of a node whose clock is behind, and of more than a page', async () => {
    const env = { DATABASE_URL: latchkey.database.url, LATCHKEY_ROOT_KEY: testRootKey };
    const command = startCommand(['audit', 'tail', '--follow', '--lines', '0', '--json'], { env });
    const shown = () =>
      command
        .output()
        .split('\n')
        .slice(0, -1)
        .filter((line) => line.includes('"test"'))
        .map((line) => JSON.parse(line).target_id);
    const slow = new pg.Client({ connectionString: latchkey.database.url });
    const insert = (name: string, seconds = 0, count = 1) => ({
      text: `insert into audit_events (id, occurred_at, actor_kind, action, target_kind, target_id, outcome)
        select gen_random_uuid(), now() - make_interval(secs => $2), 'system', 'client.updated', 'test', $1 || n, 'success'
          from generate_series(1, $3) n`,
      values: [name, seconds, count],
    });
    const write = ({ text, values }: ReturnType<typeof insert>) => latchkey.database.query(text, values);
    const later = () => shown().filter((id) => id !== 'early 1');
    try {
      await slow.connect();
      await slow.query('begin');
      // More than a page, too.
      await slow.query(insert('slow ', 0, 1500));
      // The command shows nothing of the past: events are written until it shows one.
      await eventually(
        async () => {
          await write(insert('early '));
          return shown();
        },
        ({ length }) => length > 0,
        { withinMs: 120_000, pauseMs: 500 },
      );
      await write(insert('behind ', 3));
      await eventually(later, ({ length }) => length === 1, { withinMs: 120_000, pauseMs: 50 });
      await write(insert('burst ', 0, 2500));
      await slow.query('commit');
      await write(insert('last '));
      await eventually(later, ({ length }) => length >= 4002, { withinMs: 120_000, pauseMs: 50 });
      const ids = later();
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toHaveLength(4002);
      expect(ids).toEqual(expect.arrayContaining(['slow 1', 'slow 1500', 'behind 1', 'last 1', 'burst 2500']));
    } finally {
      command.kill('SIGKILL');
      await slow.end();
    }
  });
});

describe('the command that verifies the log', () => {
  const latchkey = startLatchkey();

  test('exits with 0 for an intact log, and with 1 and the name of the event for a changed one', async () => {
    await latchkey.clientCredentials();
    await sealed(latchkey.database);
    expect(await latchkey.command(['audit', 'verify'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+ events in \d+ segments are as they were sealed\.\nHead: \d+:[0-9a-f]{64}\n$/),
    });
    const { rows } = await latchkey.database.query('select id from audit_events order by recorded_in desc limit 1');
    await withoutTriggers(latchkey.database, "update audit_events set reason = 'x' where id = $1", [rows[0].id]);
    expect(await latchkey.command(['audit', 'verify'])).toMatchObject({
      stdout: expect.stringContaining(`event ${rows[0].id} in segment`),
    });
  });
});

describe('the personal data of a user', () => {
  const latchkey = startLatchkey();

  test('is erased from all events of the user, which still verify; events of others stay', async () => {
    await latchkey.tokens();
    const wrong = latchkey.browser();
    await wrong.submit(await wrong.get('/sign-in'), { login: 'alice', password: 'wrong' });
    await latchkey.clientCredentials();
    const kept = await latchkey.commandJson(['audit', 'list', '--actor', 'service']);
    expect(await latchkey.command(['audit', 'erase-details', 'alice'])).toMatchObject({ code: 0 });
    const { rows: users } = await latchkey.database.query("select id from users where username = 'alice'");
    const { rows } = await latchkey.database.query(
      `select e.action from audit_events e join audit_personal_details p on p.event_id = e.id
        where actor_id = $1 or (target_id = $1 and action <> 'audit.personal_details_erased')`,
      [users[0].id],
    );
    expect(rows).toEqual([]);
    await sealed(latchkey.database);
    const proof = await verified(latchkey.database);
    expect(proof.fault).toBeUndefined();
    expect(proof.without_details).toBeGreaterThan(4);
    expect(await latchkey.commandJson(['audit', 'list', '--actor', 'service'])).toEqual(kept);
    expect(kept).toMatchObject({ items: [{ address: expect.stringMatching(/127\.0\.0\.1/) }] });
    expect(await latchkey.auditEvents('audit.personal_details_erased')).toMatchObject([
      { target_id: users[0].id, details: { events: expect.any(Number) } },
    ]);
  });
});

describe('the oldest part of an audit log', () => {
  const latchkey = startLatchkey();
  const prune = (before: Date, ...options: string[]) =>
    latchkey.command(['audit', 'prune', '--before', before.toISOString(), '--json', ...options]);
  const counted = async (table: string) =>
    (await latchkey.database.query(`select count(*)::int as n from ${table}`)).rows[0].n;

  test('is removed in whole segments, and the rest verifies from the record of the removal', async () => {
    await latchkey.tokens();
    await sealed(latchkey.database);
    const before = new Date();
    const { events, segments } = await verified(latchkey.database);
    await writeEvents(latchkey.database.url, 5);
    await sealed(latchkey.database);

    expect(await prune(before)).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') });
    const tomorrow = new Date(Date.now() + 86_400_000);
    for (const option of ['--dry-run', '--yes'])
      expect(await prune(tomorrow, option)).toMatchObject({ code: 2, stderr: expect.stringContaining('future') });
    const dry = await prune(before, '--dry-run');
    expect(JSON.parse(dry.stdout)).toMatchObject({ dry_run: true, events, segments });
    const { stdout } = await prune(before, '--yes');
    expect(JSON.parse(stdout)).toMatchObject({ dry_run: false, events, segments });
    await sealed(latchkey.database);
    expect(await verified(latchkey.database)).toMatchObject({ fault: undefined, events: 6 });
    expect(await counted('audit_events')).toBe(6);
    expect(await counted('audit_personal_details')).toBe(6);
    expect(await latchkey.auditEvents('audit.pruned')).toMatchObject([{ details: { events, segments } }]);
  });

  test('can be removed again later, and an interrupted removal is completed', async () => {
    await latchkey.clientCredentials();
    await sealed(latchkey.database);
    const before = new Date();
    await latchkey.database.query(`create function broken() returns trigger language plpgsql as $$ begin raise exception 'broken off'; end $$;
      create trigger broken before delete on audit_segments for each row execute function broken()`);
    expect(await prune(before, '--yes')).toMatchObject({ code: 1 });
    expect((await verified(latchkey.database)).fault).toBeUndefined();
    await latchkey.database.query('drop trigger broken on audit_segments');
    expect(await prune(before, '--yes')).toMatchObject({ code: 0 });
    await sealed(latchkey.database);
    expect(await verified(latchkey.database)).toMatchObject({ fault: undefined, events: 1 });
    expect(await counted('audit_events')).toBe(1);
  });

  test.each(['audit_events', 'audit_segments', 'audit_retentions', 'audit_keys'])(
    'is all that can be removed %s, and nothing there can be changed',
    async (table) => {
      for (const statement of [`delete from ${table}`, `truncate ${table} cascade`]) {
        await expect(latchkey.database.query(statement)).rejects.toThrow('append-only');
      }
      const column = { audit_events: 'action', audit_keys: 'created_at' }[table] ?? 'sealed_at';
      await expect(latchkey.database.query(`update ${table} set ${column} = ${column}`)).rejects.toThrow('append-only');
    },
  );
});
