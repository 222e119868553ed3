import type { z } from 'zod';
import type { ConsentView } from '../../../../domain/consents/index.ts';
import * as cell from '../../records/cells.ts';
import type { RequestContext } from '../request-context.ts';

export type Consent = z.output<typeof ConsentView>;

export const consentPath = (id: string) => `/console/consents/${id}`;

export const stateOf = (consent: Consent) => (consent.revoked_at ? cell.quiet('Revoked') : cell.good('Active'));

/** The consent that an address names. */
export function getConsent({ api, params: { consent_id = '' } }: RequestContext): Promise<Consent> {
  return api.call('GET /consents/{consent_id}', { params: { consent_id } });
}
