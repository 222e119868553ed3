import { JsonLines, pageOf, routesWith } from '../../platform/http/index.ts';
import { exportAudit } from './export.ts';
import { EventsQuery, EventView, SealedRangeQuery, VerificationView } from './schemas.ts';
import { listEvents } from './store.ts';
import { type VerifyDeps, verifyAudit } from './verify.ts';

const route = routesWith<VerifyDeps & { now: () => Date }>();

/** Who did what, and the proof that nothing of it was changed. */
export const auditRoutes = [
  route({
    method: 'GET',
    path: '/audit/events',
    summary: 'Who did what, when, from where, with what result; newest first',
    permission: 'latchkey:audit:read',
    query: EventsQuery,
    response: pageOf(EventView),
    handle: ({ query }, deps) => listEvents(deps.db, query),
  }),
  route({
    method: 'GET',
    path: '/audit/export',
    summary:
      'The whole log, or the segments sealed in a range, one JSON object a line; provable offline with the public keys',
    permission: 'latchkey:audit:read',
    query: SealedRangeQuery,
    response: JsonLines,
    handle: async ({ actor, query }, deps) => exportAudit(deps, actor, query),
  }),
  route({
    method: 'GET',
    path: '/audit/verification',
    summary: 'Prove that no event was changed, removed, inserted or reordered; or name the first that was',
    permission: 'latchkey:audit:read',
    query: SealedRangeQuery,
    response: VerificationView,
    handle: async ({ query }, deps) => {
      const { fault, ...verified } = await verifyAudit(deps, query);
      return { ...verified, is_intact: fault === undefined, fault: fault ? { ...fault } : null };
    },
  }),
];
