import { MergePatch, notFound, pageOf, pageWith, routesWith } from '../../platform/http/index.ts';
import { readAssertion } from './assertion.ts';
import { explain } from './explanation.ts';
import type { JudgementDeps } from './judgement.ts';
import {
  ExplanationInput,
  ExplanationView,
  TrustInput,
  TrustParams,
  TrustsQuery,
  TrustView,
  WorkloadParams,
  WorkloadsQuery,
  WorkloadView,
} from './schemas.ts';
import { findTrust, listTrusts, listWorkloads, type Trust } from './store.ts';
import { asInput, changeTrust, createTrust, disableTrust, type TrustsDeps } from './trusts.ts';
import { removeWorkload } from './workloads.ts';

export type TrustRouteDeps = TrustsDeps & JudgementDeps;

const route = routesWith<TrustRouteDeps>();

/** Trusts, and the tokens that they accept. */
export const trustRoutes = [
  route({
    method: 'GET',
    path: '/trusts',
    summary: 'List trusts (foreign issuers whose tokens are accepted)',
    permission: 'latchkey:trust:read',
    query: TrustsQuery,
    response: pageOf(TrustView),
    handle: async ({ query }, deps) => pageWith(await listTrusts(deps.db, query), shown),
  }),
  route({
    method: 'POST',
    path: '/trusts',
    summary: 'Trust an issuer; it cannot give a permission that you do not hold',
    permission: 'latchkey:trust:write',
    body: TrustInput,
    response: TrustView,
    status: 201,
    handle: async ({ actor, body }, deps) => shown(await createTrust(deps, actor, body)),
  }),
  route({
    method: 'GET',
    path: '/trusts/{trust_id}',
    summary: 'Get a trust',
    permission: 'latchkey:trust:read',
    params: TrustParams,
    response: TrustView,
    handle: async ({ params }, deps) => shown(await getTrust(deps, params.trust_id)),
  }),
  route({
    method: 'PATCH',
    path: '/trusts/{trust_id}',
    summary: 'Update a trust; you must hold all of its permissions',
    permission: 'latchkey:trust:write',
    params: TrustParams,
    body: MergePatch,
    response: TrustView,
    handle: async ({ actor, params, body, ifVersion }, deps) =>
      shown(await changeTrust(deps, actor, { id: params.trust_id, patch: body, ifVersion })),
  }),
  route({
    method: 'POST',
    path: '/trusts/{trust_id}/disable',
    summary: 'Disable a trust and its workloads; every token issued under it is revoked',
    permission: 'latchkey:trust:disable',
    params: TrustParams,
    response: TrustView,
    handle: async ({ actor, params }, deps) => shown(await disableTrust(deps, actor, params.trust_id)),
  }),
  route({
    method: 'POST',
    path: '/trusts/{trust_id}/explanation',
    summary: 'Explain whether a trust accepts a token, and which check fails; nothing is issued or used',
    permission: 'latchkey:trust:read',
    params: TrustParams,
    body: ExplanationInput,
    response: ExplanationView,
    handle: async ({ params, body }, deps) => {
      const trust = await getTrust(deps, params.trust_id);
      return explain(deps, trust, readAssertion(body.assertion));
    },
  }),
  route({
    method: 'GET',
    path: '/trusts/{trust_id}/workloads',
    summary: 'List the workloads that a trust registered as clients',
    permission: 'latchkey:trust:read',
    params: TrustParams,
    query: WorkloadsQuery,
    response: pageOf(WorkloadView),
    handle: async ({ params, query }, deps) => {
      await getTrust(deps, params.trust_id);
      return listWorkloads(deps.db, params.trust_id, query);
    },
  }),
  route({
    method: 'DELETE',
    path: '/trusts/{trust_id}/workloads/{client_id}',
    summary: 'Delete the client of a workload; its tokens are revoked, and its next request registers it again',
    permission: 'latchkey:trust:write',
    params: WorkloadParams,
    handle: ({ actor, params }, deps) => removeWorkload(deps, actor, params),
  }),
];

function shown(trust: Trust) {
  const { id, version, created_at, updated_at } = trust;
  return { id, ...asInput(trust), version, created_at, updated_at };
}

/** @throws Problem `not_found` */
async function getTrust({ db }: TrustsDeps, id: string): Promise<Trust> {
  const trust = await findTrust(db, id);
  if (!trust) throw notFound('trust', id);
  return trust;
}
