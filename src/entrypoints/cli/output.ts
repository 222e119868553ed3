import { ConfigError } from '../../config.ts';
import { DatabaseUnavailableError, isConnectionFailure } from '../../platform/database/index.ts';
import { EmbeddedPostgresError } from '../../platform/embedded-postgres/index.ts';
import { Problem } from '../../platform/http/index.ts';
import { UsageError } from './usage.ts';

/** Prints a line on standard output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a line on standard error: what is not the answer itself. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Prints an answer: as JSON for programs, or as the lines that people read. */
export function answer({ json }: { json?: boolean }, value: unknown, lines: readonly string[]): void {
  if (json) say(JSON.stringify(value, undefined, 2));
  else for (const line of lines) say(line);
}

/** Rows in columns as wide as they need. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, n) => Math.max(cell.length, most[n] ?? 0)), []);
  return rows.map((row) =>
    row
      .map((cell, n) => cell.padEnd(widths[n] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Ends with one sentence, and exit code 2 if the command was typed wrongly, 1 otherwise; the stack only for a fault of ours. */
export function failWithSentence(error: unknown): never {
  note(`latchkey: ${sentenceOf(error)}`);
  process.exit(error instanceof UsageError ? 2 : 1);
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof DatabaseUnavailableError || isConnectionFailure(error)) {
    return 'The database cannot be reached. Check DATABASE_URL and that the database is running.';
  }
  const isForeseen =
    ['StartError', 'WorkerError'].includes(error.name) ||
    [ConfigError, EmbeddedPostgresError, Problem, UsageError].some((kind) => error instanceof kind);
  return isForeseen ? error.message : (error.stack ?? error.message);
}
