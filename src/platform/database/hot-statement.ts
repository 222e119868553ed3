import type pg from 'pg';

/** A statement that is prepared under its name. */
export type HotStatement = { name: string; text: string; values?: unknown[] };
export type HotResult = pg.QueryResult<Record<string, unknown>>;

/** A binary value in the JSON or the arrays of a statement, as PostgreSQL reads it; undefined: there is none. */
export function binaryText(value: Buffer): string;
export function binaryText(value: Buffer | null | undefined): string | undefined;
export function binaryText(value: Buffer | null | undefined): string | undefined {
  return value ? `\\x${value.toString('hex')}` : undefined;
}
