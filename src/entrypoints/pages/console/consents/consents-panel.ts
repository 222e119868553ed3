import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import type { Panel } from '../../records/page-shapes.ts';
import type { RequestContext } from '../request-context.ts';
import { type Consent, consentPath, stateOf } from './consent.ts';

const most = '10';

/** The newest consents for a client or of a user; nothing for a user who may not list consents. */
export async function consentsPanel(
  { api }: RequestContext,
  whose: { client_id: string } | { user: string },
): Promise<Panel[]> {
  if (!api.may('GET /consents')) return [];
  const { items } = await api.call('GET /consents', { query: { ...whose, limit: most } });
  const isOfUser = 'user' in whose;
  const columns = [isOfUser ? 'App' : 'User', 'State', 'Permissions', 'Allowed', 'Last used'];
  const rows = items.map((consent) => [
    cell.link(isOfUser ? consent.client_name : consent.username, consentPath(consent.consent_id)),
    stateOf(consent),
    cell.codes(allScopes(consent)),
    cell.time(consent.allowed_at),
    cell.time(consent.last_used_at),
  ]);
  return [
    {
      heading: 'Consents',
      link: { text: 'View all', href: addressOf('/console/consents', whose) },
      content: { kind: 'table', columns: columns.map((label) => ({ label })), rows, empty: 'No consents.' },
    },
  ];
}

/** Every scope that was allowed, in one list. */
const allScopes = ({ scopes: { openid, resources } }: Consent): string[] => [
  ...openid,
  ...Object.values(resources).flat(),
];
