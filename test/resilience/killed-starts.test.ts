import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processesIn } from '../support/processes-in.ts';
import { report, rounds } from '../support/report.ts';
import { beginServerProcess, runCommand, startServerProcess } from '../support/server.ts';

/** A check that a start has reached some point. */
type Moment = { name: string; isNow: (dataDir: string) => Promise<boolean> };

const isThere = (...file: string[]) => stat(path.join(...file)).then(Boolean, () => false);
const draftOf = async (dataDir: string) => (await readdir(dataDir)).find((name) => name.startsWith('postgres.new-'));
const logged = (dataDir: string) => readFile(path.join(dataDir, 'postgres.log'), 'utf8').catch(() => '');

// npm test covers some of them, by their order; the soak test covers all.
const isShort = rounds(1) === 1;
const turns = Math.min(rounds(1), 60);
const timeoutMs = 240_000 + turns * 5000;
const someOf = (moments: Moment[]) => (isShort ? moments.filter((_, n) => n % 2 === 1) : moments);

const firstStart: Moment[] = [
  { name: 'the data folder is made', isNow: (dataDir) => isThere(dataDir, 'postgres.lock') },
  {
    name: 'initdb is half way',
    isNow: async (dataDir) => isThere(dataDir, (await draftOf(dataDir)) ?? 'none', 'cluster/base/1/PG_VERSION'),
  },
  { name: 'the password is written down', isNow: (dataDir) => isThere(dataDir, 'postgres.json') },
  { name: 'the cluster is in its place', isNow: (dataDir) => isThere(dataDir, 'postgres/PG_VERSION') },
  { name: 'the root key is there', isNow: (dataDir) => isThere(dataDir, 'root-key') },
];

describe('a start on the embedded database that is killed', () => {
  let folder: string;
  let dataDir: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-killed-'));
    dataDir = path.join(folder, 'data');
  });
  afterEach(async () => {
    endAll();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const env = () => ({ LATCHKEY_DATA_DIR: dataDir });
  const options = () => ({ databaseUrl: '', rootKey: '', env: env() });
  const endAll = () => {
    for (const pid of processesIn(folder)) killIfThere(pid);
  };

  /** Starts a server and kills it at the given moment. */
  async function killWhen(isNow: Moment['isNow']): Promise<void> {
    const server = await beginServerProcess(options());
    let isUp = false;
    const up = () => {
      isUp = true;
    };
    server.ready.then(up, up);
    while (!isUp && !(await isNow(dataDir).catch(() => false))) await sleep(1);
    await server.kill('SIGKILL');
  }

  /** Starts it once more and stops it normally: it becomes ready, and leaves no process and no incomplete data. */
  async function startsWhole(): Promise<void> {
    const server = await startServerProcess(options());
    expect((await fetch(`${server.issuer}/readyz`)).status).toBe(200);
    await server.stop();
    expect(processesIn(folder)).toEqual([]);
    const left = (await readdir(dataDir)).filter((name) => !/^root-key\.\d+$/.test(name));
    expect(left.sort()).toEqual(['postgres', 'postgres.json', 'postgres.log', 'root-key']);
  }

  test.each(someOf(firstStart))('when $name: the next start succeeds', async ({ isNow }) => {
    await killWhen(isNow);
    await startsWhole();
  });

  test('while initdb runs leaves no process behind', async () => {
    await killWhen(async () => (await draftOf(dataDir)) !== undefined && processesIn(folder).length > 0);
    const until = performance.now() + 120_000;
    while (processesIn(folder).length > 0 && performance.now() < until) await sleep(20);
    expect(processesIn(folder)).toEqual([]);
  });

  const users = async () => JSON.parse((await runCommand(['status', '--json'], { env: env() })).stdout).users;
  const laterStart: Moment[] = [
    { name: 'PostgreSQL begins', isNow: async () => processesIn(folder).length > 0 },
    { name: 'PostgreSQL has its lock file', isNow: () => isThere(dataDir, 'postgres/postmaster.pid') },
    { name: 'PostgreSQL is ready', isNow: async () => (await logged(dataDir)).includes('ready to accept connections') },
    {
      name: 'it is written down who keeps PostgreSQL',
      isNow: async () => (await readFile(path.join(dataDir, 'postgres.json'), 'utf8')).includes('owner_pid'),
    },
  ];
  const ends = [
    { before: 'an orderly end', end: async () => undefined },
    {
      before: 'a machine that crashed',
      end: async () => {
        const server = await startServerProcess(options());
        await server.kill('SIGKILL');
        endAll();
      },
    },
  ];
  test.each(ends)(
    'again and again after $before loses no data stored before',
    async ({ end }) => {
      const moments = laterStart.filter((_, n) => !isShort || n === 1);
      for (const [n, { isNow }] of moments.entries()) {
        expect(await runCommand(['user', 'create', `user-${n}`, '--create'], { env: env() })).toMatchObject({
          code: 0,
        });
        await end();
        await rm(path.join(dataDir, 'postgres.log'), { force: true });
        await killWhen(isNow);
        expect(await users()).toBe(n + 1);
      }
      await startsWhole();
      expect(await users()).toBe(moments.length);
    },
    timeoutMs,
  );

  // Random moments are for the soak test; the important ones are covered above.
  if (isShort) return;
  test(
    'after a random delay, many times in a row, finally starts',
    async () => {
      const delays = Array.from({ length: turns }, () => 300 + Math.random() * 2500);
      for (const delay of delays) {
        const until = performance.now() + delay;
        await killWhen(async () => performance.now() > until);
      }
      await startsWhole();
      report(`embedded start killed ${delays.length} times in a row, up at the next`);
    },
    timeoutMs,
  );
});

/** The end of PostgreSQL's first process may already have ended the others. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!String(error).includes('ESRCH')) throw error;
  }
}
