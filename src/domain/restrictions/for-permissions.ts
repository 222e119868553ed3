import { z } from 'zod';
import { contains, covers, intersection, isPermissionPattern } from '../access/index.ts';
import type { KeyRequest } from './restriction.ts';

/** For which permissions a restriction is meant. */
export const For = z
  .array(
    z.string().refine(isPermissionPattern, 'must be a permission such as "email:send", or a pattern such as "email:*"'),
  )
  .min(1)
  .max(50)
  .meta({ description: 'the permissions that it applies to; omitted: all' });

/**
 * Whether a restriction meant for these permissions is meant for this request; one that names none is meant, and one for a
 * pattern of permissions as soon as it touches one of them.
 */
export function isMeant(patterns: readonly string[] | undefined, { permissions }: KeyRequest): boolean {
  if (!patterns || permissions.length === 0) return true;
  return permissions.some((permission) => patterns.some((pattern) => touches(pattern, permission)));
}

/** Whether a restriction meant for the other patterns is meant for every request that one for these is meant for. */
export function isMeantWherever(
  patterns: readonly string[] | undefined,
  others: readonly string[] | undefined,
): boolean {
  return others === undefined || (patterns !== undefined && contains(others, patterns));
}

/** The permissions that a restriction is meant for, at the end of a line; nothing where it is meant for all. */
export function forText(patterns: readonly string[] | undefined): string {
  return patterns ? ` for ${patterns.join(', ')}` : '';
}

/** A line such as `100 messages/hour for email:send, email:draft` without its end, and the permissions there. */
export function withoutFor(line: string): [rest: string, patterns: string[] | undefined] {
  const [, rest, patterns] = /^(.+)\sfor\s+(.+)$/.exec(line) ?? [];
  if (rest === undefined || patterns === undefined) return [line, undefined];
  return [rest.trim(), patterns.split(/[\s,]+/).filter(Boolean)];
}

function touches(pattern: string, permission: string): boolean {
  return permission.includes('*') ? intersection([pattern], [permission]).length > 0 : covers(pattern, permission);
}
