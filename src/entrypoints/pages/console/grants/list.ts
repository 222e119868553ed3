import * as cell from '../../records/cells.ts';
import type { List } from '../lists.ts';
import { userPath } from '../users/user.ts';
import { grantPath, lastingOf, ownerFilters } from './grant.ts';

export const grantList: List = {
  heading: 'What do apps hold now?',
  intro: 'What an app got for a person in one session, as long as it is good. The newest is first.',
  columns: ['App', 'Person', 'Lasts', 'Got'],
  filters: ownerFilters,
  empty: 'No app holds anything for anybody right now.',
  read: async ({ api }, query) => {
    const { items, next } = await api.call('GET /grants', { query });
    const rows = items.map((grant) => [
      cell.link(grant.client_id, grantPath(grant.id)),
      cell.link(grant.username, userPath(grant.username)),
      lastingOf(grant),
      cell.time(grant.created_at),
    ]);
    return { rows, next };
  },
};
