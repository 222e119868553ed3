import { z } from 'zod';
import { mostCharactersOfSecrets } from '../access/index.ts';

/** What a request needs: one permission, all of several, or one of several, nested up to `mostNested` deep. */
export type PermissionQuery = string | { and: PermissionQuery[] } | { or: PermissionQuery[] };

const mostNamed = 50;
const mostNested = 4;

type Query = z.ZodType<PermissionQuery>;
const Permission: Query = z.string().min(1).max(mostCharactersOfSecrets);

function orCombined(part: Query): Query {
  const parts = z.array(part).min(1).max(mostNamed);
  return z.union([Permission, z.strictObject({ and: parts }), z.strictObject({ or: parts })]);
}

// Not a recursive schema: zod would track every value that it reads, which takes a quarter of the time of a gateway request, and
// cannot compile it (`z.compile`).
const Query = Array.from({ length: mostNested }).reduce<Query>(orCombined, Permission);

/** The schema of input; it bounds the number of permissions. */
export const PermissionQuerySchema = Query.refine(
  (query) => permissionsIn(query).length <= mostNamed,
  `must name at most ${mostNamed} permissions`,
).meta({
  id: 'PermissionQuery',
  description: `a permission, {"and": […]} or {"or": […]}, nested at most ${mostNested} deep`,
});

/** Every permission in a query. */
export function permissionsIn(query: PermissionQuery): string[] {
  if (typeof query === 'string') return [query];
  return ('and' in query ? query.and : query.or).flatMap(permissionsIn);
}

/** The missing permissions; none: the query is satisfied. Of alternatives all are listed. */
export function missingFrom(query: PermissionQuery, may: (permission: string) => boolean): string[] {
  if (typeof query === 'string') return may(query) ? [] : [query];
  if ('and' in query) return query.and.flatMap((part) => missingFrom(part, may));
  const missing = query.or.map((part) => missingFrom(part, may));
  return missing.some((part) => part.length === 0) ? [] : missing.flat();
}
