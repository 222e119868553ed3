import { notFound, pageOf, routesWith } from '../../platform/http/index.ts';
import { type ConsentDeps, revokeConsent, revokeGrant } from './consents.ts';
import { listConsents, listStandingGrants } from './list-store.ts';
import { ConsentParams, ConsentsQuery, ConsentView, GrantParams, GrantsQuery, GrantView } from './schemas.ts';

const route = routesWith<ConsentDeps>();

/** Consents of users, and the grants under them. */
export const consentRoutes = [
  route({
    method: 'GET',
    path: '/consents',
    summary: 'List consents',
    permission: 'latchkey:consent:read',
    query: ConsentsQuery,
    response: pageOf(ConsentView),
    handle: ({ query }, deps) => listConsents(deps.db, query),
  }),
  route({
    method: 'GET',
    path: '/consents/{consent_id}',
    summary: 'Get a consent',
    permission: 'latchkey:consent:read',
    params: ConsentParams,
    response: ConsentView,
    handle: async ({ params: { consent_id } }, deps) => {
      const [consent] = (await listConsents(deps.db, { consent_id, limit: 1, sort: 'allowed_at' })).items;
      if (!consent) throw notFound('consent', consent_id);
      return consent;
    },
  }),
  route({
    method: 'POST',
    path: '/consents/{consent_id}/revoke',
    summary: 'Revoke a consent, and every code and token issued under it; the user is asked for consent again',
    permission: 'latchkey:consent:revoke',
    params: ConsentParams,
    handle: ({ actor, params }, deps) => revokeConsent(deps, actor, params.consent_id),
  }),
  route({
    method: 'GET',
    path: '/grants',
    summary: 'List grants',
    permission: 'latchkey:grant:read',
    query: GrantsQuery,
    response: pageOf(GrantView),
    handle: ({ query }, deps) => listStandingGrants(deps.db, { ...query, now: deps.now() }),
  }),
  route({
    method: 'GET',
    path: '/grants/{grant_id}',
    summary: 'Get a grant',
    permission: 'latchkey:grant:read',
    params: GrantParams,
    response: GrantView,
    handle: async ({ params: { grant_id } }, deps) => {
      const query = { grant_id, now: deps.now(), limit: 1, sort: 'created_at' };
      const [grant] = (await listStandingGrants(deps.db, query)).items;
      if (!grant) throw notFound('standing grant', grant_id);
      return grant;
    },
  }),
  route({
    method: 'POST',
    path: '/grants/{grant_id}/revoke',
    summary: 'Revoke a grant, and every code and token issued under it',
    permission: 'latchkey:grant:revoke',
    params: GrantParams,
    handle: ({ actor, params }, deps) => revokeGrant(deps, actor, params.grant_id),
  }),
];
