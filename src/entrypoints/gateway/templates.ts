import { isPermissionPattern } from '../../domain/access/index.ts';
import type { OriginalRequest } from './original-request.ts';

const placeholder = /\{([^{}]*)\}/;
const mostPlaceholders = 10;

export type Filled = { text: string } | { problem: string };

/** Fills in values of an original request. */
export type Template = (request: OriginalRequest) => Filled;

/**
 * A text with `{path.N}` (the N-th part of the path, from 1), `{method}` (`get`, `post`, …) and `{action}` (`read` or `write`,
 * by the method) to be filled in.
 */
export function template(written: string): Template {
  // Literal texts and names of placeholders in turn; too many are not cached.
  const split = written.split(placeholder, 2 * mostPlaceholders + 2);
  if (split.length > 2 * mostPlaceholders + 1)
    return () => ({ problem: `A template has ${mostPlaceholders} placeholders at most.` });
  const parts = split.map((part, n) => ({ part, valueIn: n % 2 === 0 ? () => part : placed(part) }));
  return (request) => {
    let text = '';
    for (const { part, valueIn } of parts) {
      const value = valueIn(request);
      if (value === undefined) return { problem: problemOf(part, request) };
      text += value;
    }
    return { text };
  };
}

function problemOf(placeholder: string, { method }: OriginalRequest): string {
  if (placeholder !== 'method' && placeholder !== 'action') return `The request has no {${placeholder}}.`;
  if (method !== undefined)
    return `The request names another method in a header such as X-HTTP-Method-Override, so {${placeholder}} is ambiguous: send it with the intended method.`;
  return `The proxy does not pass the request method, so {${placeholder}} is unknown: configure it to send X-Original-Method or X-Forwarded-Method.`;
}

/** The same for a permission; a value from a request becomes one segment, and never a wildcard. */
export function permissionTemplate(written: string): Template {
  const fill = template(written);
  const segments = written.split(':').length;
  return (request) => {
    const filled = fill(request);
    if ('problem' in filled) return filled;
    const { text } = filled;
    const isConcrete = !text.includes('*') && isPermissionPattern(text);
    const isWhole = text.split(':').length === segments;
    return isConcrete && isWhole ? filled : { problem: `The request yields no valid permission for "${written}".` };
  };
}

/** The value of a placeholder. */
function placed(name: string): (request: OriginalRequest) => string | undefined {
  if (name === 'method') return ({ certainMethod }) => certainMethod;
  if (name === 'action') return ({ certainAction }) => certainAction;
  const position = /^path\.([1-9]\d?)$/.exec(name)?.[1];
  if (position === undefined) return () => undefined;
  // One ambiguous part makes every other uncertain: some servers read `/a/../b` as `/b`.
  return ({ segments }) => segments?.[Number(position) - 1];
}
