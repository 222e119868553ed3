import type { Right } from '../../../domain/access/index.ts';
import { invalid, type Problem } from '../../../platform/http/index.ts';
import type { FormInput } from './form-input.ts';
import type { Field, Option } from './page-shapes.ts';

/** A permission as one line: `database:read:* at https://db.example`. */
export const rightLine = ({ pattern, resource }: Right): string =>
  resource === null ? pattern : `${pattern} at ${resource}`;

type RightsFields = {
  /** The field's name in the API. */
  name: string;
  label: string;
  /** The choices: their values are lines. */
  options: readonly Option[];
  /** The present permissions, as lines. */
  lines: readonly string[];
  hint: string;
  group?: string;
  /** The label of the text field beside the choices. */
  typedLabel?: string;
};

const selected = (name: string) => `${name}_selected`;

/** Permissions in a form: choices, and a text field for all others, such as patterns. */
export function rightsFields({
  name,
  label,
  options,
  lines,
  hint,
  group,
  typedLabel = 'Custom patterns',
}: RightsFields): Field[] {
  const known = new Set(options.map(({ value }) => value));
  const typed: Field = {
    name,
    label: known.size > 0 ? typedLabel : label,
    type: 'textarea',
    value: lines.filter((line) => !known.has(line)).join('\n'),
    hint,
    ...(group && { group }),
  };
  if (known.size === 0) return [typed];
  const value = lines.filter((line) => known.has(line)).join('\n');
  return [{ name: selected(name), label, type: 'choices', value, options, ...(group && { group }) }, typed];
}

/** The lines of both fields, each once. */
export const rightsLinesIn = (sent: FormInput, name: string): string[] => [
  ...new Set([...sent.lines(selected(name)), ...sent.lines(name)]),
];

/**
 * Permissions as lines, one a line.
 *
 * @throws Problem `invalid` at the field: a line is invalid
 */
export function rightsIn(lines: readonly string[], field: string): Right[] {
  return lines.map((each) => {
    const [pattern = '', at, resource = null, ...rest] = each.split(/\s+/);
    if ((at !== undefined && (at !== 'at' || resource === null)) || rest.length > 0) throw unreadable(each, field);
    return { pattern, resource };
  });
}

/** A client's permissions at APIs, as in its registration. */
export type RightsPerApi = Record<string, string[]>;

export const apiLines = (rights: RightsPerApi): string[] =>
  Object.entries(rights).flatMap(([resource, patterns]) => patterns.map((pattern) => rightLine({ pattern, resource })));

/**
 * Permissions at APIs as lines; every line names its API.
 *
 * @throws Problem `invalid` at the field
 */
export function rightsPerApiIn(lines: readonly string[], field: string): RightsPerApi {
  const rights: RightsPerApi = {};
  for (const { pattern, resource } of rightsIn(lines, field)) {
    if (resource === null) throw unreadable(pattern, field);
    rights[resource] = [...(rights[resource] ?? []), pattern];
  }
  return rights;
}

function unreadable(wrong: string, field: string): Problem {
  const detail = `Enter one permission per line, for one API with “at” and its identifier. This line is neither: ${wrong.slice(0, 80)}`;
  return invalid(`/${field}`, detail);
}
