import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.ts';

/** The folder with the programs of this machine's PostgreSQL; undefined: there is none. The embedded one has no `pg_dump`. */
export const installedPostgres: string | undefined = globSync('/usr/lib/postgresql/*/bin')
  .filter((folder) => ['initdb', 'postgres', 'pg_dump', 'pg_restore'].every((name) => existsSync(`${folder}/${name}`)))
  .at(-1);

const nobody = 65_534;
const asNobody = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
const run = promisify(execFile);

export type InstalledPostgres = {
  url: string;
  /** Runs one of its programs, such as `pg_dump`. */
  program: (name: string, ...args: string[]) => Promise<void>;
  /** A path for a file that its programs can write. */
  file: (name: string) => string;
  close: () => Promise<void>;
};

/** Starts the machine's PostgreSQL with a new data folder. */
export async function openInstalledPostgres(programs: string): Promise<InstalledPostgres> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-installed-'));
  if (asNobody.uid) await chown(folder, nobody, nobody);
  const data = path.join(folder, 'data');
  const program = async (name: string, ...args: string[]) => {
    await run(path.join(programs, name), args, { ...asNobody, cwd: folder });
  };
  await program(
    'initdb',
    '--pgdata',
    data,
    '--username',
    'postgres',
    '--auth',
    'trust',
    '--no-sync',
    '--encoding',
    'UTF8',
  );
  const port = await freePort();
  const settings = ['-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', `unix_socket_directories=${folder}`];
  const child = spawn(path.join(programs, 'postgres'), ['-D', data, ...settings], {
    ...asNobody,
    cwd: folder,
    stdio: 'ignore',
  });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await untilItAnswers(url);
  return {
    url,
    program,
    file: (name) => path.join(folder, name),
    close: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGINT');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilItAnswers(url: string): Promise<void> {
  for (const deadline = Date.now() + 120_000; ; ) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
