import { z } from 'zod';
import { routesWith } from '../../platform/http/index.ts';
import { SearchQuery, SearchView } from './schemas.ts';
import { type SearchDeps, search } from './search.ts';

const route = routesWith<SearchDeps>();

/** Search for records by an id, a name or a value. */
export const searchRoutes = [
  route({
    method: 'GET',
    path: '/search',
    summary: 'Search records of all types that you may read',
    permission: 'latchkey:search:read',
    query: SearchQuery,
    response: z.object({ groups: z.array(SearchView) }),
    handle: async ({ actor, query }, deps) => ({ groups: await search(deps, actor, query) }),
  }),
];
