import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { text as readAll } from 'node:stream/consumers';

const root = path.join(import.meta.dirname, '../..');

export type ServerOptions = { databaseUrl: string; env?: Record<string, string>; apply?: unknown; rootKey?: string };

export type ServerProcess = {
  issuer: string;
  /** Where it listens, which is not its issuer behind a proxy. */
  address: string;
  /** Everything it has printed and logged. */
  output: () => string;
  /** Moves this process's clock. */
  advance: (seconds: number) => Promise<void>;
  kill: (signal: NodeJS.Signals) => Promise<number | null>;
  /** Processes it started itself. */
  children: () => number[];
  stop: () => Promise<void>;
};

export type CommandResult = { code: number | null; stdout: string; stderr: string };

/** Runs the `latchkey` command to its end. */
export async function runCommand(
  args: string[],
  { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, ['bin/latchkey.js', ...args], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  const [stdout, stderr] = [readAll(child.stdout), readAll(child.stderr)];
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, stdout: await stdout, stderr: await stderr };
}

export const testRootKey = Buffer.alloc(32, 7).toString('base64');

/** Starts a server process on a free port and waits until it says that it is ready. */
export async function startServerProcess({
  databaseUrl,
  env = {},
  apply,
  rootKey = testRootKey,
}: ServerOptions): Promise<ServerProcess> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-server-'));
  const file = path.join(folder, 'apply.json');
  if (apply) await writeFile(file, JSON.stringify(apply));
  const settings = {
    PORT: '0',
    LOG_LEVEL: 'info',
    LATCHKEY_DATA_DIR: folder,
    LATCHKEY_ROOT_KEY: rootKey,
    DATABASE_URL: databaseUrl,
  };
  const child = spawn(process.execPath, ['--import', './test/support/clock.ts', 'bin/latchkey.js', 'serve'], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...settings, ...(apply ? { LATCHKEY_APPLY: file } : {}), ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  child.stdout?.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    output += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const { issuer, address } = await ready(exited, () => output);
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    issuer,
    address,
    output: () => output,
    advance: (seconds) =>
      new Promise((resolve) => {
        child.once('message', () => resolve());
        child.send({ advanceMs: seconds * 1000 });
      }),
    kill,
    children: () => childrenOf(child.pid ?? 0),
    stop: async () => {
      await kill('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

async function ready(exited: Promise<unknown>, output: () => string): Promise<{ issuer: string; address: string }> {
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
