import { z } from 'zod';
import { notFound, routesWith } from '../../platform/http/index.ts';
import { type IdentityDeps, linkIdentity, unlinkIdentity } from './identities.ts';
import { IdentityInput, IdentityParams, IdentityView, UserParams } from './schemas.ts';
import { findUserId, type Identity, listIdentities } from './store.ts';

const route = routesWith<IdentityDeps>();

/** Accounts of users at foreign issuers. */
export const identityRoutes = [
  route({
    method: 'GET',
    path: '/users/{user}/identities',
    summary: 'List the accounts of a user at other issuers',
    permission: 'latchkey:user:read',
    params: UserParams,
    response: z.object({ items: z.array(IdentityView) }),
    handle: async ({ params }, deps) => ({
      items: (await listIdentities(deps.db, await userIdOf(deps, params.user))).map(shown),
    }),
  }),
  route({
    method: 'POST',
    path: '/users/{user}/identities',
    summary: 'Link an account at another issuer to a user; you must hold all of their permissions',
    permission: 'latchkey:user:link',
    params: UserParams,
    body: IdentityInput,
    response: IdentityView,
    status: 201,
    handle: async ({ actor, params, body }, deps) =>
      shown(await linkIdentity(deps, actor, { user_id: await userIdOf(deps, params.user), ...body })),
  }),
  route({
    method: 'DELETE',
    path: '/users/{user}/identities/{identity_id}',
    summary: 'Unlink an account from a user; every token issued for it is revoked',
    permission: 'latchkey:user:link',
    params: IdentityParams,
    handle: async ({ actor, params }, deps) =>
      unlinkIdentity(deps, actor, { user_id: await userIdOf(deps, params.user), id: params.identity_id }),
  }),
];

const shown = ({ id, issuer, subject, created_at }: Identity) => ({ id, issuer, subject, created_at });

/** @throws Problem `not_found` */
async function userIdOf({ db }: IdentityDeps, user: string): Promise<string> {
  const id = await findUserId(db, user);
  if (id === undefined) throw notFound('user', user);
  return id;
}
