import { routesWith, searchPageOf } from '../../platform/http/index.ts';
import { type InventoryDeps, listInventory } from './inventory.ts';
import { CredentialsQuery, CredentialView } from './schemas.ts';

const route = routesWith<InventoryDeps>();

/** Credentials of every kind. */
export const credentialRoutes = [
  route({
    method: 'GET',
    path: '/credentials',
    summary: 'List credentials of all kinds that you may read, without their values',
    permission: 'latchkey:credential:read',
    query: CredentialsQuery,
    response: searchPageOf(CredentialView),
    handle: ({ actor, query }, deps) => listInventory(deps, actor, query),
  }),
];
