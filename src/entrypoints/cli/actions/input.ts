import { createInterface } from 'node:readline/promises';
import { text as readAll } from 'node:stream/consumers';
import { z } from 'zod';
import { checked } from '../../../platform/http/index.ts';
import { note } from './output.ts';
import { inOptions, type OptionNames, UsageError } from './usage.ts';

/** Whether a user can be asked. */
export const isTerminal = () => process.stdin.isTTY === true;

/**
 * A secret from the terminal, hidden while it is typed, or from a pipe; never from the command line, where other
 * processes can read it.
 *
 * @returns undefined when nothing was given
 */
export async function readSecret(question: string): Promise<string | undefined> {
  if (!isTerminal()) return (await readAll(process.stdin)).replace(/\r?\n$/, '') || undefined;
  process.stderr.write(question);
  const terminal = createInterface({ input: process.stdin, output: undefined, terminal: true });
  try {
    return (await terminal.question('')) || undefined;
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}

/**
 * Several secrets: the lines of a pipe, or the inputs at a terminal, one after the other.
 *
 * @param atTerminal how many are asked for there
 */
export async function readSecrets(question: string, { atTerminal }: { atTerminal: number }): Promise<string[]> {
  const given: string[] = [];
  if (!isTerminal()) given.push(...((await readSecret(question)) ?? '').split('\n'));
  else for (let n = 0; n < atTerminal; n += 1) given.push((await readSecret(question)) ?? '');
  return given.map((line) => line.trim()).filter(Boolean);
}

type Confirmation = { yes?: boolean; json?: boolean; scripts: 'continue' | 'need --yes' };

/**
 * Asks at a terminal before something is destroyed. Scripts are not asked: they continue, with a note on standard error, or need
 * `--yes` if one command changes many records.
 */
export async function isConfirmed(
  question: string,
  { yes = false, json = false, scripts }: Confirmation,
): Promise<boolean> {
  if (yes) return true;
  if (!isTerminal() && scripts === 'need --yes') throw new UsageError('Add --yes to continue without being asked.');
  if (!isTerminal()) {
    // With --json, standard error is for a failure alone, which a program can then parse.
    if (!json) note(question);
    return true;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/**
 * Options, validated by a schema.
 *
 * @param names the option that was typed, or the options of the input's members
 * @throws UsageError that names every wrong option
 */
export function parsed<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  names: string | OptionNames = {},
): z.output<Schema> {
  try {
    return checked(schema, value);
  } catch (error) {
    throw inOptions(error, typeof names === 'string' ? { '': names } : names);
  }
}

/** A positive number of days from the command line. */
export const Days = z.coerce
  .number('must be a number of days')
  .int('must be a whole number of days')
  .min(1, 'must be at least 1')
  .max(3660, 'must be at most 3660');

/** A time from the command line. */
export const Moment = z.iso
  .datetime({ offset: true, error: 'must be a time with its zone, e.g. 2026-11-24T12:00:00Z' })
  .transform((text) => new Date(text));

/**
 * The members of an option whose value is a JSON object; none if it was left out.
 *
 * @throws UsageError: it is no JSON object
 */
export function jsonObject(text: string | undefined, option: string): Record<string, unknown> {
  if (text === undefined) return {};
  return parsed(z.record(z.string(), z.unknown(), 'must be a JSON object'), jsonIn(text), option);
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
