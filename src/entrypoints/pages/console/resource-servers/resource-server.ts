import type { z } from 'zod';
import type { ResourceServerView } from '../../../../domain/resource-servers/index.ts';
import type { RequestContext } from '../request-context.ts';

export type ResourceServer = z.output<typeof ResourceServerView>;

/** The formats of access tokens, in words. */
export const formats: Readonly<Record<ResourceServer['access_token_format'], string>> = {
  opaque: 'Opaque',
  jwt: 'JWT',
};

/** The required authentication for tokens of an API, in words. */
export const requiredAcr: Readonly<Record<NonNullable<ResourceServer['required_acr']>, string>> = {
  'urn:latchkey:acr:two-factor': 'Second factor or passkey',
  phr: 'Passkey',
};

export const anyMethod = 'Any method';

/** To which clients an API is open, in words. */
export const openTo: Readonly<Record<ResourceServer['open_to'], string>> = {
  registered: 'Registered clients only',
  documented: 'Registered clients and clients with a metadata document',
  anyone: 'Any client, also those that register themselves',
};

export const apiPath = (identifier: string) => `/console/apis/${encodeURIComponent(identifier)}`;

/** The API that an address names. */
export function getServer({ api, params: { identifier = '' } }: RequestContext): Promise<ResourceServer> {
  return api.call('GET /resource-servers/{identifier}', { params: { identifier } });
}
