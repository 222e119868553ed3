import { intersection } from '../access/index.ts';
import type { Permission } from './store.ts';

/** The permissions of a resource server that overlap with a scope: a wildcard may overlap with several. */
export function overlapping(permissions: readonly Permission[], scope: string): Permission[] {
  return permissions.filter(({ name }) => intersection([name], [scope]).length > 0);
}

/** Whether a scope, or a permission that overlaps with it, is marked sensitive: a scope is as risky as the riskiest of these. */
export function isSensitiveScope(permissions: readonly Permission[], scope: string): boolean {
  const sensitive = permissions.filter(({ is_sensitive }) => is_sensitive).map(({ name }) => name);
  return intersection(sensitive, [scope]).length > 0;
}
