import type { z } from 'zod';
import { ResourceServerView } from '../../../../domain/resource-servers/index.ts';
import type { RequestContext } from '../request-context.ts';

export type ResourceServer = z.output<typeof ResourceServerView>;

export const apiPath = (identifier: string) => `/console/apis/${encodeURIComponent(identifier)}`;

/** The API that an address names. */
export function getServer({ calls, params: { identifier = '' } }: RequestContext): Promise<ResourceServer> {
  return calls.read('GET /resource-servers/{identifier}', ResourceServerView, { params: { identifier } });
}
