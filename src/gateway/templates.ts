import { isPermissionPattern } from '../access/index.ts';
import type { OriginalRequest } from './original-request.ts';

const placeholder = /\{([^{}]*)\}/g;
const readers = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY']);

export type Filled = { text: string } | { problem: string };

/**
 * A text with `{path.N}` (the N-th part of the path, from 1), `{method}` (`get`, `post`, …) and `{action}` (`read` or `write`,
 * by the method) filled in from the original request.
 */
export function fill(template: string, request: OriginalRequest): Filled {
  let problem: string | undefined;
  const text = template.replaceAll(placeholder, (_, name: string) => {
    const value = placeholderValue(name, request);
    if (value === undefined) problem ??= `The request has no {${name}}.`;
    return value ?? '';
  });
  return problem === undefined ? { text } : { problem };
}

/** A permission with its placeholders filled in; what comes from a request becomes one segment, and never a wildcard. */
export function fillPermission(template: string, request: OriginalRequest): Filled {
  const filled = fill(template, request);
  if ('problem' in filled) return filled;
  const { text } = filled;
  const isConcrete = isPermissionPattern(text) && !text.split(':').includes('*');
  const isWhole = text.split(':').length === template.split(':').length;
  return isConcrete && isWhole ? filled : { problem: `The request makes no permission of "${template}".` };
}

function placeholderValue(name: string, { method, segments }: OriginalRequest): string | undefined {
  if (name === 'method') return method.toLowerCase();
  if (name === 'action') return readers.has(method) ? 'read' : 'write';
  const position = /^path\.([1-9]\d?)$/.exec(name)?.[1];
  // One part that servers read in two ways makes every other uncertain: of `/a/../b` some serve `/b`.
  if (position === undefined || segments.includes(undefined)) return undefined;
  return segments[Number(position) - 1];
}
