import { z } from 'zod';

/** What a request needs: one permission, all of several, or one of several, nested as it may be. */
export type PermissionQuery = string | { and: PermissionQuery[] } | { or: PermissionQuery[] };

const mostNamed = 50;
const Parts = z.lazy(() => z.array(Query).min(1).max(mostNamed));
const Query: z.ZodType<PermissionQuery> = z.lazy(() =>
  z.union([z.string().min(1).max(256), z.strictObject({ and: Parts }), z.strictObject({ or: Parts })]),
);

/** The shape at the edge; bounded in how many permissions it names. */
export const PermissionQuerySchema = Query.refine(
  (query) => permissionsIn(query).length <= mostNamed,
  `must name at most ${mostNamed} permissions`,
).meta({ id: 'PermissionQuery', description: 'a permission, {"and": […]} or {"or": […]}' });

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
