import { routesWith } from '../../platform/http/index.ts';
import { type AttentionDeps, listAttention } from './attention.ts';
import { readFirstSteps } from './first-steps.ts';
import { AttentionListView, FirstStepsView } from './schemas.ts';

/** `sendEmail`: set if there is a mail server. */
export type OverviewDeps = AttentionDeps & { sendEmail?: unknown };

const route = routesWith<OverviewDeps>();

/** The overview for administrators. */
export const overviewRoutes = [
  route({
    method: 'GET',
    path: '/attention',
    summary: 'List what needs attention, most urgent first, among the records that you can read',
    permission: 'latchkey:activity:read',
    response: AttentionListView,
    handle: async ({ actor }, deps) => ({ items: await listAttention(deps, actor) }),
  }),
  route({
    method: 'GET',
    path: '/first-steps',
    summary: 'List the first steps after setup, and which of them are done',
    permission: 'latchkey:activity:read',
    response: FirstStepsView,
    handle: async (_, deps) => ({ items: await readFirstSteps(deps) }),
  }),
];
