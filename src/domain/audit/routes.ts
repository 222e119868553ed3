import { JsonLines, routesWith, searchPageOf } from '../../platform/http/index.ts';
import { getEvent } from './event-place.ts';
import { exportAudit } from './export.ts';
import { histogramOf } from './histogram.ts';
import { listEvents } from './list-store.ts';
import {
  EventParams,
  EventsQuery,
  EventView,
  HistogramQuery,
  HistogramView,
  PlacedEventView,
  SealedRangeQuery,
  VerificationView,
} from './schemas.ts';
import { type VerifyDeps, verifyAudit } from './verify.ts';

const route = routesWith<VerifyDeps & { now: () => Date }>();

/** The audit log and its verification. */
export const auditRoutes = [
  route({
    method: 'GET',
    path: '/audit/events',
    summary: 'List audit events',
    permission: 'latchkey:audit:read',
    query: EventsQuery,
    response: searchPageOf(EventView),
    handle: ({ query }, deps) => listEvents(deps.db, query),
  }),
  route({
    method: 'GET',
    path: '/audit/histogram',
    summary: 'Count the newest audit events by time and outcome',
    permission: 'latchkey:audit:read',
    query: HistogramQuery,
    response: HistogramView,
    handle: ({ query }, deps) => histogramOf(deps.db, query, deps.now()),
  }),
  route({
    method: 'GET',
    path: '/audit/events/{event_id}',
    summary: 'Get an audit event and its position in the chain',
    permission: 'latchkey:audit:read',
    params: EventParams,
    response: PlacedEventView,
    handle: ({ params }, deps) => getEvent(deps, params.event_id),
  }),
  route({
    method: 'GET',
    path: '/audit/export',
    summary:
      'Export the log, or the segments sealed in a range, as JSON lines; verifiable offline with the public keys',
    permission: 'latchkey:audit:read',
    query: SealedRangeQuery,
    response: JsonLines,
    handle: async ({ actor, query }, deps) => exportAudit(deps, actor, query),
  }),
  route({
    method: 'GET',
    path: '/audit/verification',
    summary: 'Verify that no event was changed, removed, inserted or reordered; otherwise report the first such event',
    permission: 'latchkey:audit:read',
    query: SealedRangeQuery,
    response: VerificationView,
    handle: async ({ query }, deps) => {
      const { fault, ...verified } = await verifyAudit(deps, query);
      return { ...verified, is_intact: fault === undefined, fault: fault ? { ...fault } : null };
    },
  }),
];
