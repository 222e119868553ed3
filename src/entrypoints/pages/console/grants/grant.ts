import type { z } from 'zod';
import type { GrantView } from '../../../../domain/consents/index.ts';
import * as cell from '../../records/cells.ts';
import type { RequestContext } from '../request-context.ts';

export type Grant = z.output<typeof GrantView>;

export const grantPath = (id: string) => `/console/grants/${id}`;

/** Whose consents or grants are listed. */
export const ownerFilters = [
  { name: 'user', label: 'Username', options: [] },
  { name: 'client_id', label: 'client_id', options: [] },
];

export const lastingOf = ({ offline }: Grant) => cell.text(offline ? 'beyond the session' : 'with the session');

/** The grant that an address names. */
export function getGrant({ api, params: { grant_id = '' } }: RequestContext): Promise<Grant> {
  return api.call('GET /grants/{grant_id}', { params: { grant_id } });
}
