import { getSystemErrorMessage } from 'node:util';
import { ConfigError } from '../../../config.ts';
import { DatabaseUnavailableError, isConnectionFailure } from '../../../platform/database/index.ts';
import { EmbeddedPostgresError } from '../../../platform/embedded-postgres/index.ts';
import { asEscape, Problem } from '../../../platform/http/index.ts';
import { UsageError } from './usage.ts';

/** Prints a line on standard output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a line on standard error: anything except the result. */
export function note(line: string): void {
  process.stderr.write(`${visible(line)}\n`);
}

/** Prints a result: as JSON, or as lines of text. */
export function answer({ json }: { json?: boolean }, value: unknown, lines: readonly string[]): void {
  if (json) sayJson(value);
  else for (const line of lines) say(visible(line));
}

/** Prints a value as JSON. In a string of JSON, an escaped character is the same. */
export function sayJson(value: unknown, indent = 2): void {
  say(visible(JSON.stringify(value, undefined, indent)));
}

// All control characters except the end of a line and the tab, and the marks that turn the direction of writing.
const controlling = /(?![\n\t])\p{Cc}|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Texts come from others, such as names in another system. Printed as they are, they could control the terminal. */
export const visible = (text: string): string => text.replaceAll(controlling, asEscape);

/** The same of a text within a line: it cannot begin another one. */
export const inLine = (text: string): string => visible(text).replaceAll(/[\n\t]/g, asEscape);

type Rows<Item> = { row: (item: Item) => string[] /** What to do when there is nothing to list. */; none: string };

/** Prints a page of a list as the admin API returns it, or its items in columns. */
export function answerPage<Item>(
  options: { json?: boolean },
  page: { items: readonly Item[]; next?: string | null },
  { row, none }: Rows<Item>,
): void {
  answer(options, page, page.items.length > 0 ? columns(page.items.map(row)) : [none]);
  if (page.next && !options.json) note(`More with --cursor ${page.next}`);
}

/** Rows in columns of the required width. */
export function columns(given: readonly (readonly string[])[]): string[] {
  const rows = given.map((row) => row.map(inLine));
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, n) => Math.max(cell.length, most[n] ?? 0)), []);
  return rows.map((row) =>
    row
      .map((cell, n) => cell.padEnd(widths[n] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/**
 * Exits with code 2 for wrong usage, 1 otherwise, and one sentence on standard error; with `--json` a problem as the admin API returns it,
 * on one line. The stack is printed only for a bug.
 */
export function fail(error: unknown): never {
  const isJson = process.argv.includes('--json');
  note(isJson ? JSON.stringify(problemOf(error)) : `latchkey: ${sentenceOf(error)}`);
  process.exit(error instanceof UsageError ? 2 : 1);
}

function problemOf(error: unknown): Record<string, unknown> {
  if (error instanceof Problem) return error.body();
  const detail = sentenceOf(error);
  if (!(error instanceof UsageError))
    return { type: 'urn:latchkey:problem:failed', title: 'The command failed', detail };
  const { errors } = error;
  return { type: 'urn:latchkey:problem:usage', title: 'Wrong usage', detail, ...(errors && { errors }) };
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof DatabaseUnavailableError || isConnectionFailure(error)) {
    return 'The database cannot be reached. Check DATABASE_URL and that the database is running.';
  }
  if ('path' in error && 'errno' in error)
    return `Cannot use ${error.path}: ${getSystemErrorMessage(Number(error.errno))}.`;
  const isForeseen =
    ['StartError', 'WorkerError'].includes(error.name) ||
    [ConfigError, EmbeddedPostgresError, Problem, UsageError].some((kind) => error instanceof kind);
  return isForeseen ? error.message : (error.stack ?? error.message);
}
