import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { text as readAll } from 'node:stream/consumers';
import { freePort } from './free-port.ts';
import {
  canBeHosted,
  canCommandBeHosted,
  hostOfThisWorker,
  type RunningServer,
  runHostedCommand,
  startHostedServer,
} from './hosted-server.ts';

const root = path.join(import.meta.dirname, '../..');

export type ServerOptions = { databaseUrl: string; env?: Record<string, string>; apply?: unknown; rootKey?: string };

/** A server in a separate process. */
export type ServerProcess = RunningServer & {
  /** The id of its main process, which runs the event loop. */
  pid: number;
  kill: (signal: NodeJS.Signals) => Promise<number | null>;
  /** Processes it started itself. */
  children: () => number[];
};

export type CommandResult = { code: number | null; stdout: string; stderr: string };

export type RunningCommand = {
  ended: Promise<CommandResult>;
  /** Its standard output so far. */
  output: () => string;
  kill: (signal: NodeJS.Signals) => void;
};

/** Starts the `latchkey` command. */
export function startCommand(
  args: string[],
  { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {},
): RunningCommand {
  const child = spawn(process.execPath, ['bin/latchkey.js', ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  const [stdout, stderr] = [readAll(child.stdout), readAll(child.stderr)];
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ended = exited.then(async (code) => ({ code, stdout: await stdout, stderr: await stderr }));
  let output = '';
  child.stdout.on('data', (part) => {
    output += part;
  });
  return { ended, output: () => output, kill: (signal) => void child.kill(signal) };
}

/** Runs the `latchkey` command to its end. */
export function runCommand(...given: Parameters<typeof startCommand>): Promise<CommandResult> {
  return startCommand(...given).ended;
}

/** Runs commands in the host of this worker, one at a time: concurrent commands are processes. */
export class CommandRunner {
  #isBusy = false;

  async run(
    args: string[],
    { env, input = '' }: { env: Record<string, string>; input?: string },
  ): Promise<CommandResult> {
    const host = canCommandBeHosted(env) && !this.#isBusy ? hostOfThisWorker() : undefined;
    if (!host) return runCommand(args, { env, input });
    this.#isBusy = true;
    return runHostedCommand(host, { args, env, input }).finally(() => {
      this.#isBusy = false;
    });
  }
}

/** The default. Most tests allow a request more time, because the machine may be busy. */
export const defaultDatabaseTimeout = { LATCHKEY_DATABASE_TIMEOUT_MS: '1500' };

export const testRootKey = Buffer.alloc(32, 7).toString('base64');

/**
 * Starts a server on a free port and waits until it is ready: in the shared process of this worker if its settings allow it, and in a
 * separate process otherwise.
 */
export async function startServer(options: ServerOptions, host = hostOfThisWorker()): Promise<RunningServer> {
  const { TEST_CLOCK_OFFSET_MS = '0', ...env } = options.env ?? {};
  if (!host || !canBeHosted(env)) return startServerProcess(options);
  const { folder, settings } = await settingsOf({ ...options, env });
  const close = () => rm(folder, { recursive: true, force: true });
  try {
    const server = await startHostedServer(host, { env: settings, offsetMs: Number(TEST_CLOCK_OFFSET_MS) });
    return { ...server, stop: () => server.stop().then(close) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts a server process on a free port and waits until it is ready. */
export async function startServerProcess(options: ServerOptions): Promise<ServerProcess> {
  const { ready } = await beginServerProcess(options);
  return ready;
}

export type BeginningServer = {
  /** Resolves when the server is ready, rejects if it ends before. */
  ready: Promise<ServerProcess>;
  output: () => string;
  /** Processes it started itself. */
  children: () => number[];
  kill: (signal: NodeJS.Signals) => Promise<number | null>;
};

/** Starts a server process without waiting for it. */
export async function beginServerProcess(options: ServerOptions): Promise<BeginningServer> {
  const { folder, settings } = await settingsOf(options);
  const child = spawn(process.execPath, ['--import', './test/support/clock.js', 'bin/latchkey.js', 'serve'], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = wholeLines(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const gone = exited.then(async (code) => {
    await rm(folder, { recursive: true, force: true });
    return code;
  });
  const kill = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return gone;
  };
  const ready = whenReady(exited, output).then((addresses) => ({ ...addresses, ...processOf(child, output, kill) }));
  // A test that kills it before it is ready may ignore this promise.
  ready.catch(() => undefined);
  return { ready, output, children: () => childrenOf(child.pid ?? 0), kill };
}

/** The settings of a server, and its temporary folder, which must be deleted afterwards. */
async function settingsOf({ databaseUrl, env = {}, apply, rootKey = testRootKey }: ServerOptions) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-server-'));
  const file = path.join(folder, 'apply.json');
  if (apply) await writeFile(file, JSON.stringify(apply));
  const settings: Record<string, string> = {
    // Workers start one after the other, and would find the port of the first free one taken.
    PORT: env.WEB_CONCURRENCY ? String(await freePort()) : '0',
    LOG_LEVEL: 'info',
    LATCHKEY_DATA_DIR: folder,
    LATCHKEY_ROOT_KEY: rootKey,
    DATABASE_URL: databaseUrl,
    LATCHKEY_DATABASE_TIMEOUT_MS: '20000',
    ...(apply ? { LATCHKEY_APPLY: file } : {}),
    ...env,
  };
  return { folder, settings };
}

function processOf(
  child: ChildProcess,
  output: () => string,
  kill: ServerProcess['kill'],
): Omit<ServerProcess, 'issuer' | 'address'> {
  return {
    pid: child.pid ?? 0,
    output,
    kill,
    advance: (seconds) =>
      new Promise((resolve) => {
        child.once('message', () => resolve());
        child.send({ advanceMs: seconds * 1000 });
      }),
    children: () => childrenOf(child.pid ?? 0),
    stop: async () => void (await kill('SIGTERM')),
  };
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** The output so far, in whole lines, so that one stream never interrupts a line of the other. */
function wholeLines({ stdout, stderr }: ChildProcess): () => string {
  let text = '';
  for (const input of [stdout, stderr]) {
    if (!input) continue;
    createInterface({ input }).on('line', (line) => {
      text += `${line}\n`;
    });
  }
  return () => text;
}

async function whenReady(exited: Promise<unknown>, output: () => string): Promise<{ issuer: string; address: string }> {
  let hasExited = false;
  void exited.then(() => {
    hasExited = true;
  });
  for (;;) {
    const [, issuer, address] = /is ready at (\S+)(?: \(listening on (\S+)\))?\n/.exec(output()) ?? [];
    if (issuer) return { issuer, address: address ?? issuer };
    if (hasExited) throw new Error(`the server did not start: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
