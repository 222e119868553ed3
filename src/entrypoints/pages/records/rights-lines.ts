import type { Right } from '../../../domain/access/index.ts';
import { invalid, type Problem } from '../../../platform/http/index.ts';

/** A right as one line: `database:read:* at https://db.example`. */
export const rightLine = ({ pattern, resource }: Right): string =>
  resource === null ? pattern : `${pattern} at ${resource}`;

/**
 * Rights as they are typed, one a line.
 *
 * @throws Problem `invalid` at the field: a line is none
 */
export function rightsIn(text: string | undefined, field: string): Right[] {
  return linesIn(text).map((each) => {
    const [pattern = '', at, resource = null, ...rest] = each.split(/\s+/);
    if ((at !== undefined && (at !== 'at' || resource === null)) || rest.length > 0) throw unreadable(each, field);
    return { pattern, resource };
  });
}

/** What a client may do at APIs, as its registration has it. */
export type RightsPerApi = Record<string, string[]>;

export const apiLines = (rights: RightsPerApi): string =>
  Object.entries(rights)
    .flatMap(([resource, patterns]) => patterns.map((pattern) => rightLine({ pattern, resource })))
    .join('\n');

/**
 * Rights at APIs as they are typed; every line names its API.
 *
 * @throws Problem `invalid` at the field
 */
export function rightsPerApiIn(text: string | undefined, field: string): RightsPerApi {
  const rights: RightsPerApi = {};
  for (const { pattern, resource } of rightsIn(text, field)) {
    if (resource === null) throw unreadable(pattern, field);
    rights[resource] = [...(rights[resource] ?? []), pattern];
  }
  return rights;
}

/** The lines of a text that say something. */
export function linesIn(text: string | undefined): string[] {
  return (text ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

function unreadable(wrong: string, field: string): Problem {
  const detail = `Write one permission a line, for one API with “at” and its identifier. This line is neither: ${wrong.slice(0, 80)}`;
  return invalid(`/${field}`, detail);
}
