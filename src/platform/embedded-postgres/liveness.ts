import { execFile } from 'node:child_process';
import { readFile, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { systemCode } from './embedded-postgres-error.ts';

/** Whether a process with this id exists, of any user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/**
 * Whether the process is a PostgreSQL server at work on the cluster. Process ids are reused after a crash, and this decides what gets a
 * signal. On Windows only the existence of the process is checked.
 */
export async function isServing(pid: number, cluster: string): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (process.platform === 'win32') return true;
  if (process.platform !== 'linux') return path.basename(await commandOf(pid)) === 'postgres';
  try {
    const [command, folder] = await Promise.all([readFile(`/proc/${pid}/comm`, 'utf8'), readlink(`/proc/${pid}/cwd`)]);
    return command.trim() === 'postgres' && folder === (await realpath(cluster));
  } catch {
    return false; // exited meanwhile, or another user's
  }
}

/**
 * Distinguishes a process from a later one with the same id: its start time, as the system reports it. Empty where it is unknown.
 */
export async function birthOf(pid: number): Promise<string> {
  if (process.platform === 'win32') return '';
  if (process.platform !== 'linux') return (await askPs('lstart=', pid)).trim();
  const [, ...fields] = (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).split(/\) /);
  // proc(5): the 22nd field; the second one is a name in brackets, which may contain anything.
  return fields.join(') ').split(' ')[19] ?? '';
}

async function commandOf(pid: number): Promise<string> {
  return (await askPs('comm=', pid)).trim();
}

async function askPs(column: string, pid: number): Promise<string> {
  const answer = await promisify(execFile)('ps', ['-o', column, '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return answer.stdout;
}
