import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AdminApi, asOwner } from '../support/admin.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { HeldStatement } from '../support/held-statement.ts';
import { brokenInvariants } from '../support/invariants.ts';
import { startLatchkey } from '../support/latchkey.ts';
import { report, rounds } from '../support/report.ts';
import { type ServerProcess, startCommand, testRootKey } from '../support/server.ts';

type Versions = { body: { versions: { number: number }[] } };

describe('an import of secrets that is interrupted', () => {
  let port = 0;
  let owner: AdminApi;
  let node: ServerProcess;
  const latchkey = startLatchkey({
    ownProcess: true,
    prepare: async () => {
      port = await freePort();
      return { env: { PORT: String(port) } };
    },
  });
  beforeAll(async () => {
    owner = await asOwner(latchkey);
    node = latchkey.process;
  });
  afterEach(async () => expect(await brokenInvariants(latchkey.database)).toEqual({}));

  const at = (name: string) => `/secrets/${encodeURIComponent(name)}`;
  const put = (name: string, data: object) => owner.post(`${at(name)}/versions`, { data });
  const settings = () => ({ DATABASE_URL: latchkey.database.url, LATCHKEY_ROOT_KEY: testRootKey });

  /** The values of the versions that a secret has, in order. */
  async function valuesOf(name: string): Promise<unknown[]> {
    const { body } = (await owner.get(at(name))) as unknown as Versions;
    const reads = body.versions.map(({ number }) => owner.get(`${at(name)}/value?version=${number}`));
    return (await Promise.all(reads)).map((read) => read.body.data);
  }

  /** How many versions were written into a folder, by the audit log. */
  async function writtenTo(folder: string): Promise<number> {
    const { rows } = await latchkey.database.query(
      `select count(*)::int as n from audit_events where action = 'secret.written' and starts_with(target_id, $1)`,
      [`${folder}/`],
    );
    return rows[0].n;
  }

  let kills = 0;
  afterAll(() => report(`imports interrupted ${kills} times`));

  test('has each version once when it is repeated, if the command or the other server is killed at any moment', async () => {
    for (let round = 0; round < rounds(1); round += 1) {
      const [folder, target] = ['from', 'to'].map((name) => `${name}-${crypto.randomUUID().slice(0, 8)}`);
      if (!folder || !target) throw new Error('no names');
      const names = ['a', 'b', 'nested/c', 'narrow'];
      const written = new Map<string, number>();
      const write = async (name: string) => {
        const n = (written.get(name) ?? 0) + 1;
        expect((await put(`${folder}/${name}`, { name, n })).status).toBe(201);
        written.set(name, n);
      };
      for (const name of names) {
        await owner.patch(at(`${folder}/${name}`), {
          ...{ custom_metadata: { name }, max_versions: name === 'narrow' ? 2 : 40 },
        });
        for (let n = 0; n < 6; n += 1) await write(name);
      }
      const { body } = await owner.post('/api-keys', {
        ...{ name: folder, owner: { client_id: 'service' }, environment: 'dev' },
        permissions: [`secrets:read:${folder}:*`, `secrets:list:${folder}:*`],
      });
      const words = ['secret', 'import', target, '--vault', latchkey.issuer, '--from', folder];
      const token = { LATCHKEY_ISSUER: latchkey.issuer, VAULT_TOKEN: String(body.key) };

      for (const victim of ['command', 'server', 'command'] as const) {
        const importing = startCommand(words, { env: { ...settings(), ...token } });
        let hasEnded = false;
        void importing.ended.then(() => {
          hasEnded = true;
        });
        const before = await writtenTo(target);
        const after = before + Math.floor(Math.random() * 5);
        const progress = () => writtenTo(target).then((count) => hasEnded || count > after);
        await eventually(progress, Boolean, { pauseMs: 2, withinMs: 60_000 });
        await sleep(Math.random() * 8);
        if (victim === 'command') importing.kill('SIGKILL');
        else {
          await node.kill('SIGKILL');
          await importing.ended;
          node = await latchkey.startAnother({ env: { PORT: String(port) } });
        }
        await importing.ended;
        kills += 1;
        for (const name of names) if (name === 'narrow' || Math.random() < 0.5) await write(name);
      }
      const resumed = await latchkey.command(words, '', token);
      expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining('Imported 4 of 4 secrets.') });
      let versions = 0;
      for (const name of names) {
        const values = (await valuesOf(`${target}/${name}`)) as { name: string; n: number }[];
        const numbers = values.map(({ n }) => n);
        versions += values.length;
        expect(values.every((value) => value.name === name)).toBe(true);
        const last = written.get(name) ?? 0;
        // What the other server keeps is here, once and in order.
        const kept = name === 'narrow' ? [last - 1, last] : Array.from({ length: last }, (_, n) => n + 1);
        expect(numbers.slice(-kept.length)).toEqual(kept);
        expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
        expect((await owner.get(at(`${target}/${name}`))).body.custom_metadata).toEqual({ name });
      }
      // Versions of the narrow one that were removed again.
      expect(await writtenTo(target)).toBeGreaterThanOrEqual(versions);
      expect((await latchkey.command(words, '', token)).stdout).not.toMatch(/[1-9] versions? written/);
    }
  });

  const ends = ['rolled back', 'carried out'] as const;
  test.each(ends)(
    'from a file has one version when it is repeated after a kill at its commit, which is %s',
    async (fate) => {
      const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-'));
      const [name, file] = [`file/${crypto.randomUUID()}`, path.join(folder, 'shop.yaml')];
      await writeFile(file, 'user: shop\npassword: "a long one"\n');
      const words = ['secret', 'import', name, '--file', file];
      const held = await HeldStatement.holdCommit(latchkey.database.url, 'secret_versions');
      const importing = startCommand(words, { env: settings() });
      await Promise.race([held.reached(), importing.ended]);
      importing.kill('SIGKILL');
      expect(await importing.ended).toMatchObject({ code: null, stdout: '' });
      if (fate === 'rolled back') await held.rollBack();
      await held.release();
      await eventually(
        () => owner.get(at(name)),
        ({ status }) => status === (fate === 'rolled back' ? 404 : 200),
      );
      kills += 1;
      for (const _ of ['the repetition', 'another one'])
        expect(await latchkey.command(words)).toMatchObject({ code: 0, stdout: expect.stringMatching(/version 1\b/) });
      expect(await valuesOf(name)).toEqual([{ user: 'shop', password: 'a long one' }]);
      await rm(folder, { recursive: true });
    },
  );
});
