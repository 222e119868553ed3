import type { List } from '../lists.ts';
import { ownerFilters, rowOf } from './grant.ts';

export const grantList: List = {
  heading: 'Grants',
  intro: 'The access that an app has for a user in one session, newest first. Its tokens are revoked with it.',
  noun: 'grant',
  icon: 'grant',
  columns: [{ label: 'App' }, { label: 'User' }, { label: 'Expires' }, { label: 'Created' }],
  filters: ownerFilters,
  empty: { heading: 'No grants', words: 'A grant appears here when a user signs in to an app.' },
  read: async ({ api }, query) => {
    const { items, ...page } = await api.call('GET /grants', { query });
    return { rows: items.map(rowOf), ...page };
  },
};
