import type { z } from 'zod';

type RawIssue = z.core.$ZodRawIssue;
/** An error and its place: words that follow the name of a member, such as `must not be empty`. */
export type Issue = { path: PropertyKey[]; message: string };

const types: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'a time',
  null: 'null',
  undefined: 'left out',
};

const formats: Readonly<Record<string, string>> = {
  email: 'must be an e-mail address',
  url: 'must be an address, such as https://api.example',
  uuid: 'must be a UUID',
  guid: 'must be a UUID',
  datetime: 'must be a time with its zone, such as 2026-11-24T12:00:00Z',
  date: 'must be a date, such as 2026-11-24',
  ipv4: 'must be an IP address',
  ipv6: 'must be an IP address',
  cidrv4: 'must be an address range, such as 10.0.0.0/8',
  cidrv6: 'must be an address range, such as 2001:db8::/32',
};

/**
 * The error texts for schemas without texts of their own. They follow a member's name, and are for users: the validator's own ("Invalid
 * input: expected string, received undefined") are for its developers.
 */
export function validationWords(issue: RawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${types[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `must be ${listed(issue.values.map(String))}`;
    case 'too_big':
      return `must ${sized(issue.origin, Number(issue.maximum), issue.inclusive === false ? 'less than' : 'at most')}`;
    case 'too_small':
      return tooSmall(issue.origin, Number(issue.minimum), issue.inclusive === false);
    case 'invalid_format':
      return formats[issue.format] ?? 'has the wrong form';
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_key':
      return `is not a valid name here: it ${issue.issues[0]?.message ?? 'has the wrong form'}`;
    default:
      return 'has the wrong form';
  }
}

function tooSmall(origin: string, least: number, isExclusive: boolean): string {
  if (least === 1 && (origin === 'string' || origin === 'array') && !isExclusive) return 'must not be empty';
  return `must ${sized(origin, least, isExclusive ? 'more than' : 'at least')}`;
}

function sized(origin: string, size: number, comparison: string): string {
  if (origin === 'string') return `have ${comparison} ${counted(size, 'character', 'characters')}`;
  if (origin === 'array' || origin === 'set' || origin === 'map')
    return `have ${comparison} ${counted(size, 'entry', 'entries')}`;
  return `be ${comparison} ${size}`;
}

const counted = (number: number, one: string, several: string) => `${number} ${number === 1 ? one : several}`;

function listed(values: readonly string[]): string {
  const quoted = values.map((value) => `"${value}"`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

/** All errors, an unknown member with its place, and of alternatives the closest one. */
export function issuesIn(error: z.ZodError): Issue[] {
  return error.issues.flatMap(unfolded);
}

/** The text of a union without its own: ours, or the validator's if ours were not requested. */
const wordless: ReadonlySet<string> = new Set(['has the wrong form', 'Invalid input']);

function unfolded(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'is not known' }));
  // Alternatives with a common description say more than the first of them. Of others, only one that accepts the kind of value says more
  // than that none fits.
  const isUndescribed = issue.code === 'invalid_union' && wordless.has(issue.message);
  const nearest = isUndescribed ? issue.errors.find(isAboutParts) : undefined;
  if (!nearest) return [issue];
  return nearest.flatMap(unfolded).map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
}

const isAboutParts = (issues: readonly z.core.$ZodIssue[]) =>
  issues.length > 0 && issues.every(({ code, path }) => code !== 'invalid_type' || path.length > 0);
