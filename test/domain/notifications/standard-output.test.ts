import { type AdminApi, asOwner } from '../../support/admin.ts';
import { eventually } from '../../support/eventually.ts';
import { startLatchkey } from '../../support/latchkey.ts';
import type { ServerProcess } from '../../support/server.ts';
import type { Told } from './support/receiver.ts';

const env = { LATCHKEY_AUDIT_STDOUT: 'on', LOG_LEVEL: 'silent' };

describe('with LATCHKEY_AUDIT_STDOUT', () => {
  const latchkey = startLatchkey({ env, ownProcess: true });
  let owner: AdminApi;
  beforeAll(async () => {
    owner = await asOwner(latchkey);
  });

  const linesOf = (process: ServerProcess): Told[] =>
    process
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  const rolesIn = (...processes: ServerProcess[]) =>
    processes
      .flatMap(linesOf)
      .filter(({ type }) => type === 'role.created')
      .map(({ data }) => data.target_id);
  const role = async (name: string, node = latchkey.server.address) => {
    const { status } = await owner.post('/roles', { name, permissions: [] }, { node });
    expect(status).toBe(201);
  };
  const another = () =>
    latchkey.startAnother({ env: { ...env, LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1' } });

  test('every event is written once, in order, by one of two nodes', async () => {
    const second = await another();
    const made = Array.from({ length: 8 }, (_, n) => `role-${n}`);
    for (const [n, name] of made.entries()) await role(name, n % 2 ? second.address : undefined);
    await eventually(
      () => rolesIn(latchkey.process, second),
      ({ length }) => length === made.length,
    );
    expect(rolesIn(latchkey.process, second).sort()).toEqual(made);
    expect(rolesIn(second)).toEqual(rolesIn(second).toSorted());
    const heads = [...linesOf(latchkey.process), ...linesOf(second)].filter(({ type }) => type === 'audit.sealed');
    expect(new Set(heads.map(({ data }) => data.number)).size).toBe(heads.length);
    await second.stop();
  });

  test('events that a killed node did not write are written by the next one', async () => {
    await role('before');
    await latchkey.process.kill('SIGKILL');
    const next = await another();
    await role('after', next.address);
    await eventually(
      () => rolesIn(next),
      (names) => names.includes('after'),
      { withinMs: 120_000 },
    );
    expect(rolesIn(latchkey.process, next)).toEqual(expect.arrayContaining(['before', 'after']));
  });
});

describe('without it', () => {
  const latchkey = startLatchkey({ env: { LOG_LEVEL: 'silent' } });

  test('no event is written to standard output', async () => {
    await latchkey.clientCredentials();
    await eventually(
      () => latchkey.auditEvents('access_token.issued'),
      ({ length }) => length > 0,
    );
    await eventually(
      () => latchkey.database.query('select 1 from audit_segments limit 1'),
      ({ rows }) => rows.length > 0,
    );
    expect(latchkey.server.output()).not.toContain('"type":');
  });
});
