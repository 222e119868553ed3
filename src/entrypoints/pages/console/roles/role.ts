import type { z } from 'zod';
import type { RoleView } from '../../../../domain/access/index.ts';
import type { RequestContext } from '../request-context.ts';

export type Role = z.output<typeof RoleView>;

export const rolePath = (name: string) => `/console/roles/${encodeURIComponent(name)}`;

/** The role that an address names. */
export function getRole({ api, params: { role = '' } }: RequestContext): Promise<Role> {
  return api.call('GET /roles/{role}', { params: { role } });
}
