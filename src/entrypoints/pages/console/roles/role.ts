import type { z } from 'zod';
import { RoleView } from '../../../../domain/access/index.ts';
import type { RequestContext } from '../request-context.ts';

export type Role = z.output<typeof RoleView>;

export const rolePath = (name: string) => `/console/roles/${encodeURIComponent(name)}`;

/** The role that an address names. */
export function getRole({ calls, params: { role = '' } }: RequestContext): Promise<Role> {
  return calls.read('GET /roles/{role}', RoleView, { params: { role } });
}
