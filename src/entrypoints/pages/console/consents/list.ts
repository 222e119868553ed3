import * as cell from '../../records/cells.ts';
import { choiceFilter } from '../../records/filters.ts';
import type { Cell } from '../../records/page-shapes.ts';
import { ownerFilters } from '../grants/grant.ts';
import type { List } from '../lists.ts';
import { allowedActions, type RequestContext } from '../request-context.ts';
import { userPath } from '../users/user.ts';
import { appCell, type Consent, consentPath, stateOf } from './consent.ts';

export const consentList: List = {
  heading: 'Consents',
  intro: 'What users allowed apps to do, newest first.',
  noun: 'consent',
  icon: 'consent',
  columns: [
    { label: 'User' },
    { label: 'App' },
    { label: 'State' },
    { label: 'Allowed' },
    { label: 'Last used' },
    { label: '' },
  ],
  filters: [
    ...ownerFilters,
    choiceFilter({ name: 'standing', label: 'State', any: 'All states' }, { true: 'Active', false: 'Revoked' }),
  ],
  empty: { heading: 'No consents yet', words: 'A consent appears here when a user allows an app to act for them.' },
  read: async (context, query) => {
    const { items, ...page } = await context.api.call('GET /consents', { query });
    return { rows: items.map((consent) => rowOf(context, consent)), ...page };
  },
};

function rowOf(context: RequestContext, consent: Consent): Cell[] {
  const revoke = {
    route: 'POST /consents/{consent_id}/revoke' as const,
    label: 'Revoke access',
    href: `${consentPath(consent.consent_id)}/revoke`,
    danger: true,
  };
  const name = `the consent of ${consent.username} for ${consent.client_name}`;
  return [
    cell.link(consent.username, consentPath(consent.consent_id)),
    appCell(consent),
    stateOf(consent),
    cell.time(consent.allowed_at),
    cell.time(consent.last_used_at),
    cell.menu(name, [
      { label: 'View user', href: userPath(consent.username), danger: false },
      ...(consent.revoked_at ? [] : allowedActions(context, [revoke])),
    ]),
  ];
}
