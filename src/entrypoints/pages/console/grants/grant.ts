import type { z } from 'zod';
import type { GrantView } from '../../../../domain/consents/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell } from '../../records/page-shapes.ts';
import type { RequestContext } from '../request-context.ts';
import { userPath } from '../users/user.ts';

export type Grant = z.output<typeof GrantView>;

export const grantPath = (id: string) => `/console/grants/${id}`;

/** The owner of the listed consents or grants. */
export const ownerFilters = [
  { name: 'user', label: 'Username', options: [] },
  { name: 'client_id', label: 'Client ID', options: [] },
];

export const lifetimeOf = ({ offline }: Grant) => cell.text(offline ? 'When it is revoked' : 'With the session');

/** A grant as one row of a list. */
export const rowOf = (grant: Grant): Cell[] => [
  cell.link(grant.client_name, grantPath(grant.id)),
  cell.link(grant.username, userPath(grant.username)),
  lifetimeOf(grant),
  cell.time(grant.created_at),
];

/** The grant that an address names. */
export function getGrant({ api, params: { grant_id = '' } }: RequestContext): Promise<Grant> {
  return api.call('GET /grants/{grant_id}', { params: { grant_id } });
}
