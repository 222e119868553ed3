// A virtual `process` for several programs in one process: each has its own arguments, environment, standard streams and exit.
import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import { Readable } from 'node:stream';

/** `ended`: the exit code that `process.exit` was called with. */
type HostedCommand = { args: string[]; env: Record<string, string>; stdin: Readable; ended?: number };

export type HostedProcess = {
  /** Receives output to standard output (1) and standard error (2). */
  write: (text: string, fd: 1 | 2) => void;
  /** Only for a command; a server gets its settings as a parameter. */
  command?: HostedCommand;
};

/** Ends a command, as `process.exit` ends a process: code that catches it can neither write nor change the exit code. */
class Exit extends Error {
  override name = 'Exit';
}

const processes = new AsyncLocalStorage<HostedProcess>();

/** Runs a program whose output its virtual process receives. */
export function inHostedProcess<T>(hosted: HostedProcess, work: () => T): T {
  return processes.run(hosted, work);
}

/** Runs a command to its end and returns its exit code; one at a time, because there is one exit code per process. */
export async function runHosted(
  { args, env, input }: { args: string[]; env: Record<string, string>; input: string },
  write: HostedProcess['write'],
  run: () => Promise<unknown>,
): Promise<number> {
  const command: HostedCommand = { args, env, stdin: Readable.from(input === '' ? [] : [Buffer.from(input)]) };
  process.exitCode = 0;
  return processes.run({ write, command }, async () => {
    try {
      await run();
    } catch (error) {
      if (command.ended === undefined) throw error;
    }
    return command.ended ?? Number(process.exitCode);
  });
}

/** From here on, `process` is the virtual process of the calling program. */
export function hostProcesses(): void {
  const command = () => processes.getStore()?.command;
  const { argv, env, stdin } = process;
  define('argv', () => [...argv.slice(0, 2), ...(command()?.args ?? argv.slice(2))]);
  define('env', () => command()?.env ?? env);
  define('stdin', () => command()?.stdin ?? stdin);
  const exit = process.exit.bind(process);
  define('exit', () => (code = 0) => {
    const hosted = command();
    if (!hosted) return exit(code);
    hosted.ended ??= Number(code);
    throw new Exit();
  });
  routeOutput();
}

function define(name: string, get: () => unknown): void {
  Object.defineProperty(process, name, { configurable: true, enumerable: true, get });
}

function routeOutput(): void {
  const { writeSync } = fs;
  const routed = (fd: number, text: string | Buffer) => {
    const hosted = fd === 1 || fd === 2 ? processes.getStore() : undefined;
    if (!hosted) return writeSync(fd, String(text));
    if (hosted.command?.ended === undefined) hosted.write(String(text), fd as 1 | 2);
    return Buffer.byteLength(text);
  };
  // The log writes with this function.
  Object.assign(fs, { writeSync: routed });
  for (const [stream, fd] of [
    [process.stdout, 1],
    [process.stderr, 2],
  ] as const) {
    const own = stream.write.bind(stream) as (text: string, done?: unknown) => boolean;
    const instead = (chunk: string | Uint8Array, ...given: unknown[]) => {
      const hosted = processes.getStore();
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
      const done = given.find((each) => typeof each === 'function');
      if (!hosted) return own(text, done);
      if (hosted.command?.ended === undefined) hosted.write(text, fd);
      if (done) process.nextTick(done);
      return true;
    };
    Object.assign(stream, { write: instead });
  }
}
