import * as cell from '../../records/cells.ts';
import { ownerFilters } from '../grants/grant.ts';
import type { List } from '../lists.ts';
import { userPath } from '../users/user.ts';
import { consentPath, stateOf } from './consent.ts';

export const consentList: List = {
  heading: 'What did people allow apps?',
  intro: 'What a person said yes to. The newest is first.',
  columns: ['App', 'Person', 'State', 'Allowed', 'Last used'],
  filters: [
    ...ownerFilters,
    {
      name: 'standing',
      label: 'State',
      options: [
        { value: '', text: 'in every state' },
        { value: 'true', text: 'stands' },
        { value: 'false', text: 'taken back' },
      ],
    },
  ],
  empty: 'Nobody has allowed an app anything yet. It appears here as soon as somebody does.',
  read: async ({ api }, query) => {
    const { items, next } = await api.call('GET /consents', { query });
    const rows = items.map((consent) => [
      cell.link(consent.client_name, consentPath(consent.consent_id), consent.client_id),
      cell.link(consent.username, userPath(consent.username)),
      stateOf(consent),
      cell.time(consent.allowed_at),
      cell.time(consent.last_used_at),
    ]);
    return { rows, next };
  },
};
