import { effectivePermissions } from '../../domain/access/index.ts';
import type { PagesDeps } from './pages.ts';

/** A user's permissions in the console: those at the admin API, and nothing else. */
export async function adminPermissionsOf(deps: PagesDeps, user_id: string): Promise<string[]> {
  const held = { subject_id: user_id, limits: [], resource: deps.admin.audience, scopes: ['latchkey:*'] };
  return effectivePermissions(deps, held);
}
