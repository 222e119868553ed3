import type { z } from 'zod';
import type { ResourceServerView } from '../../../../domain/resource-servers/index.ts';
import type { RequestContext } from '../request-context.ts';

export type ResourceServer = z.output<typeof ResourceServerView>;

export const apiPath = (identifier: string) => `/console/apis/${encodeURIComponent(identifier)}`;

/** The API that an address names. */
export function getServer({ api, params: { identifier = '' } }: RequestContext): Promise<ResourceServer> {
  return api.call('GET /resource-servers/{identifier}', { params: { identifier } });
}
