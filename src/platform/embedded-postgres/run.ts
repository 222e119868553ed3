import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import path from 'node:path';
import type { Account } from './account.ts';
import { EmbeddedPostgresError, systemCode } from './embedded-postgres-error.ts';

export type Program = { name: 'initdb' | 'pg_ctl' | 'postgres'; args: string[]; cwd: string };
export type ServerPrograms = {
  /** Folder that holds `native/bin`. */
  programs: string;
  account: Account | undefined;
};

// PostgreSQL reads PG* variables and the locale; the server must not depend on either. Windows cannot open sockets without its own.
const environment = process.platform === 'win32' ? {} : { env: { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' } };

/**
 * Starts a program of PostgreSQL's under the account.
 *
 * @throws EmbeddedPostgresError when the system cannot execute it
 */
export async function startProgram(
  { programs, account }: ServerPrograms,
  { name, args, cwd }: Program,
  options: SpawnOptions,
): Promise<ChildProcess> {
  const file = path.join(programs, 'native', 'bin', name);
  const child = spawn(file, args, { ...environment, ...account, ...options, cwd, windowsHide: true });
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child));
    child.once('error', (error) => {
      const why = systemCode(error) ?? error.message;
      reject(
        new EmbeddedPostgresError(`This system cannot run ${file} (${why}): set DATABASE_URL to your own PostgreSQL.`),
      );
    });
  });
}

/**
 * Runs a program to its end.
 *
 * @throws EmbeddedPostgresError with the last line it wrote, when it fails
 */
export async function runProgram(place: ServerPrograms, program: Program): Promise<void> {
  const child = await startProgram(place, program, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  if (code === 0) return;
  throw new EmbeddedPostgresError(`PostgreSQL's ${program.name} failed: ${failureIn(output)}.`);
}

/** The last lines that PostgreSQL's programs wrote before they exited. */
export function failureIn(output: string): string {
  const fatal = [...output.matchAll(/(?:FATAL|PANIC|error):\s+(.*)(?:\n.*DETAIL:\s+(.*))?/g)].at(-1);
  const said = fatal ? [fatal[1], fatal[2]].filter(Boolean).join(': ') : output.trimEnd().split('\n').at(-1);
  return said?.trim().replace(/\.$/, '') || 'it said nothing';
}
