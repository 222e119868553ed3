import { z } from 'zod';
import { contains, covers, intersection, isPermissionPattern } from '../access/index.ts';
import type { KeyRequest } from './restriction.ts';

/** The permissions that a restriction applies to. */
export const For = z
  .array(
    z.string().refine(isPermissionPattern, 'must be a permission such as "email:send", or a pattern such as "email:*"'),
  )
  .min(1)
  .max(50)
  .meta({ description: 'the permissions that it applies to; omitted: all' });

/**
 * Whether a restriction for these permissions applies to a request; always to a request without permissions, and to one with a
 * pattern if they overlap.
 */
export function isMeant(patterns: readonly string[] | undefined, { permissions }: KeyRequest): boolean {
  if (!patterns || permissions.length === 0) return true;
  return permissions.some((permission) => patterns.some((pattern) => touches(pattern, permission)));
}

/** Whether a restriction for the other patterns applies to every request that one for these applies to. */
export function isMeantWherever(
  patterns: readonly string[] | undefined,
  others: readonly string[] | undefined,
): boolean {
  return others === undefined || (patterns !== undefined && contains(others, patterns));
}

/** The permissions that a restriction applies to, at the end of a line; empty if it applies to all. */
export function forText(patterns: readonly string[] | undefined): string {
  return patterns ? ` for ${patterns.join(', ')}` : '';
}

/** Splits a line such as `100 messages/hour for email:send, email:draft` into the limit and the permissions. */
export function withoutFor(line: string): [rest: string, patterns: string[] | undefined] {
  const [, rest, patterns] = /^(.+)\sfor\s+(.+)$/.exec(line) ?? [];
  if (rest === undefined || patterns === undefined) return [line, undefined];
  return [rest.trim(), patterns.split(/[\s,]+/).filter(Boolean)];
}

function touches(pattern: string, permission: string): boolean {
  return permission.includes('*') ? intersection([pattern], [permission]).length > 0 : covers(pattern, permission);
}
