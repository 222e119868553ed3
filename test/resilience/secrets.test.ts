import { createSecretKey } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { combine } from 'shamir-secret-sharing';
import { type Sealed, type SealedPlace, unseal } from '../../src/platform/crypto/index.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { HeldStatement } from '../support/held-statement.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { countInMemory } from '../support/process-memory.ts';
import { rounds } from '../support/report.ts';
import type { ServerProcess } from '../support/server.ts';
import { testWith } from '../support/where-possible.ts';

const canReadMemory = (() => {
  try {
    accessSync(`/proc/${process.pid}/mem`, constants.R_OK);
    return 'mem';
  } catch {
    return undefined;
  }
})();

describe('the secrets of a server', () => {
  let folder = '';
  let port = 0;
  let node: ServerProcess;
  let token = '';
  let keys: string[] = [];
  const latchkey = startLatchkey({
    ownProcess: true,
    prepare: async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-memory-'));
      port = await freePort();
      const inspected = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`;
      return { env: { PORT: String(port), LATCHKEY_VAULT_SEAL: 'shamir', NODE_OPTIONS: inspected } };
    },
  });
  const call = async (method: string, name: string, body?: object, at = latchkey.issuer) => {
    const response = await fetch(`${at}/v1/${name}`, {
      method,
      headers: { 'x-forwarded-host': new URL(latchkey.issuer).host, ...(token && { 'x-vault-token': token }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : undefined };
  };
  const open = async (at = latchkey.issuer) => {
    for (const key of keys.slice(0, 3)) await call('PUT', 'sys/unseal', { key }, at);
  };
  beforeAll(async () => {
    node = latchkey.process;
    const made = (await call('PUT', 'sys/init', { secret_shares: 5, secret_threshold: 3 })).body;
    ({ keys } = made);
    await open();
    token = made.root_token;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('are not returned while the audit log cannot be written: its partition is locked, or missing', async () => {
    expect((await call('POST', 'secret/data/audited', { data: { password: 'not for the unrecorded' } })).status).toBe(
      200,
    );
    const { rows } = await latchkey.database.query(
      `select inhrelid::regclass::text as name, pg_get_expr(c.relpartbound, c.oid) as bounds from pg_inherits
        join pg_class c on c.oid = inhrelid where inhparent = 'audit_events'::regclass`,
    );
    const refused = async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => call('GET', 'secret/data/audited')));
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(503));
      expect(JSON.stringify(answers)).not.toContain('unrecorded');
    };
    const client = new pg.Client({ connectionString: latchkey.database.url });
    await client.connect();
    await client.query('begin; lock table audit_events in access exclusive mode');
    await refused();
    await client.query('rollback');
    const isGiven = () =>
      eventually(
        () => call('GET', 'secret/data/audited'),
        ({ status }) => status === 200,
      );
    await isGiven();
    for (const { name } of rows) await client.query(`alter table audit_events detach partition ${name}`);
    await refused().finally(async () => {
      for (const { name, bounds } of rows)
        await client.query(`alter table audit_events attach partition ${name} ${bounds}`);
      await client.end();
    });
    await isGiven();
  });

  testWith(canReadMemory, 'the memory of processes cannot be read')(
    'leave no key in its memory, and no value in its heap, once the vault is sealed',
    async () => {
      const values = Array.from({ length: 50 }, () => `planted-${crypto.randomUUID()}`);
      for (const [n, value] of values.entries()) {
        await call('POST', `secret/data/planted/${n}`, { data: { value } });
        expect((await call('GET', `secret/data/planted/${n}`)).body.data.data).toEqual({ value });
      }
      const secretKeys = await keysOfVault();
      const before = await countInMemory(node.pid, secretKeys);
      // The keys of the terms are in use, so the search can find them.
      expect(before[2]).toBeGreaterThan(0);
      expect((await call('PUT', 'sys/seal')).status).toBe(204);
      for (let n = 0; n < 100; n += 1) expect((await call('GET', 'secret/data/planted/1')).status).toBe(503);
      process.kill(node.pid, 'SIGUSR2');
      const [name = ''] = await eventually(
        async () => (await readdir(folder)).filter((file) => file.endsWith('.heapsnapshot')),
        (files) => files.length > 0,
      );
      const snapshot = await eventually(
        () => readFile(path.join(folder, name), 'utf8'),
        (text) => text.trimEnd().endsWith('}'),
      );
      expect(snapshot).toContain('Vault is sealed');
      expect(values.filter((value) => snapshot.includes(value))).toEqual([]);
      expect(await countInMemory(node.pid, secretKeys)).toEqual(secretKeys.map(() => 0));
      await open();
      expect((await call('GET', 'secret/data/planted/7')).body.data.data).toEqual({ value: values[7] });
    },
  );

  /** The unseal key, the root key, the key of the term, and those of some versions, derived from the shares and the database. */
  async function keysOfVault(): Promise<Buffer[]> {
    const parts = keys.slice(0, 3).map((key) => Uint8Array.from(Buffer.from(key, 'hex').subarray(17, 50)));
    const unsealKey = Buffer.from(await combine(parts));
    const opened = (key: Buffer, place: SealedPlace, sealed: Sealed) => unseal(createSecretKey(key), place, sealed);
    const { rows } = await latchkey.database.query(
      `select s.sealed_root, t.sealed_key as sealed_term from vault_seal s, vault_terms t`,
    );
    const root = opened(unsealKey, ['vault_seal', 'sealed_root', 'shamir'], rows[0]?.sealed_root as Sealed);
    const term = opened(root, ['vault_terms', 'sealed_key', '1'], rows[0]?.sealed_term as Sealed);
    const versions = await latchkey.database.query(
      `select v.secret_id || '/' || s.path || '@' || v.number || '#1' as row, v.sealed_key from secret_versions v
        join secrets s on s.id = v.secret_id where s.path like 'planted/%' limit 10`,
    );
    const ofVersions = versions.rows.map(({ row, sealed_key }) =>
      opened(term, ['secret_versions', 'sealed_key', row], sealed_key),
    );
    return [unsealKey, root, term, ...ofVersions];
  }

  test('are recorded before they are returned when a process is killed, with another node beside it', async () => {
    const other = await latchkey.startAnother({
      env: { LATCHKEY_ISSUER: latchkey.issuer, LATCHKEY_TRUST_PROXY: '1', LATCHKEY_VAULT_SEAL: 'shamir' },
    });
    for (const at of [latchkey.issuer, other.address]) await open(at);
    for (let round = 0; round < rounds(2); round += 1) {
      const name = `killed-${crypto.randomUUID().slice(0, 8)}`;
      await call('POST', `secret/data/${name}`, { data: { round } });
      let received = 0;
      let isOver = false;
      const reading = [latchkey.issuer, other.address].flatMap((at) =>
        Array.from({ length: 8 }, async () => {
          while (!isOver) {
            const answer = await call('GET', `secret/data/${name}`, undefined, at).catch(() => undefined);
            if (answer?.status === 200) received += 1;
            else await sleep(5);
          }
        }),
      );
      await sleep(100 + Math.random() * 300);
      await node.kill('SIGKILL');
      node = await latchkey.startAnother({ env: { PORT: String(port), LATCHKEY_VAULT_SEAL: 'shamir' } });
      expect((await call('GET', `secret/data/${name}`)).status).toBe(503);
      await open();
      expect((await call('GET', `secret/data/${name}`)).body.data.data).toEqual({ round });
      isOver = true;
      await Promise.all(reading);
      const { rows } = await latchkey.database.query(
        `select sum(coalesce((details ->> 'uses')::int, 1))::int as recorded from audit_events where action = 'secret.read' and outcome = 'success' and target_id = $1`,
        [name],
      );
      expect(received).toBeGreaterThan(0);
      expect(rows[0].recorded).toBeGreaterThanOrEqual(received + 1);
    }
  });

  test('are unsealed with the earlier shares after a kill between the commit of new ones and the response', async () => {
    const counts = { secret_shares: 5, secret_threshold: 3 };
    const { nonce } = (await call('PUT', 'sys/rekey/init', counts)).body;
    for (const key of keys.slice(0, 2)) await call('PUT', 'sys/rekey/update', { key, nonce });
    const held = await HeldStatement.holdCommit(latchkey.database.url, 'vault_next_shares');
    const answer = call('PUT', 'sys/rekey/update', { key: keys[2], nonce }).catch(() => undefined);
    await held.reached();
    await node.kill('SIGKILL');
    await held.release();
    expect(await answer).toBeUndefined();
    await eventually(
      async () => (await latchkey.database.query('select 1 from vault_next_shares')).rows.length,
      (committed) => committed === 1,
    );
    node = await latchkey.startAnother({ env: { PORT: String(port), LATCHKEY_VAULT_SEAL: 'shamir' } });
    await open();
    expect((await call('GET', 'sys/seal-status')).body).toMatchObject({ sealed: false });
    expect(await latchkey.auditEvents('vault.rekeyed')).toHaveLength(1);
    const again = (await call('PUT', 'sys/rekey/init', counts)).body;
    let made: { keys?: string[] } = {};
    for (const key of keys.slice(0, 3))
      made = (await call('PUT', 'sys/rekey/update', { key, nonce: again.nonce })).body;
    await call('PUT', 'sys/seal');
    keys = made.keys ?? [];
    await open();
    expect((await call('GET', 'sys/seal-status')).body).toMatchObject({ sealed: false, n: 5 });
  });

  test('are complete after a kill between two batches of a rewrap, and are rewrapped afterwards', async () => {
    const [many, last] = ['many', 'last'].map((name) => `${name}-${crypto.randomUUID().slice(0, 8)}`);
    if (!many || !last) throw new Error('no names');
    await call('POST', `secret/metadata/${many}`, { max_versions: 1000 });
    for (let n = 1; n <= 210; n += 1) await call('POST', `secret/data/${many}`, { data: { n } });
    await call('POST', `secret/data/${last}`, { data: { n: 0 } });
    const id = await latchkey.database.query('select id from secrets where path = $1', [last]);
    const ofLast = `old.secret_id = '${id.rows[0].id}'`;
    const held = await HeldStatement.hold(latchkey.database.url, 'update', 'secret_versions', ofLast);
    expect((await call('PUT', 'sys/rotate')).status).toBe(204);
    await held.reached();
    await node.kill('SIGKILL');
    await held.rollBack();
    await held.release();
    const terms = async () => {
      const { rows } = await latchkey.database.query(
        'select distinct term from secret_versions where term is not null order by term',
      );
      return rows.map(({ term }) => term);
    };
    // The first batch was committed, the second was not.
    expect(await terms()).toHaveLength(2);
    await latchkey.database.query(`delete from pgboss.job where name = 'rewrap-secrets' and state = 'active'`);
    node = await latchkey.startAnother({ env: { PORT: String(port), LATCHKEY_VAULT_SEAL: 'shamir' } });
    await open();
    const intact = async () => {
      for (const n of [1, 105, 210])
        expect((await call('GET', `secret/data/${many}?version=${n}`)).body.data.data).toEqual({ n });
      expect((await call('GET', `secret/data/${last}`)).body.data.data).toEqual({ n: 0 });
    };
    await intact();
    await call('PUT', 'sys/rotate');
    await eventually(terms, ({ length }) => length === 1);
    await intact();
  });

  test('are complete after a kill in a write, destruction, rekey, rotation or rewrap, which all resume', async () => {
    /** The responses that a caller got until the server was killed. */
    const told = async (act: (n: number) => Promise<{ status: number }>): Promise<number> => {
      for (let n = 1; ; n += 1) {
        const answer = await act(n).catch(() => undefined);
        if (answer === undefined || answer.status >= 500) return n - 1;
        expect([n, answer.status]).toEqual([n, answer.status === 204 ? 204 : 200]);
      }
    };
    const ask = (name: string) => call('GET', `secret/data/${name}`);
    const eventsOf = async (name: string, action: string) =>
      (await latchkey.auditEvents(action)).filter(({ target_id }) => target_id === name).length;

    for (let round = 0; round < rounds(2); round += 1) {
      const [written, destroyed] = ['written', 'destroyed'].map((name) => `${name}-${crypto.randomUUID().slice(0, 8)}`);
      if (!written || !destroyed) throw new Error('no names');
      await call('POST', `secret/metadata/${written}`, { max_versions: 1000 });
      await call('POST', `secret/data/${written}`, { data: { n: 1 } });
      for (let n = 1; n <= 10; n += 1) await call('POST', `secret/data/${destroyed}`, { data: { n } });
      const counts = { secret_shares: 4, secret_threshold: 3, require_verification: true };
      const { nonce } = (await call('PUT', 'sys/rekey/init', counts)).body;
      const update = (key = '') => call('PUT', 'sys/rekey/update', { key, nonce });
      for (const key of keys.slice(0, 2)) await update(key);
      // One round is killed between the present shares, the next one with the last of the new ones.
      const isLate = round % 2 === 1;
      const made = isLate ? (await update(keys[2])).body : undefined;
      const verify = (key = '') => call('PUT', 'sys/rekey/verify', { key, nonce: made.verification_nonce });
      for (const key of made?.keys.slice(0, 2) ?? []) await verify(key);

      const puts = told((n) => call('POST', `secret/data/${written}`, { data: { n: n + 1 }, options: { cas: n } }));
      const destructions = told((n) => call('POST', `secret/destroy/${destroyed}`, { versions: [(n % 10) + 1] }));
      const rotations = told(async () => {
        const answer = await call('PUT', 'sys/rotate');
        await sleep(30);
        return answer;
      });
      await sleep(50 + Math.random() * 200);
      const verified = isLate ? verify(made.keys[2]).catch(() => undefined) : undefined;
      await sleep(Math.random() * 10);
      await node.kill('SIGKILL');
      const [putTold, destroyTold] = await Promise.all([puts, destructions, rotations, verified]);
      const { rows: times } = await latchkey.database.query('select pgboss.job_now() as killed_at');
      node = await latchkey.startAnother({ env: { PORT: String(port), LATCHKEY_VAULT_SEAL: 'shamir' } });
      // A job of a killed node counts as running for a quarter of an hour: it is deleted here instead. PostgreSQL may have assigned it
      // after the kill.
      await latchkey.database.query(
        `delete from pgboss.job where name = 'rewrap-secrets' and state = 'active' and started_on <= $1`,
        [times[0].killed_at],
      );

      // Exactly one of the two sets of shares unseals it: the new one, if the caller got its confirmation.
      await open();
      const isOld = !(await call('GET', 'sys/seal-status')).body.sealed;
      if (isLate && (await verified)?.status === 200) expect(isOld).toBe(false);
      if (!isOld) keys = made.keys;
      if (!isOld) await open();
      expect((await call('GET', 'sys/seal-status')).body).toMatchObject({ sealed: false });
      expect((await call('GET', 'sys/rekey/init')).body).toMatchObject({ started: false });

      const current = (await ask(written)).body.data;
      expect([putTold + 1, putTold + 2]).toContain(current.metadata.version);
      expect(await eventsOf(written, 'secret.written')).toBe(current.metadata.version);
      for (const n of new Set([1, putTold + 1, current.metadata.version]))
        expect((await ask(`${written}?version=${n}`)).body.data.data).toEqual({ n });
      const { versions } = (await call('GET', `secret/metadata/${destroyed}`)).body.data;
      for (const [number, { destroyed: isDestroyed }] of Object.entries<{ destroyed: boolean }>(versions)) {
        const answer = await ask(`${destroyed}?version=${number}`);
        expect([number, answer.status]).toEqual([number, isDestroyed ? 404 : 200]);
        if (!isDestroyed) expect(answer.body.data.data).toEqual({ n: Number(number) });
        const at = (Number(number) + 8) % 10;
        if (at < destroyTold) expect(isDestroyed).toBe(true);
      }

      const rekeyed = { ...counts, secret_shares: 5 };
      const again = (await call('PUT', 'sys/rekey/init', rekeyed)).body;
      let last = await Promise.resolve({ body: {} as { keys: string[]; verification_nonce: string } });
      for (const key of keys.slice(0, 3)) last = await call('PUT', 'sys/rekey/update', { key, nonce: again.nonce });
      const fresh = last.body;
      for (const key of fresh.keys.slice(0, 3))
        await call('PUT', 'sys/rekey/verify', { key, nonce: fresh.verification_nonce });
      keys = fresh.keys;
      await call('PUT', 'sys/seal');
      await open();
      await call('PUT', 'sys/rotate');
      await eventually(
        async () => (await latchkey.database.query('select term from vault_terms')).rows.length,
        (terms) => terms === 1,
      );
      expect((await ask(written)).body.data.data).toEqual({ n: current.metadata.version });
    }
  });
});
