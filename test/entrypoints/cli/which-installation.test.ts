import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { createTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { runCommand, testRootKey } from '../../support/server.ts';

const root = path.join(import.meta.dirname, '../../..');
const patience = { withinMs: 120_000 };

/** A separate checkout that was never started, and an empty folder elsewhere. */
class Checkout {
  readonly folder: string;
  readonly elsewhere: string;
  readonly #servers: ChildProcess[] = [];

  private constructor(folder: string) {
    this.folder = path.join(folder, 'checkout');
    this.elsewhere = path.join(folder, 'elsewhere');
  }

  static async make(): Promise<Checkout> {
    const checkout = new Checkout(await realpath(await mkdtemp(path.join(os.tmpdir(), 'latchkey-checkout-'))));
    for (const each of [checkout.folder, checkout.elsewhere]) await mkdir(each);
    for (const name of ['bin', 'db', 'docs', 'examples', 'src', 'views', 'package.json'])
      await cp(path.join(root, name), path.join(checkout.folder, name), { recursive: true });
    await symlink(path.join(root, 'node_modules'), path.join(checkout.folder, 'node_modules'));
    return checkout;
  }

  get dataDir(): string {
    return path.join(this.folder, '.latchkey');
  }

  #start(words: string[], env: Record<string, string>): ChildProcess {
    return spawn(process.execPath, [path.join(this.folder, 'bin/latchkey.js'), ...words], {
      cwd: this.elsewhere,
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Runs a command from the other folder, with only these settings. */
  async run(words: string[], env: Record<string, string> = {}) {
    const child = this.#start(words, env);
    const [stdout, stderr] = await Promise.all([child.stdout, child.stderr].map((stream) => stream && readAll(stream)));
    const code = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)));
    return { code, stdout: stdout ?? '', stderr: stderr ?? '' };
  }

  /** Starts a server from the other folder, and returns its output and its process once it is ready. */
  async serve(env: Record<string, string>): Promise<{ output: string; pid: number; end: () => Promise<void> }> {
    const child = this.#start(['serve'], env);
    this.#servers.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
    await eventually(
      () => output,
      (text) => text.includes('is ready at') || child.exitCode !== null,
      patience,
    );
    return { output, pid: child.pid ?? 0, end: () => ended(child) };
  }

  async remove(): Promise<void> {
    await Promise.all(this.#servers.map(ended));
    await rm(path.dirname(this.folder), { recursive: true, force: true, maxRetries: 5 });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await gone;
}

describe('a command', () => {
  let checkout: Checkout;
  beforeAll(async () => {
    checkout = await Checkout.make();
  });
  afterAll(() => checkout.remove());

  test.each([
    [['bootstrap']],
    [['apply', 'file.json']],
    [['setup-link']],
    [['status']],
    [['migrate']],
    [['user', 'create', 'ada']],
  ])('%j where there is no installation creates none, in any folder', async (words) => {
    expect(await checkout.run(words)).toEqual({
      code: 1,
      stdout: '',
      stderr: `latchkey: There is no installation in the data folder ${checkout.dataDir}: set LATCHKEY_DATA_DIR to where yours is, or add --create to make a new one.\n`,
    });
    expect(await readdir(checkout.elsewhere)).toEqual([]);
    expect(await readdir(checkout.folder)).not.toContain('.latchkey');
  });

  test('on an empty database creates no installation either, before "latchkey migrate"', async () => {
    const database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, LATCHKEY_ROOT_KEY: testRootKey };
    const { code, stderr } = await runCommand(['bootstrap'], { env });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^latchkey: There is no installation in PostgreSQL at \S+\/test_\w+: set DATABASE_URL to where yours is, or add --create/,
      ),
    });
    expect((await database.query(`select 1 from pg_class where relname = 'clients'`)).rowCount).toBe(0);
    expect(await runCommand(['migrate'], { env })).toMatchObject({ code: 0 });
    expect(await runCommand(['bootstrap'], { env })).toMatchObject({ code: 0 });
    await database.drop();
  });

  test('finds the data folder of the checkout from any folder, and the address of the running server', async () => {
    const [port, other] = [await freePort(), await freePort()];
    const server = await checkout.serve({ PORT: String(port) });
    expect(server.output).toContain(`embedded in ${checkout.dataDir}`);
    expect(await readdir(checkout.elsewhere)).toEqual([]);

    const address = `http://localhost:${port}`;
    expect(JSON.parse((await checkout.run(['status', '--json'])).stdout)).toMatchObject({ issuer: address });
    expect(JSON.parse((await checkout.run(['setup-link', '--json'])).stdout).url).toMatch(`${address}/setup/lk_setup_`);
    const made = JSON.parse((await checkout.run(['bootstrap', '--json'])).stdout);
    expect(made).toMatchObject({ token_endpoint: `${address}/oauth/token`, audience: `${address}/admin` });
    const wrong = await checkout.run(['bootstrap', '--client-id', 'another'], {
      LATCHKEY_ISSUER: 'http://localhost:1',
    });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining(`This installation is at ${address}`) });

    const second = await checkout.run(['serve'], { PORT: String(other) });
    expect(second).toEqual({
      code: 1,
      stdout: '',
      stderr: `latchkey: A server (process ${server.pid}) already uses the data folder ${checkout.dataDir}: stop it first, or set LATCHKEY_DATA_DIR to another folder.\n`,
    });
    process.kill(server.pid, 'SIGKILL');
    await server.end();

    // A killed one does not prevent a start.
    const next = await checkout.serve({ PORT: String(other) });
    expect(next.output).toContain(`is ready at http://localhost:${other}`);
    const { items } = JSON.parse((await checkout.run(['resource-server', 'list', '--json'])).stdout);
    expect(items.map(({ identifier }: { identifier: string }) => identifier)).toEqual([
      `http://localhost:${other}/admin`,
      `http://localhost:${other}/demo/api`,
      `http://localhost:${other}/v1`,
    ]);
    const token = await fetch(made.token_endpoint.replace(String(port), String(other)), {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${made.client_id}:${made.client_secret}`)}` },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        resource: `http://localhost:${other}/admin`,
        scope: 'latchkey:*',
      }),
    });
    expect({ status: token.status, body: await token.json() }).toMatchObject({ status: 200 });
    await next.end();
  });

  test('does not choose between the data folder of the checkout and one in the current folder', async () => {
    const here = path.join(checkout.elsewhere, '.latchkey');
    await mkdir(path.join(here, 'postgres'), { recursive: true });
    await writeFile(path.join(here, 'postgres/PG_VERSION'), '18\n');
    await mkdir(path.join(checkout.dataDir, 'postgres'), { recursive: true });
    await writeFile(path.join(checkout.dataDir, 'postgres/PG_VERSION'), '18\n');
    for (const words of [['status'], ['serve']])
      expect(await checkout.run(words, { PORT: '0' })).toMatchObject({
        code: 1,
        stderr: `latchkey: There are two data folders: ${here} in this folder, and ${checkout.dataDir} in the checkout. Set LATCHKEY_DATA_DIR to one of them.\n`,
      });
  });
});

describe('when the issuer changes', () => {
  test('the administration API stays the same one, also where earlier versions had duplicated it', async () => {
    const database = await createTestDatabase(undefined, process.env.LATCHKEY_TEST_MIGRATED);
    const settings = { DATABASE_URL: database.url, LATCHKEY_ROOT_KEY: testRootKey };
    const checkout = await Checkout.make();
    const identifiers = async () =>
      (await database.query('select identifier from resource_servers where built_in')).rows.map(
        ({ identifier }) => identifier,
      );
    const [first, second] = ['http://localhost:4001', 'http://localhost:4002'];
    const serveAt = async (issuer: string) => {
      const server = await checkout.serve({ ...settings, PORT: '0', LATCHKEY_ISSUER: issuer });
      await server.end();
    };
    await serveAt(first);
    expect(await identifiers()).toEqual([`${first}/admin`, `${first}/v1`]);
    const made = JSON.parse((await runCommand(['bootstrap', '--json'], { env: settings })).stdout);
    const restrictions = JSON.stringify({ resource_servers: [`${first}/admin`] });
    const key = [
      'key',
      'create',
      'deploy',
      '--client',
      String(made.client_id),
      '--restrictions',
      restrictions,
      '--json',
    ];
    const created = await runCommand(key, { env: { ...settings, LATCHKEY_ISSUER: first } });
    expect(created.stderr).toBe('');
    await database.query(`insert into resource_servers (id, identifier, name, built_in, created_at, updated_at)
      values (gen_random_uuid(), 'http://localhost:4000/admin', 'Latchkey administration', true, now(), now() - interval '1 day')`);
    await serveAt(second);
    expect(await identifiers()).toEqual([`${second}/admin`, `${second}/v1`]);
    const { rows } = await database.query('select service_permissions from clients where client_id = $1', [
      made.client_id,
    ]);
    expect(rows).toEqual([{ service_permissions: { [`${second}/admin`]: ['latchkey:*'] } }]);
    const keys = (await database.query('select restrictions, version from api_keys')).rows;
    expect(keys).toEqual([{ restrictions: { resource_servers: [`${second}/admin`] }, version: 2 }]);
    await checkout.remove();
    await database.drop();
  });
});
