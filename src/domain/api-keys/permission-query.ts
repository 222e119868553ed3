import { z } from 'zod';

/** What a request needs: one permission, all of several, or one of several, nested up to `mostNested` deep. */
export type PermissionQuery = string | { and: PermissionQuery[] } | { or: PermissionQuery[] };

const mostNamed = 50;
const mostNested = 4;

type Query = z.ZodType<PermissionQuery>;
const Permission: Query = z.string().min(1).max(256);

function orCombined(part: Query): Query {
  const parts = z.array(part).min(1).max(mostNamed);
  return z.union([Permission, z.strictObject({ and: parts }), z.strictObject({ or: parts })]);
}

// Not a schema within itself: zod keeps a book of every value that one reads, a quarter of the time of a request to the gateway,
// and makes no code of it ahead (`z.compile`).
const Query = Array.from({ length: mostNested }).reduce<Query>(orCombined, Permission);

/** The shape at the edge; bounded in how many permissions it names. */
export const PermissionQuerySchema = Query.refine(
  (query) => permissionsIn(query).length <= mostNamed,
  `must name at most ${mostNamed} permissions`,
).meta({
  id: 'PermissionQuery',
  description: `a permission, {"and": […]} or {"or": […]}, nested at most ${mostNested} deep`,
});

/** Every permission that is named. */
export function permissionsIn(query: PermissionQuery): string[] {
  if (typeof query === 'string') return [query];
  return ('and' in query ? query.and : query.or).flatMap(permissionsIn);
}

/** The permissions that are missing; none: the query is fulfilled. Of alternatives all are named. */
export function missingFrom(query: PermissionQuery, may: (permission: string) => boolean): string[] {
  if (typeof query === 'string') return may(query) ? [] : [query];
  if ('and' in query) return query.and.flatMap((part) => missingFrom(part, may));
  const missing = query.or.map((part) => missingFrom(part, may));
  return missing.some((part) => part.length === 0) ? [] : missing.flat();
}
