import type { z } from 'zod';
import type { ConsentView } from '../../../../domain/consents/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell } from '../../records/page-shapes.ts';
import { clientPath } from '../clients/client.ts';
import type { RequestContext } from '../request-context.ts';

export type Consent = z.output<typeof ConsentView>;

export const consentPath = (id: string) => `/console/consents/${id}`;

export const stateOf = (consent: Consent) => (consent.revoked_at ? cell.quiet('Revoked') : cell.good('Active'));

/** The app of a consent. One that registered itself has an id that identifies nothing to a reader. */
export function appCell({ client_id, client_name, registered_by }: Consent): Cell {
  const path = clientPath(client_id);
  return registered_by === 'dynamic'
    ? cell.noted(client_name, path, 'Registered itself')
    : cell.link(client_name, path, client_id);
}

/** The consent that an address names. */
export function getConsent({ api, params: { consent_id = '' } }: RequestContext): Promise<Consent> {
  return api.call('GET /consents/{consent_id}', { params: { consent_id } });
}
