/** Activity: counts of requests by period, and the usage of clients, computed from access records and audit events. */
export { type ActivityDeps, usesOfKey } from './activity.ts';
export { rollUpActivity } from './job.ts';
export { activityRoutes } from './routes.ts';
export type { KeyUsesView } from './schemas.ts';
