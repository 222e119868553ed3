import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const microsecondsPerTick = 10_000;

type ProcessOptions = {
  args?: string[];
  env?: Record<string, string>;
  execArgv?: string[];
  /** The checkout of the file; default: this one. */
  cwd?: string | undefined;
};

/** Starts a Node process with an IPC channel. */
export function startProcess(
  file: string,
  { args = [], env = {}, execArgv = [], cwd = `${import.meta.dirname}/..` }: ProcessOptions = {},
): ChildProcess {
  const options = { env: { PATH: process.env.PATH, ...env }, execArgv, cwd };
  return fork(file, args, { ...options, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
}

/** Sends a message to a process and returns the next message from it. */
export async function ask<Reply>(child: ChildProcess, question?: object | string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void) => {
      child.off('message', answered);
      child.off('exit', ended);
      child.off('error', ended);
      settled();
    };
    const answered = (message: Reply & { error?: string }) =>
      settle(() => (message.error ? reject(new Error(message.error)) : resolve(message)));
    const ended = () => settle(() => reject(new Error('a process of the benchmark ended')));
    child.on('message', answered);
    child.on('exit', ended);
    child.on('error', ended);
    if (question !== undefined) child.send(question);
  });
}

/** Ends a process and waits for its exit. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

/**
 * CPU time of a process and its children in microseconds, including children that have ended and were waited for. The kernel counts in
 * hundredths of a second; NaN without /proc.
 */
export function cpuOf(pid: number): number {
  try {
    const { own, waitedFor } = ticksOf(pid);
    const children = childrenOf(pid).map((child) => ticksOf(child).own);
    return (own + waitedFor + children.reduce((sum, ticks) => sum + ticks, 0)) * microsecondsPerTick;
  } catch {
    return Number.NaN;
  }
}

/** Lets a process, its children and those that it starts from now on run on these cores only, named as `taskset` (util-linux) names them. */
export function pin(pid: number, cores: string): void {
  for (const each of [pid, ...childrenOf(pid)])
    execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', cores, String(each)], { stdio: 'ignore' });
}

/** CPU time of all processes on the machine so far, in microseconds; NaN without /proc. */
export function cpuOfMachine(): number {
  try {
    const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n')[0]?.split(/ +/) ?? [];
    const [user = 0, nice = 0, system = 0, _idle, _waiting, irq = 0, softirq = 0, steal = 0] = fields.map(Number);
    return (user + nice + system + irq + softirq + steal) * microsecondsPerTick;
  } catch {
    return Number.NaN;
  }
}

function ticksOf(pid: number): { own: number; waitedFor: number; parent: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, can contain any character.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [parent = 0, utime = 0, stime = 0, cutime = 0, cstime = 0] = [1, 11, 12, 13, 14].map((place) => fields[place]);
  return { own: utime + stime, waitedFor: cutime + cstime, parent };
}

function childrenOf(pid: number): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((other) => {
    try {
      return ticksOf(other).parent === pid;
    } catch {
      // The process has just ended.
      return false;
    }
  });
}
