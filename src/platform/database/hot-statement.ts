import type pg from 'pg';

/** A statement that is prepared under its name. */
export type HotStatement = { name: string; text: string; values?: unknown[] };
export type HotResult = pg.QueryResult<Record<string, unknown>>;
