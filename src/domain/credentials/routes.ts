import { pageOf, routesWith } from '../../platform/http/index.ts';
import { type InventoryDeps, listInventory } from './inventory.ts';
import { CredentialsQuery, CredentialView } from './schemas.ts';

const route = routesWith<InventoryDeps>();

/** Credentials of every kind. */
export const credentialRoutes = [
  route({
    method: 'GET',
    path: '/credentials',
    summary:
      'Credentials of every kind, searched, filtered and sorted; of each kind only what you may see, never a value',
    permission: 'latchkey:credential:read',
    query: CredentialsQuery,
    response: pageOf(CredentialView),
    handle: ({ actor, query }, deps) => listInventory(deps, actor, query),
  }),
];
