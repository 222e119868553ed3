import { type ChildProcess, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { freePort } from '../test/support/free-port.ts';
import { configuration, mostConnections, rootKey } from './installation.ts';
import { ask, startProcess, stopProcess } from './processes.ts';

export type ServerName =
  | 'Latchkey'
  | 'before'
  | 'two workers'
  | 'tokens stored'
  | 'keys stored'
  | 'secrets stored'
  | 'without audit'
  | 'straightforward'
  | 'straightforward store'
  | 'in memory'
  | 'hash alone'
  | 'decision alone'
  | 'empty Koa route'
  | 'better-auth';
export type MeasuredServer = {
  name: ServerName;
  origin: string;
  child: ChildProcess;
  /** The number of stored pairs of tokens in addition to those of the load (`storeTokens`). */
  stored?: number;
  /** The number of API keys (`storeKeys`). */
  keys?: number;
  /** The number of secrets (`storeSecrets`). */
  secrets?: number;
  /** The number of its processes that answer requests; default: 1. */
  workers?: number;
  stop: () => Promise<void>;
};

type LatchkeyOptions = {
  databaseUrl: string;
  workers?: number;
  /** A module to preload. */
  preload?: string;
  /** Another checkout with the server, with its dependencies installed. */
  checkout?: string | undefined;
  /** Takes a CPU profile when it stops. */
  profileFolder?: string | undefined;
  /** Settings in addition to those of every measured server. */
  env?: Readonly<Record<string, string>>;
};

const counted = ['--import', './bench/count-statements.ts'];
/** What `bin/latchkey.js` sets before the program starts. */
const asStarted = { flags: ['--semi-space-growth-factor=1'], env: { UV_THREADPOOL_SIZE: '8' } };

/** The real server as in production, with log level `warn`. */
export async function startLatchkey(
  name: ServerName,
  { databaseUrl, workers = 1, preload, checkout, profileFolder, env: own = {} }: LatchkeyOptions,
): Promise<MeasuredServer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-bench-'));
  const file = path.join(folder, 'apply.json');
  await writeFile(file, JSON.stringify(configuration));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const env = {
    NODE_ENV: 'production',
    ...asStarted.env,
    PORT: String(port),
    LATCHKEY_ISSUER: origin,
    LATCHKEY_ROOT_KEY: rootKey.toString('base64'),
    LATCHKEY_DATA_DIR: folder,
    LATCHKEY_APPLY: file,
    // Each user of the load has their own address.
    LATCHKEY_TRUST_PROXY: 'on',
    DATABASE_URL: databaseUrl,
    LOG_LEVEL: 'warn',
    WEB_CONCURRENCY: String(workers),
    ...own,
  };
  const profiled = profileFolder ? ['--cpu-prof', `--cpu-prof-dir=${path.resolve(profileFolder)}`] : [];
  // From the sources: preloads must change the modules that the server uses, and a bundle has its own copies of them.
  const child = startProcess('src/server/latchkey.ts', {
    args: ['serve'],
    env,
    cwd: checkout,
    execArgv: [...asStarted.flags, ...counted, ...(preload ? ['--import', preload] : []), ...profiled],
  });
  await untilItSays(child, 'is ready at');
  const stop = async () => {
    await stopProcess(child);
    await rm(folder, { recursive: true, force: true });
  };
  return { name, origin, child, workers, stop };
}

/** Whether it is measured without a server, in a process that creates its own load. */
export const isAlone = (name: ServerName): boolean => name.endsWith(' alone');

/** Another server of `bench/peers`. */
export async function startPeer(name: ServerName, file: string, args: string[] = []): Promise<MeasuredServer> {
  const execArgv = isAlone(name) ? [] : counted;
  const child = startProcess(`bench/peers/${file}`, { args, execArgv });
  const { ready } = await ask<{ ready: string }>(child);
  return { name, origin: ready, child, stop: () => stopProcess(child) };
}

/** better-auth, whose packages are installed the first time. */
export async function startBetterAuth(databaseUrl: string): Promise<MeasuredServer> {
  const folder = path.join(import.meta.dirname, 'peers/better-auth');
  if (!existsSync(path.join(folder, 'node_modules')))
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  return startPeer('better-auth', 'better-auth/main.js', [databaseUrl, String(mostConnections)]);
}

async function untilItSays(child: ChildProcess, words: string): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      said += chunk;
      if (said.includes(words)) resolve();
    });
    child.once('exit', () => reject(new Error(`Latchkey did not start: ${said}`)));
  });
}
